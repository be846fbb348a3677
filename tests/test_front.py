"""What the gateway's half is told of our own API."""

import msgspec

from outrider.adapters.catalog_files import load
from outrider.adapters.openapi import openapi_document, openapi_template
from outrider.cli.reference_product import PRODUCT
from outrider.domain.catalog import Catalog
from outrider.gateway.openapi import read_operations


def test_no_service_changes_what_a_gateway_acts_on() -> None:
    """A catalog that changes while the platform runs needs no publish: operations, scopes and bodies stay the same."""
    shipped = load()
    one = Catalog({"door-lock": shipped.services["door-lock"]}, shipped.models)

    found = [
        read_operations(msgspec.json.encode(openapi_document(openapi_template(), catalog)), "openapi.yaml")
        for catalog in (shipped, one)
    ]

    assert found[0] == found[1]
    assert found[0] == read_operations(PRODUCT.read_bytes(), str(PRODUCT))


def test_only_the_contracts_and_the_health_need_no_token() -> None:
    """Everything else needs one of two scopes."""
    operations = read_operations(PRODUCT.read_bytes(), str(PRODUCT))

    assert {one.id for one in operations if one.public} == {"openapi", "asyncapi", "healthz", "readyz", "metrics"}
    assert {one.scopes for one in operations if not one.public} == {(("commands",),), (("admin",),)}
