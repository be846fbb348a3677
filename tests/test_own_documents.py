"""Our own API, our own messages and the products that we ship keep the rules that we ask others to keep."""

from pathlib import Path

import msgspec
import pytest

import outrider
from outrider.adapters.catalog_files import load
from outrider.adapters.openapi import asyncapi_document, openapi_document, openapi_template
from outrider.gateway import beginnings
from outrider.gateway.documents import parse
from outrider.gateway.lint.engine import lint
from outrider.gateway.lint.ruleset import read_ruleset
from outrider.gateway.lint.structure import structure_findings

PRODUCTS = Path(outrider.__file__).parent / "products"
DOCUMENTS = {
    "openapi.json as it is served": msgspec.json.encode(openapi_document(openapi_template(), load())),
    "asyncapi.json as it is served": msgspec.json.encode(asyncapi_document()),
    "what `gateway init` writes": beginnings.openapi("car-wash", "team-wash").encode(),
    **{str(file.relative_to(PRODUCTS)): file.read_bytes() for file in sorted(PRODUCTS.glob("*/openapi.yaml"))},
}
LEFT = {("list-paged", "#/paths/~1v1~1catalog/get")}
"""The catalog is the operator's own files, and as long as those: who reads it wants all of it at once."""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_our_documents_break_no_rule(name: str) -> None:
    """No error, and no warning either but those that are left, each with its reason."""
    source = parse(DOCUMENTS[name], name)
    ruleset = read_ruleset(f"outrider:{'asyncapi' if 'asyncapi' in source.data else 'openapi'}")
    linted = lint(source, ruleset)

    assert {(one.rule, one.place.pointer) for one in linted.findings} <= LEFT
    assert structure_findings(source) == []
