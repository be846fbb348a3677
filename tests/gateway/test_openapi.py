"""An OpenAPI document is its operations; what a gateway could not do as it says is refused."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.gateway.faults import Refused
from outrider.gateway.openapi import read_operations
from outrider.gateway.product import Operation

HEAD = """\
openapi: 3.1.0
info: {title: Parking, version: 1.0.0}
components:
  securitySchemes:
    token: {type: http, scheme: Bearer}
    oauth: {type: oauth2, flows: {}}
    idp: {type: openIdConnect, openIdConnectUrl: 'https://idp.example/.well-known/openid-configuration'}
    again: {$ref: '#/components/securitySchemes/token'}
    key: {type: apiKey, in: header, name: x-key}
    basic: {type: http, scheme: basic}
    mutual: {type: mutualTLS}
"""
PATHS = """\
paths:
  /v1/places:
    get: {operationId: listPlaces}
"""


def operations(text: str) -> tuple[Operation, ...]:
    return read_operations(text.encode(), "openapi.yaml")


def one(fields: str, security: str = "security: []\n") -> Operation:
    """The only operation of a document; fields: what it has besides its name, in braces."""
    return operations(f"{HEAD}{security}paths: {{/v1/places: {{post: {{operationId: addPlace, {fields}}}}}}}\n")[0]


def refused(text: str | bytes) -> list[str]:
    """What is said of a document, one line for each fault, without the file's name."""
    with pytest.raises(Refused) as error:
        read_operations(text if isinstance(text, bytes) else text.encode(), "openapi.yaml")
    return [line.removeprefix("openapi.yaml:") for line in str(error.value).splitlines()]


def test_operations_are_what_the_document_says_in_its_order() -> None:
    """Name, method, path as written, summary; who may call them, and what they take and give."""
    read = operations(f"""{HEAD}
servers: [{{url: 'https://parking.example/base'}}]
security: [{{token: [read]}}]
paths:
  /v1/places/{{place}}.json:
    put:
      operationId: putPlace
      summary: Put a place
      security: [{{oauth: [read, write]}}, {{idp: [admin]}}]
      requestBody: {{content: {{application/json: {{}}, 'Text/CSV; charset=utf-8': {{}}}}}}
    get: {{operationId: showPlace}}
  /events:
    get:
      operationId: watch
      responses: {{'200': {{description: They., content: {{text/event-stream: {{}}}}}}}}
  x-remark: not a path
""")

    assert read == (
        Operation(
            id="putPlace",
            method="PUT",
            path="/v1/places/{place}.json",
            summary="Put a place",
            scopes=(("read", "write"), ("admin",)),
            media_types=("application/json", "text/csv"),
        ),
        Operation(id="showPlace", method="GET", path="/v1/places/{place}.json", scopes=(("read",),)),
        Operation(id="watch", method="GET", path="/events", scopes=(("read",),), streams=True),
    )


def test_a_path_is_read_without_needless_escapes() -> None:
    """Callers' paths are put straight too, so that it would never be asked for as it is written."""
    assert operations(f"{HEAD}security: []\n{PATHS}".replace("places", "pl%61ces%3a"))[0].path == "/v1/places%3A"
    assert (
        "is the same as /v1/places"
        in refused(f"{HEAD}security: []\n{PATHS}  /v1/pl%61ces:\n    get: {{operationId: listAgain}}\n")[0]
    )


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.0", "3.1.2"])
def test_both_versions_of_openapi_are_read(version: str) -> None:
    """3.0 and 3.1, whatever their last number."""
    assert len(operations(f"{HEAD}security: []\n{PATHS}".replace("3.1.0", version))) == 1


