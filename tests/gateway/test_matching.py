"""Which operation a request is for: what `explain` says, against the routes that Envoy gets."""

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.common.ports import Address, free_ports
from outrider.gateway.compile import compile_product
from outrider.gateway.compile.routes import METHOD_NOT_ALLOWED, NO_SUCH_OPERATION
from outrider.gateway.environment import Backend, Issuer, KeySource, Placement, Upstream
from outrider.gateway.matching import BadPath, Found, OtherMethods, Unpublished, match, normalised
from outrider.gateway.product import Cors, Limit, Limits, Operation, Product
from tests.gateway.compile.running import Gateway, released
from tests.gateway.kong.products import asked_of, operations

HERE = Address("127.0.0.1", 9001)
PLACEMENT = Placement(
    environment="local",
    listen=HERE,
    issuer=Issuer(issuer="https://issuer.example", jwks=KeySource(file="/jwks.json")),
    versions={"v1": Backend(upstreams=(Upstream(address=HERE),))},
)
METHODS = st.sampled_from(("GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE"))


def first_route(routes: Mapping[str, Any], method: str, path: str) -> dict[str, Any]:
    """The route that Envoy takes for a request without a body and without headers: the first that matches."""
    for route in routes["virtual_hosts"][0]["routes"]:
        found = route["match"]
        here = (
            path == found.get("path")
            or ("safe_regex" in found and re.fullmatch(found["safe_regex"]["regex"], path))
            or path.startswith(found.get("prefix", "?"))
        )
        if here and all(_holds(header, method) for header in found.get("headers", ())):
            return dict(route)
    raise AssertionError("there is a route for everything")


def _holds(header: Mapping[str, Any], method: str) -> bool:
    if header["name"] == ":method":
        return bool(header["string_match"]["exact"] == method)
    return bool(header.get("treat_missing_header_as_empty", False))


@given(operations().flatmap(lambda found: st.tuples(st.just(found), asked_of(found))), METHODS, st.booleans())
@settings(max_examples=60)
def test_it_is_the_operation_that_the_compiled_routes_lead_to(
    asked: tuple[tuple[Operation, ...], str], method: str, cors: bool
) -> None:
    """Also where templates overlap, methods differ and preflights are answered."""
    found, path = asked
    product = Product(
        name="p", owner="o", versions=("v1",), audiences=("p",), cors=Cors(origins=("*",)) if cors else None
    )
    route = first_route(compile_product(product, PLACEMENT, found).routes, method, path)

    match match(found, method, path, preflights=cors):
        case Found(operation):
            assert route["name"] == operation.id
        case OtherMethods(_, allowed):
            assert route["name"] == METHOD_NOT_ALLOWED
            assert route["response_headers_to_add"][0]["header"]["value"] == ", ".join(allowed)
        case Unpublished():
            assert route["name"] == NO_SUCH_OPERATION
        case BadPath():
            raise AssertionError("none of these paths is bad")


@pytest.mark.parametrize(
    ("path", "becomes"),
    [
        ("/a/b", "/a/b"),
        ("/a/", "/a/"),
        ("/", "/"),
        ("//a///b", "/a/b"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/../../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/.", "/a/b/"),
        ("/a//../b", "/a/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/%7Eada/%41%7a%30%2D%5f", "/~ada/Az0-_"),
        ("/x%20y/stra%C3%9Fe", "/x%20y/stra%C3%9Fe"),
        ("/%40%5b%60%7b%2c%3a", "/%40%5b%60%7b%2c%3a"),
        ("/a\\b", "/a/b"),
    ],
)
def test_a_path_is_put_straight_before_it_is_compared(path: str, becomes: str) -> None:
    """Slashes are merged, dots resolved, and nothing leads out of the root."""
    assert normalised(path) == becomes


SESSIONS = (
    Operation(id="showSession", method="GET", path="/v1/sessions/{session}", public=True),
    Operation(id="startSession", method="POST", path="/v1/sessions", public=True),
    Operation(id="listTariffs", method="GET", path="/v1/tariffs", public=True),
    Operation(id="healthz", method="GET", path="/healthz", public=True),
)


@pytest.mark.parametrize(
    "path", ["/v1/sessions%2F17", "/v1%5c", "sessions", "", "/a#b", "/a?b#c", "/a%00", "/\u00e9", "/a b"]
)
def test_a_bad_path_is_refused(path: str) -> None:
    """Escaped slashes, what does not begin with one, and what no path may have."""
    assert match(SESSIONS, "GET", path) == BadPath()


def test_the_query_is_no_part_of_the_path() -> None:
    """What comes after the question mark does not decide."""
    assert match(SESSIONS, "get", "/v1/tariffs?free=/../true") == Found(SESSIONS[2])


@pytest.mark.parametrize(
    ("path", "nearest"),
    [("/v1/session/17", "/v1/sessions/{session}"), ("/v1/tarifs", "/v1/tariffs"), ("/health", "/healthz")],
)
def test_the_nearest_published_path_comes_first(path: str, nearest: str) -> None:
    """A typing error is seen at once."""
    found = match(SESSIONS, "GET", path)

    assert isinstance(found, Unpublished)
    assert found.nearest[0] == nearest


PATHS = [
    "/a/b",
    "//a///b",
    "/a/./b",
    "/a/../b",
    "/../../b",
    "/a/b/..",
    "/a/b/.",
    "/a/b/../",
    "/a//../b",
    "/a/b//..",
    "/a/.../b",
    "/a/b%2e",
    "/%7Euser",
    "/%7euser",
    "/a/%2e%2E/b",
    "/a/b/%2e%2e",
    "/%71/c",
    "/q/c",
    "/q/c/",
    "/q%20q/c",
    "/stra%C3%9Fe",
    "/stra%c3%9fe",
    "/x%20y",
    "/a%2eb",
    "/a;v=1/b",
    "/A/b",
    "/",
    "/..",
    "/a//",
    "/a/b?x=/../b",
    "/a/b#x",
    "/a/b?x#y",
    "/a%2fb",
    "/a%5Cb",
    "/a\\b",
    "/a/b%00",
    "/%",
    "/%zz",
    "/a/..%2fb",
    "*",
    "a/b",
]


def test_envoy_agrees_about_paths(tmp_path: Path) -> None:
    """Whatever comes as a path: what is said of it here is what Envoy does with it."""
    templates = ("/a/b", "/b", "/a/", "/", "/~user", "/a/b/", "/{any}/c", "/stra%C3%9Fe", "/a.b", "/x%20y")
    found = tuple(Operation(id=f"o{n}", method="GET", path=path, public=True) for n, path in enumerate(templates))
    listen, gone = (Address("127.0.0.1", port) for port in free_ports(2))
    plenty = Limits(client=Limit(requests=1_000_000))
    product = Product(name="p", owner="o", versions=("v1",), audiences=(), limits=plenty)
    versions = {"v1": Backend(upstreams=(Upstream(address=gone),))}
    place = Placement(environment="test", listen=listen, versions=versions)
    codes = {Found: 503, OtherMethods: 405, Unpublished: 404, BadPath: 400}

    with Gateway(tmp_path, released(product, place, found), {"v1": 100}):
        answered = {path: _code(listen, path) for path in PATHS}

    assert {path: codes[type(match(found, "GET", path))] for path in PATHS} == answered


def _code(address: Address, path: str) -> int:
    """The status with which a raw request for this path is answered."""
    with socket.create_connection((address.host, address.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: any\r\nconnection: close\r\n\r\n".encode())
        return int(connection.makefile("rb").readline().split()[1])
