"""Which operation a request is for: what `explain` says, against the routes that Envoy gets."""

import re
import socket
from collections.abc import Mapping
from pathlib import Path
from string import ascii_letters, digits
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outrider.common.ports import Address, free_ports
from outrider.gateway.compile import compile_product
from outrider.gateway.compile.routes import METHOD_NOT_ALLOWED, NO_SUCH_OPERATION
from outrider.gateway.environment import Backend, Issuer, KeySource, Placement, Upstream
from outrider.gateway.matching import BadPath, Found, OtherMethods, Unpublished, match, normalised
from outrider.gateway.product import Cors, Limit, Limits, Operation, Product
from outrider.gateway.templates import by_precedence, pattern
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


_TOKENS = st.sampled_from(tuple("aAbB03-~:@$;,!+'|%? \u00df\u20ac"))
_PIECES = st.lists(st.one_of(_TOKENS, st.just("{}")), min_size=1, max_size=4)
_SHAPES = st.lists(_PIECES, min_size=1, max_size=3)


def _spelled(draw: st.DrawFn, character: str, raw: bool = True) -> str:
    """A character as a caller may write it. raw: as it is, wherever a path may have it so."""
    if character in "/.":
        return character
    bare = character.isascii() and character not in "%?# "
    if bare and (raw or draw(st.booleans())):
        return character
    escape = "".join(f"%{octet:02x}" for octet in character.encode())
    return escape.upper() if raw or draw(st.booleans()) else escape


@st.composite
def _spellings(draw: st.DrawFn) -> tuple[tuple[str, ...], str, str, str]:
    """Templates, and one path: as it is meant, as it is plainly written, and as anybody may write it."""
    templates = []
    shapes = draw(st.lists(_SHAPES, min_size=1, max_size=6, unique_by=str))
    for shape in shapes:
        template = "/" + "/".join(
            "".join(one if one == "{}" else _spelled(draw, one, draw(st.booleans())) for one in pieces)
            for pieces in shape
        )
        templates.append("".join(f"{part}{{p{n}}}" for n, part in enumerate(template.split("{}"))).rpartition("{")[0])
    segments = (
        "".join(draw(_TOKENS) if one == "{}" else one for one in pieces) for pieces in draw(st.sampled_from(shapes))
    )
    meant = "/" + "/".join(segments)
    return (
        tuple(templates),
        meant,
        "".join(_spelled(draw, one) for one in meant),
        "".join(_spelled(draw, one, False) for one in meant),
    )


@given(_spellings())
@example((("/{p0}Ab", "/{p0}:{p1}"), "/1:b", "/1:b", "/1%3Ab"))
@settings(max_examples=300)
def test_however_a_path_is_written_it_is_the_same_operation(asked: tuple[tuple[str, ...], str, str, str]) -> None:
    """Else scopes could be chosen by an escape: upstreams decode a path before they look what it means.

    The operation is that of the first template that fits the decoded path, its own literals decoded.
    """
    templates, meant, plain, other = asked
    found = {pattern(path): Operation(id=path, method="GET", path=path, public=True) for path in templates}
    product = Product(name="p", owner="o", versions=("v1",), audiences=("p",))
    routes = compile_product(product, PLACEMENT, tuple(found.values())).routes
    fitting = (path for path in by_precedence(each.path for each in found.values()) if _means(path, meant))

    names = [first_route(routes, "GET", normalised(path))["name"] for path in (plain, other)]

    assert names == [next(fitting, NO_SUCH_OPERATION)] * 2


def _means(template: str, meant: str) -> bool:
    """Does a template fit what a path says when it is decoded?"""
    literals = re.split(r"\{\w+\}", template)
    return bool(re.fullmatch("[^/]+".join(re.escape(unquote(literal)) for literal in literals), meant))


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


UNRESERVED = f"{ascii_letters}{digits}-._~"
PATHS = [
    f"/{''.join(f'%{ord(character):02x}' for character in UNRESERVED)}",
    f"/{''.join(f'%{ord(character):02X}' for character in UNRESERVED)}",
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
    "/%zz/c",
    "/q%/c",
    "/q:run/c",
    "/q%3Arun/c",
    "/q%3arun/c",
    "/q%3brun/c",
    "/a$b",
    "/a%24b",
    "/m@h,i;j",
    "/m%40h%2Ci%3bj",
    "/admin",
    "/%61dmin",
    "/a|b",
    "/a%7cb",
    '/a"b',
    "/a%22b",
    "/a<b",
    "/a[b",
    "/a^b",
    "/a{b",
    "/100%",
    "/100%25",
    "/a/..%2fb",
    "*",
    "a/b",
]


def test_envoy_agrees_about_paths(tmp_path: Path) -> None:
    """Whatever comes as a path: what is said of it here is what Envoy does with it."""
    templates: tuple[str, ...] = (
        "/a/b",
        "/b",
        "/a/",
        "/",
        "/~user",
        "/a/b/",
        "/{any}/c",
        "/stra%C3%9Fe",
        "/a.b",
        "/x%20y",
    )
    templates += ("/{any}:run/c", "/a$b", "/m@h,i;j", "/%61dmin", "/a%7Cb", "/a%22b", "/a%3Cb", "/a%5Bb", "/a%5eb")
    templates += (f"/{UNRESERVED}", "/a%7bb", "/100%25", f"/{'%E2%82%AC:' * 60}")
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