@pytest.mark.parametrize(
    ("security", "public", "scopes"),
    [
        ("[]", True, ()),
        ("[{}]", True, ()),
        ("[{token: []}]", False, ((),)),
        ("[{token: [a, b, a]}]", False, (("a", "b"),)),
        ("[{token: [a]}, {oauth: [b]}, {idp: [a]}]", False, (("a",), ("b",))),
        ("[{token: [a]}, {token: []}]", False, ((),)),
        ("[{again: [a]}]", False, (("a",),)),
    ],
)
def test_security_is_alternatives_of_scopes(security: str, public: bool, scopes: Any) -> None:
    """Nothing asked for is public; a token without scopes is one alternative that asks for none."""
    at_the_top = one("", f"security: {security}\n")
    of_its_own = one(f"security: {security}", "security: [{token: [other]}]\n")

    assert (at_the_top.public, at_the_top.scopes) == (public, scopes)
    assert at_the_top == of_its_own


@pytest.mark.parametrize(
    ("body", "types"),
    [
        ("{application/json: {}}", ("application/json",)),
        ("{image/*: {}}", ("image/*",)),
        ("{'*/*': {}, application/json: {}}", ()),
        ("{application/vnd.parking.v2+json: {}}", ("application/vnd.parking.v2+json",)),
    ],
)
def test_media_types_are_plain(body: str, types: tuple[str, ...]) -> None:
    """Lower case, without parameters; where anything may come, none is checked."""
    assert one(f"requestBody: {{content: {body}}}").media_types == types


def test_references_are_followed_inside_the_document() -> None:
    """Path items, request bodies, responses: wherever we look, also over several steps, escaped and percent-encoded."""
    read = operations(f"""{
        HEAD.replace(
            "components:",
            '''components:
  pathItems:
    one: {$ref: '#/components/pathItems/a~1b%20c'}
    a/b c:
      post:
        operationId: addPlace
        requestBody: {$ref: '#/components/requestBodies/place'}
        responses: {default: {$ref: '#/components/responses/stream'}}
  requestBodies: {place: {content: {application/json: {}}}}
  responses: {stream: {content: {text/event-stream: {}}}}''',
        )
    }
security: []
paths: {{/v1/places: {{$ref: '#/components/pathItems/one'}}}}
""")

    assert read == (
        Operation(
            id="addPlace",
            method="POST",
            path="/v1/places",
            public=True,
            media_types=("application/json",),
            streams=True,
        ),
    )


def test_schemas_may_refer_to_themselves() -> None:
    """A tree is a tree of trees; nobody here walks it. What looks like a reference in an example is data."""
    schemas = """
  schemas:
    tree:
      properties:
        trees: {items: {$ref: '#/components/schemas/tree'}}
        $ref: {type: string}
      example: {$ref: https://elsewhere.example/}
    anchored: {$anchor: here, items: {$ref: '#here'}}
"""
    assert len(operations(f"{HEAD}{schemas.lstrip(chr(10))}security: []\n{PATHS}")) == 1


@pytest.mark.parametrize(
    ("since", "sunset"),
    [("2026-07-01", "2027-06-30"), ("2026-07-01T12:00:00Z", None), (None, "2027-06-30T00:00:00.5+02:00"), (None, None)],
)
def test_what_ends_says_since_when_and_until_when(since: str | None, sunset: str | None) -> None:
    """Dates as RFC 3339 has them, with or without a time; both may be unknown."""
    dates = "".join(
        f"{name}: '{date}', " for name, date in (("x-deprecated-since", since), ("x-sunset", sunset)) if date
    )
    read = one(f"{dates}deprecated: true")

    assert (read.deprecated, read.deprecated_since, read.sunset) == (True, since, sunset)


def test_json_is_read_too() -> None:
    """As programs write it: on one line, with tabs, and with letters beyond 16 bits in two halves."""
    document = {
        "openapi": "3.0.3",
        "security": [],
        "paths": {"/v1/places": {"get": {"operationId": "list", "summary": "\\ \U0001f697 /"}}},
    }
    for text in (json.dumps(document), json.dumps(document, indent="\t")):
        assert operations(text)[0].summary == "\\ \U0001f697 /"


