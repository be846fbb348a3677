"""What is checked is what is served: the rules and the gateway read the same operations out of a document."""

from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from outrider.gateway.documents import Source, parse
from outrider.gateway.faults import Refused
from outrider.gateway.lint.resolved import resolve
from outrider.gateway.lint.structure import structure_findings
from outrider.gateway.openapi import operations_of, read_operations
from outrider.gateway.openapi_references import refers

ITEM_PLACES = ("#/components/pathItems/P", "#/components/pathItems/Q", "#/webhooks/a", "#/webhooks/a~1post")
PLACES = ("#/paths/~1v1~1a", "#/components/pathItems/P/put", "#/webhooks/a/put/responses/200", "#/webhooks", "#")
ENCODED = ("#/%70aths/~1v1~1b", "#/webhooks/a%2Fpost", "#/webhooks/a%7E1post", "#/webhooks/%61")


def references(*places: str) -> st.SearchStrategy[dict[str, str]]:
    return st.sampled_from(places).map(lambda place: {"$ref": place})


ITEM_REFERENCES = references(*ITEM_PLACES, *ITEM_PLACES, PLACES[0], *ENCODED)
STREAM = {"description": "", "content": {"text/event-stream": {}}}
OPERATIONS = st.fixed_dictionaries(
    {"responses": st.fixed_dictionaries({"200": references("#/components/responses/R") | st.just(STREAM)})},
    optional={
        "security": st.sampled_from([[], [{"token": ["read"]}], [{}, {"token": []}]]),
        "x-aside": references(*ITEM_PLACES, *PLACES),
        "callbacks": st.fixed_dictionaries({"done": st.fixed_dictionaries({"{$request.body#/url}": ITEM_REFERENCES})}),
        "deprecated": st.booleans(),
    },
)
ITEMS = st.fixed_dictionaries({"put": OPERATIONS}, optional={"post": OPERATIONS, "x-post": OPERATIONS})
SERVED = ITEMS | ITEM_REFERENCES
DOCUMENTS = st.fixed_dictionaries(
    {
        "openapi": st.just("3.1.0"),
        "info": st.just({"title": "Parking", "version": "1.0.0"}),
        "security": st.just([{"token": ["write"]}]),
        "paths": st.fixed_dictionaries({"/v1/a": SERVED}, optional={"/v1/b": SERVED, "x-c": ITEMS}),
        "webhooks": st.fixed_dictionaries({"a": ITEMS, "a/post": SERVED}),
        "components": st.fixed_dictionaries(
            {
                "pathItems": st.fixed_dictionaries({"P": ITEMS, "Q": SERVED}),
                "responses": st.fixed_dictionaries({"R": st.sampled_from([STREAM, {"description": ""}])}),
                "securitySchemes": st.just({"token": {"type": "http", "scheme": "bearer"}}),
            }
        ),
    }
)


def named(value: Any, names: Any) -> Any:
    """The same, and each operation has an id of its own."""
    if not isinstance(value, dict):
        return value
    name = {"operationId": f"o{next(names)}"} if "responses" in value and "200" in value["responses"] else {}
    return name | {key: named(member, names) for key, member in value.items()}


def seen(value: Any) -> Any:
    """What rules can see of a document whose references are written out: nothing behind those that stay."""
    if refers(value):
        return {}
    if isinstance(value, list):
        return [seen(each) for each in value]
    return {key: seen(member) for key, member in value.items()} if isinstance(value, dict) else value


def source(document: Any) -> Source:
    return parse(msgspec.json.encode(document), "openapi.json")


@given(DOCUMENTS)
@settings(max_examples=150)
def test_rules_see_the_operations_that_are_served(document: dict[str, Any]) -> None:
    """The same methods, paths, names, security, media types and dates; or the document is refused by either of them."""
    read = source(named(document, count()))
    try:
        served = operations_of(read)
        looked_at = resolve(read).data
    except Refused:
        return
    if not structure_findings(read):
        event("is served")
        assert read_operations(msgspec.json.encode(seen(looked_at)), "openapi.json") == served


