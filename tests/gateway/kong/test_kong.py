"""A product as a decK file for Kong."""

import json
import os
import re
from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from outrider.common.ports import Address
from outrider.gateway.environment import Backend, Placement, Upstream
from outrider.gateway.kong import kong, written
from outrider.gateway.kong.consumers import public_keys
from outrider.gateway.kong.gaps import gaps
from outrider.gateway.kong.upstreams import weights
from outrider.gateway.matching import Found, OtherMethods, match
from outrider.gateway.product import Limit, Limits, Operation, Product
from outrider.gateway.templates import pattern
from tests.gateway.kong.products import KEYS, OPERATIONS, PLACEMENT, PRODUCT, asked_of, exports

HERE = Path(__file__).parent
SCHEMA = HERE / "kong_json_schema.json"
DECK = jsonschema_rs.Draft4Validator(json.loads(SCHEMA.read_bytes()))
FIELDS = {name: set(fields) for name, fields in json.loads((HERE / "plugin_fields.json").read_bytes()).items()}
SPLIT = {"v1": 95, "v2": 5}

Export = tuple[Product, Placement, tuple[Operation, ...], dict[str, int]]


def plugins(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every plugin of a file, wherever it stands."""
    for service in document["services"]:
        yield from service["plugins"]
        for route in service["routes"]:
            yield from route["plugins"]


def test_a_rich_product_is_exported_as_the_golden_file() -> None:
    """What Kong would get is seen in the difference; `OUTRIDER_GOLDENS=write` writes it anew."""
    document = kong(PRODUCT, PLACEMENT, OPERATIONS, SPLIT, KEYS)
    text = written(document, gaps(PRODUCT, PLACEMENT, OPERATIONS, len(document["services"])))
    golden = HERE / "charging.yaml"
    if os.environ.get("OUTRIDER_GOLDENS") == "write":
        golden.write_text(text, encoding="utf-8")

    assert text == golden.read_text(encoding="utf-8")


def test_the_schema_is_kongs_own() -> None:
    """Byte for byte, or it would prove nothing."""
    assert sha256(SCHEMA.read_bytes()).hexdigest() == "ac10e78c646817d69f617355691f3d8a9185b7b8e3e7cbd038becd6081ba7f6f"


@given(exports())
@settings(max_examples=50)
def test_whatever_the_product_the_file_is_one_that_deck_reads(export: Export) -> None:
    """It fits decK's schema, uses known fields of known plugins only, and what it refers to is in it."""
    document = kong(*export, KEYS)

    assert [error.message for error in DECK.iter_errors(document)] == []
    assert all(set(plugin["config"]) <= FIELDS[plugin["name"]] for plugin in plugins(document))
    assert {service["host"] for service in document["services"]} == {each["name"] for each in document["upstreams"]}
    for names in (document["services"], [route for service in document["services"] for route in service["routes"]]):
        assert len({each["name"] for each in names}) == len(names)
    assert all(set(each["name"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.") for each in document["upstreams"])
    targets = [target["target"] for target in document["upstreams"][0]["targets"]]
    assert len(set(targets)) == len(targets)


@given(
    exports().flatmap(lambda export: st.tuples(st.just(export), asked_of(export[2]))),
    st.sampled_from(("GET", "POST", "DELETE", "OPTIONS")),
)
@settings(max_examples=50)
def test_kong_finds_the_operation_that_the_gateway_finds(pair: tuple[Export, str], method: str) -> None:
    """Of the routes that fit, the one with the greatest priority is that of the compiled routes' first."""
    export, asked = pair
    routes = [route for service in kong(*export, ())["services"] for route in service["routes"]]
    fitting = [
        route
        for route in routes
        if method in route["methods"] and any(re.fullmatch(regex[1:], asked) for regex in route["paths"])
    ]
    best = max(fitting, key=lambda route: route["regex_priority"], default=None)

    found = match(export[2], method, asked)

    answered = best and [plugin for plugin in best["plugins"] if plugin["name"] == "request-termination"]
    assert (best is not None and not answered) == isinstance(found, Found)
    assert (best is not None and bool(answered)) == isinstance(found, OtherMethods)
    if isinstance(found, Found):
        assert best is not None
        assert [best["paths"], best["methods"]] == [[f"~{pattern(found.operation.path)}$"], [method]]
        assert sum(route["regex_priority"] == best["regex_priority"] for route in fitting) == 1


@given(exports())
@settings(max_examples=50)
def test_a_version_gets_the_share_that_the_split_gives_it(export: Export) -> None:
    """Shares are exact where no address serves two versions, however many addresses each one has."""
    product, placement, _, split = export
    addresses = {v: [str(u.address) for u in placement.versions[v].upstreams if u.address] for v in product.versions}
    every = [address for found in addresses.values() for address in found]
    shares = weights(product, placement, split)

    assert set(shares) == set(every)
    if len(set(every)) == len(every) and all(addresses.values()):
        whole = sum(shares.values())
        assert {v: Fraction(100 * sum(shares[a] for a in found), whole) for v, found in addresses.items()} == split


def test_weights_stay_in_kongs_range() -> None:
    """Where exact shares would be too large, the nearest that Kong takes, and none that has traffic becomes nothing."""
    versions = {
        f"v{count}": Backend(upstreams=tuple(Upstream(address=Address("a", 1000 * count + n)) for n in range(count)))
        for count in (89, 97, 1)
    }
    product = Product(name="p", owner="o", versions=tuple(versions), audiences=())
    placement = Placement(environment="e", listen=Address("127.0.0.1", 1), versions=versions)

    shares = weights(product, placement, {"v89": 1, "v97": 1, "v1": 98})

    assert max(shares.values()) == 65535
    assert min(shares.values()) >= 1


def test_there_is_no_secret_in_the_file() -> None:
    """Kong wants a word where HS256 would have its secret; it is the same in every file, and opens nothing."""
    credentials = kong(PRODUCT, PLACEMENT, OPERATIONS, SPLIT, KEYS)["consumers"][0]["jwt_secrets"]

    assert {each["secret"] for each in credentials} == {"unused"}
    assert {each["algorithm"] for each in credentials} == {"ES256", "RS256"}


def test_only_operations_that_are_public_do_without_a_token() -> None:
    """Every other route asks for one, from the Authorization header only."""
    asking = {
        route["name"]
        for service in kong(PRODUCT, PLACEMENT, OPERATIONS, SPLIT, KEYS)["services"]
        for route in service["routes"]
        for plugin in route["plugins"]
        if plugin["name"] == "jwt"
    }

    assert asking == {f"charging-{operation.id}" for operation in OPERATIONS if not operation.public}


@given(exports())
@settings(max_examples=20)
def test_what_is_written_is_what_is_read(export: Export) -> None:
    """Whatever names, audiences and patterns hold, the text means the document, and its head is comment only."""
    document = kong(*export, KEYS)

    assert yaml.safe_load(written(document, gaps(*export[:3], services=2))) == document


def test_ids_that_kong_would_not_take_stay_apart() -> None:
    """Slashes and colons may be in an operation's id, not in the name of a route."""
    ids = ("a/b", "a:b", "a_b", "a-b")
    operations = tuple(Operation(id=name, method="GET", path=f"/{i}", public=True) for i, name in enumerate(ids))
    (service,) = kong(PRODUCT, PLACEMENT, operations, SPLIT, ())["services"]
    names = [route["name"] for route in service["routes"]]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]+", name) for name in names)


def test_a_keys_pem_is_the_key() -> None:
    """RSA, EC and Ed25519 keys come out as Kong reads them, each with its algorithm."""
    keys = {
        "r": rsa.generate_private_key(65537, 2048).public_key(),
        "e": ec.generate_private_key(ec.SECP384R1()).public_key(),
        "o": ed25519.Ed25519PrivateKey.generate().public_key(),
    }
    jwks = [
        {**RSAAlgorithm.to_jwk(keys["r"], as_dict=True), "kid": "r", "alg": "PS256"},
        {**ECAlgorithm.to_jwk(keys["e"], as_dict=True), "kid": "e"},
        {**OKPAlgorithm.to_jwk(keys["o"], as_dict=True), "kid": "o"},
    ]

    found = public_keys(json.dumps({"keys": jwks}))

    assert [(key.id, key.algorithm) for key in found] == [("r", "PS256"), ("e", "ES384"), ("o", "EdDSA")]
    assert all(load_pem_public_key(key.pem.encode()) == keys[key.id] for key in found)


@pytest.mark.parametrize("text", ["a\nservices: []", "a\u2028services: []", "a\x85b: 1", "\r\n- x"])
def test_no_text_gets_out_of_a_comment(text: str) -> None:
    """An audience with a line's end in it is still a comment."""
    product = Product(name="p", owner="o", versions=("v1",), audiences=(text,))
    told = gaps(product, PLACEMENT, OPERATIONS, 1)

    assert yaml.safe_load(written({"_format_version": "3.0"}, told)) == {"_format_version": "3.0"}


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("audiences", True),
        ("limits.person", True),
        ("limits.client", True),
        ("versions.v2", True),
        ("trusted_proxies", True),
        ("hosts", False),
    ],
)
def test_what_kong_cannot_do_is_told(field: str, told: bool) -> None:
    """Each field that has no counterpart is named; one that has, is not."""
    assert any(gap.startswith(f"{field}:") for gap in gaps(PRODUCT, PLACEMENT, OPERATIONS, 4)) is told


def test_a_limit_whose_time_kong_does_not_know_is_rounded_and_told() -> None:
    """30 in 10 s become 180 in a minute."""
    limits = Limits(product=Limit(requests=30, per=10))
    product = Product(name="p", owner="o", versions=("v1", "v2"), audiences=(), limits=limits)
    document = kong(product, PLACEMENT, OPERATIONS, SPLIT, ())
    limiting = next(plugin for plugin in plugins(document) if plugin["name"] == "rate-limiting")

    assert limiting["config"]["minute"] == 180
    assert "limits.product: 30 requests in 10 s became 180 requests in 60 s" in gaps(product, PLACEMENT, OPERATIONS, 4)