BROKEN = [
    ("nothing", "", ["1:1: is no OpenAPI document; it begins with openapi: 3.1.0"]),
    ("no version", PATHS, ["1:1: openapi: is required; write openapi: 3.1.0"]),
    (
        "OpenAPI 2",
        "swagger: '2.0'\n" + PATHS,
        ["1:1: swagger: OpenAPI 2 is not read; convert the document to 3.1, or 3.0"],
    ),
    (
        "a version to come",
        "openapi: 4.0.0\n" + PATHS,
        ["1:1: openapi: this version is not known; 3.0 and 3.1 are read, written as 3.1.0"],
    ),
    (
        "half a version",
        "openapi: 3.1\n" + PATHS,
        ["1:1: openapi: this version is not known; 3.0 and 3.1 are read, written as 3.1.0"],
    ),
    (
        "no paths",
        "openapi: 3.1.0\nsecurity: []\n",
        ["1:1: paths: is required: the paths, and below each its operations"],
    ),
    (
        "no operation",
        "openapi: 3.1.0\nsecurity: []\npaths: {/v1/places: {}}\n",
        ["3:1: paths: has no operation; a gateway would answer nothing but 404"],
    ),
    (
        "an empty path",
        "openapi: 3.1.0\nsecurity: []\npaths:\n  /v1/places:\n",
        ['4:3: paths["/v1/places"]: must be an object: a path\'s operations by their methods'],
    ),
]


@pytest.mark.parametrize(("text", "said"), [pytest.param(text, said, id=name) for name, text, said in BROKEN])
def test_what_is_no_document_is_refused(text: str, said: list[str]) -> None:
    """What cannot be read says so at its beginning."""
    assert refused(text) == said


BROKEN_PATHS = [
    ("v1/places", "must begin with /"),
    ("/v1/places?free=true", "must end before ? and #; what comes in the query is declared as a parameter"),
    ("/v1/places/{place", "must have its braces in pairs around one name each, as in /files/{name}.json"),
    ("/v1/places/{}", "must have its braces in pairs around one name each, as in /files/{name}.json"),
    ("/v1/{a}/places/{a}", "must not name the same parameter twice"),
    ("/v1//places", "must have no //, no /./ and no /../: callers' paths are put straight before they are compared"),
    (
        "/v1/../etc/passwd",
        "must have no //, no /./ and no /../: callers' paths are put straight before they are compared",
    ),
    ("/v1/plätze", "must have what is no letter of ASCII percent-encoded, as in /stra%C3%9Fen"),
    ("/v1/pl%E4tze", "must have what is percent-encoded in UTF-8, as in /stra%C3%9Fen"),
    ("/v1%2Fplaces", "must have no encoded slash, backslash or NUL: gateways refuse them"),
]


@pytest.mark.parametrize(("path", "said"), BROKEN_PATHS)
def test_a_path_that_nobody_could_call_is_refused(path: str, said: str) -> None:
    """Templates are checked as callers' paths will be compared with them."""
    text = f"openapi: 3.1.0\nsecurity: []\npaths:\n  {json.dumps(path, ensure_ascii=False)}: {{}}\n"

    assert refused(text) == [f'4:3: paths["{path}"]: {said}']


def test_two_paths_that_nobody_can_tell_apart_are_refused() -> None:
    """Names of parameters make no difference; more text does."""
    text = """\
openapi: 3.1.0
security: []
paths:
  /a/{x}: {get: {operationId: a}}
  /a/{y}: {post: {operationId: b}}
  /a/{x}.json: {get: {operationId: c}}
  /a/b: {get: {operationId: d}}
"""

    assert refused(text) == [
        '5:3: paths["/a/{y}"]: is the same as /a/{x} for whoever calls it; put both below one path'
    ]