OPERATION = """{operationId: a, responses: {200: {description: ''}}}"""
TWO_WAYS = {
    "a method in capitals": f"paths: {{/a: {{GET: {OPERATION}}}}}",
    "an operation that is a reference and more": f"""
paths: {{/a: {{get: {{$ref: '#/x-other/get', {OPERATION[1:]}}}}}
x-other: {{get: {OPERATION}}}""",
    "methods beside a reference": f"""
paths: {{/a: {{$ref: '#/x-other', get: {OPERATION}}}}}
x-other: {{get: {OPERATION}}}""",
    "paths elsewhere": f"paths: {{$ref: '#/x-other'}}\nx-other: {{/a: {{get: {OPERATION}}}}}",
    "responses elsewhere": """
paths: {/a: {get: {operationId: a, responses: {$ref: '#/x-other', 200: {description: ''}}}}}
x-other: {200: {description: ''}}""",
    "components elsewhere": f"""
paths: {{/a: {{get: {OPERATION}}}}}
components: {{$ref: '#/x-other'}}
x-other: {{securitySchemes: {{}}}}""",
    "ways to sign in elsewhere": f"""
security: [{{token: []}}]
paths: {{/a: {{get: {OPERATION}}}}}
components: {{securitySchemes: {{$ref: '#/x-other'}}}}
x-other: {{token: {{type: http, scheme: bearer}}}}""",
    "ways to sign in here and elsewhere": f"""
security: [{{token: []}}]
paths: {{/a: {{get: {OPERATION}}}}}
components: {{securitySchemes: {{$ref: '#/x-other', token: {{type: http, scheme: bearer}}}}}}
x-other: {{token: {{type: http, scheme: bearer}}}}""",
    "properties elsewhere": f"""
paths: {{/a: {{get: {OPERATION}}}}}
components: {{schemas: {{A: {{type: object, properties: {{$ref: '#/x-other', b: {{type: string}}}}}}}}}}
x-other: {{c: {{type: string}}}}""",
    "schemas elsewhere": f"""
paths: {{/a: {{get: {OPERATION}}}}}
components: {{schemas: {{$ref: '#/x-other', b: {{type: string}}}}}}
x-other: {{c: {{type: string}}}}""",
    "media types elsewhere": """
paths: {/a: {get: {operationId: a, responses: {200: {description: '', content: {$ref: '#/x-other', a/b: {}}}}}}}
x-other: {c/d: {}}""",
    "parameters elsewhere": f"""
paths: {{/a: {{parameters: {{$ref: '#/x-other'}}, get: {OPERATION}}}}}
x-other: []""",
    "security elsewhere": f"""
paths: {{/a: {{get: {{security: [{{$ref: '#/x-other'}}], {OPERATION[1:]}}}}}
x-other: {{token: []}}
components: {{securitySchemes: {{token: {{type: http, scheme: bearer}}}}}}""",
    "a status that is there as a number and as text": """
paths: {/a: {get: {operationId: a, responses: {200: {description: ''}, '200': {description: b}}}}}""",
    "a path that is there twice": f"paths: {{/a: {{get: {OPERATION}}}, '/a': {{put: {OPERATION}}}}}",
    "a path as an extension": f"paths: {{x-a: {{get: {OPERATION}}}}}",
    "a reference through another": f"""
paths: {{/a: {{$ref: '#/x-other/more'}}}}
x-other: {{$ref: '#/x-further', more: {{get: {OPERATION}}}}}
x-further: {{more: {{put: {OPERATION}}}}}""",
    "a reference that is no text": f"paths: {{/a: {{$ref: [], get: {OPERATION}}}}}",
}


@pytest.mark.parametrize("version", ["3.0.4", "3.1.1"])
@pytest.mark.parametrize("what", TWO_WAYS)
def test_what_could_be_read_in_two_ways_is_refused(what: str, version: str) -> None:
    """By the gateway, or as no sound document, which nobody can waive."""
    security = "" if "\nsecurity:" in TWO_WAYS[what] else "security: []\n"
    head = f"openapi: {version}\ninfo: {{title: Parking, version: 1.0.0}}\n{security}"
    try:
        read = parse(f"{head}{TWO_WAYS[what]}\n".encode(), "openapi.yaml")
        operations_of(read)
        resolve(read)
    except Refused:
        return
    assert structure_findings(read)


def test_what_is_written_in_one_way_is_served() -> None:
    """So that what is refused above is refused for its own sake."""
    head = "openapi: 3.0.4\ninfo: {title: Parking, version: 1.0.0}\nsecurity: []\n"
    read = parse(f"{head}paths: {{/a: {{get: {OPERATION}}}}}\n".encode(), "openapi.yaml")
    assert [one.id for one in operations_of(read)] == ["a"]
    assert structure_findings(read) == []