BROKEN_OPERATIONS = [
    ("{get: 5}", ["get: must be an object: an operation"]),
    ("{get: {}}", ["get.operationId: is required: a name of its own, such as listStations"]),
    (
        "{get: {operationId: 'list places'}}",
        ["get.operationId: must be a name such as listStations: 1 to 100 of A-Z a-z 0-9 _.:/-"],
    ),
    (
        "{get: {operationId: a}, post: {operationId: a}}",
        ["post.operationId: is there twice, first on line 13; give each its own"],
    ),
    (
        "{gett: {operationId: a}, get: {operationId: b}}",
        ["gett: is no HTTP method; known here: get, put, post, delete, options, head, patch, trace"],
    ),
    (
        "{$ref: '#/components/pathItems/a', get: {operationId: a}}",
        [
            "$ref: leads nowhere; there is no such place in the document",
            "get: stands beside $ref; put it where $ref leads, or remove $ref",
        ],
    ),
    (
        "{$ref: other.yaml#/paths/a}",
        [
            "$ref: leads out of this document, and nothing is fetched; put it below components, "
            "and write #/components/..."
        ],
    ),
    (
        "{get: {operationId: a, responses: {default: {$ref: 'https://elsewhere.example/r.yaml'}}}}",
        [
            "get.responses.default.$ref: leads out of this document, and nothing is fetched; put it below components, "
            "and write #/components/..."
        ],
    ),
    (
        "{get: {operationId: a, requestBody: {$ref: '#/components/requestBodies/gone'}}}",
        ["get.requestBody.$ref: leads nowhere; there is no such place in the document"],
    ),
    (
        "{get: {operationId: a, requestBody: {}}}",
        ["get.requestBody.content: is required: what the body may be, by media type"],
    ),
    (
        "{get: {operationId: a, requestBody: {content: {json: {}}}}}",
        ["get.requestBody.content.json: is no media type, such as application/json"],
    ),
    (
        "{get: {operationId: a, deprecated: 'yes'}}",
        ["get.deprecated: must be true or false"],
    ),
    (
        "{get: {operationId: a, deprecated: true, x-sunset: 30.6.2027}}",
        ["get.x-sunset: must be a date of RFC 3339, such as 2027-06-30 or 2027-06-30T12:00:00Z"],
    ),
    (
        "{get: {operationId: a, deprecated: true, x-sunset: '2027-02-30'}}",
        ["get.x-sunset: must be a date of RFC 3339, such as 2027-06-30 or 2027-06-30T12:00:00Z"],
    ),
    (
        "{get: {operationId: a, deprecated: true, x-sunset: '9999-12-31T23:59:59-14:00'}}",
        ["get.x-sunset: must be a date of RFC 3339, such as 2027-06-30 or 2027-06-30T12:00:00Z"],
    ),
    (
        "{get: {operationId: a, deprecated: true, x-deprecated-since: '0001-01-01T00:00:00+14:00'}}",
        ["get.x-deprecated-since: must be a date of RFC 3339, such as 2027-06-30 or 2027-06-30T12:00:00Z"],
    ),
    (
        f"{{get: {{operationId: a, requestBody: {{content: {{{', '.join(f'a/b{n}: {{}}' for n in range(101))}}}}}}}}}",
        ["get.requestBody.content: must have at most 100 media types; write image/* or */*"],
    ),
    (
        "{get: {operationId: a, x-sunset: '2027-06-30'}}",
        ["get.x-sunset: says when, but not that; write deprecated: true beside it"],
    ),
    (
        "{get: {operationId: a, deprecated: true, x-deprecated-since: '2027-06-30', x-sunset: '2026-06-30'}}",
        ["get.x-sunset: is before x-deprecated-since; an operation is deprecated, then it ends"],
    ),
    (
        "{get: {operationId: a, security: 5}}",
        ["get.security: must be a list of requirements, such as [{token: [read]}]"],
    ),
    (
        "{get: {operationId: a, security: [{}, {token: [a]}]}}",
        ["get.security[0]: would make the token optional, which no gateway can hold; remove {}, or write security: []"],
    ),
    (
        "{get: {operationId: a, security: [{token: [a], oauth: [b]}]}}",
        ["get.security[0]: asks for several schemes at once; name one, for a gateway checks one token"],
    ),
    (
        "{get: {operationId: a, security: [{tokens: [a]}]}}",
        [
            "get.security[0].tokens: there is no such scheme in components.securitySchemes; known there: "
            "token, oauth, idp, again, key, basic, mutual"
        ],
    ),
    (
        "{get: {operationId: a, security: [{token: a}]}}",
        ["get.security[0].token: must be a list of scopes, such as [read]; [] if any token will do"],
    ),
    (
        "{get: {operationId: a, security: [{token: ['read write']}]}}",
        ["get.security[0].token[0]: is no scope: one word of ASCII without quotes and blanks"],
    ),
]


@pytest.mark.parametrize(("item", "said"), BROKEN_OPERATIONS)
def test_what_cannot_be_served_as_it_says_is_refused(item: str, said: list[str]) -> None:
    """Each with its place, and once."""
    found = refused(f"{HEAD}security: []\npaths: {{/v1/places: {item}}}\n")

    assert [line.partition(": ")[2].removeprefix('paths["/v1/places"].') for line in found] == said


@pytest.mark.parametrize(
    ("scheme", "field"), [("key", "key.type"), ("basic", "basic.scheme"), ("mutual", "mutual.type")]
)
def test_a_way_to_sign_in_that_no_gateway_holds_is_refused(scheme: str, field: str) -> None:
    """Told at the scheme, once however many operations use it."""
    (said,) = refused(
        f"{HEAD}security: [{{{scheme}: []}}]\n{PATHS}    put: {{operationId: a, security: [{{{scheme}: []}}]}}\n"
    )

    assert said.endswith(
        f"securitySchemes.{field}: cannot be held; a gateway holds http with bearer, oauth2 and openIdConnect"
    )


def test_a_scheme_that_leads_nowhere_protects_nothing() -> None:
    """What is not there cannot be held."""
    lost = "    lost: {$ref: '#/components/securitySchemes/gone'}\n"

    assert refused(f"{HEAD}{lost}security: [{{lost: []}}]\n{PATHS}") == [
        "12:12: components.securitySchemes.lost.$ref: leads nowhere; there is no such place in the document"
    ]


def test_forgotten_security_is_no_permission() -> None:
    """Who wants an operation to be public says so."""

    assert refused(HEAD + PATHS) == [
        '14:5: paths["/v1/places"].get.security: is required, here or for all at the top: '
        "such as [{token: [read]}], or [] if anybody may call it"
    ]


def test_a_reference_in_a_circle_is_refused() -> None:
    """Where we would have to follow it."""
    text = """\
openapi: 3.1.0
security: []
paths:
  /a: {$ref: '#/components/pathItems/b'}
components:
  pathItems:
    b: {$ref: '#/components/pathItems/c'}
    c: {$ref: '#/components/pathItems/b'}
"""

    assert refused(text) == ["7:9: components.pathItems.b.$ref: leads back to itself; write out what is meant"]


MEMBERS = st.sampled_from(
    [
        *(
            "openapi",
            "paths",
            "/a",
            "/a/{b}",
            "get",
            "post",
            "$ref",
            "operationId",
            "security",
            "requestBody",
            "content",
        ),
        *(
            "responses",
            "200",
            "deprecated",
            "x-sunset",
            "components",
            "securitySchemes",
            "token",
            "type",
            "scheme",
            "x",
        ),
    ]
)
VALUES = st.sampled_from(["3.1.0", "a", "http", "bearer", "#/components/x", "#/", "", None, True, 1, 1.5, "2026-01-01"])
DOCUMENTS = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4), max_leaves=25
)


@given(st.dictionaries(MEMBERS, DOCUMENTS))
def test_any_document_is_read_or_refused(document: dict[str, Any]) -> None:
    """Whatever stands where, nothing but a refusal is raised."""
    with suppress(Refused):
        read_operations(json.dumps({"openapi": "3.1.0", **document}).encode(), "openapi.json")


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "src/outrider/products").glob("*/openapi.yaml")))
def test_what_ships_is_read(path: Path) -> None:
    """Three products, each with something public and something that needs a token."""
    read = read_operations(path.read_bytes(), str(path))

    assert {operation.public for operation in read} == {True, False}
