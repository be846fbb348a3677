"""Two documents as wholes: which are compared at all, what is told once, where things are."""

from typing import Any

import pytest

from outrider.gateway.diff import new_major_version
from outrider.gateway.documents import parse
from outrider.gateway.faults import Refused
from tests.gateway.diff.documents import OK, changes, document, rules
from tests.gateway.diff.written import around

LIMIT = {"in": "query", "name": "limit", "schema": {"type": "integer"}}


def test_what_many_operations_share_is_told_once() -> None:
    """With the first of them, the number of the others, and the place of the definition in both documents."""
    paths = {path: {"get": {**OK, "parameters": [{"$ref": "#/components/parameters/limit"}]}} for path in ("/a", "/b")}
    old = document("old.yaml", paths=paths, components={"parameters": {"limit": LIMIT}})
    required = {"parameters": {"limit": {**LIMIT, "required": True}}}
    new = document("new.yaml", paths=paths, tags=[], components=required)

    (change,) = changes(old, new)

    assert change.rule == "request-parameter-became-required"
    assert change.operation == "GET /a and 1 more"
    assert change.message == "the query parameter limit is required now"
    assert change.old is not None
    assert change.new is not None
    assert (change.old.file, change.new.file) == ("old.yaml", "new.yaml")
    assert change.old.pointer == change.new.pointer == "#/components/parameters/limit"
    assert change.old.position != change.new.position


def test_what_is_gone_has_a_place_in_the_old_document_only() -> None:
    """There is nowhere to point at in the new one."""
    (change,) = changes(document(paths={"/a": {"get": OK}}), document())

    assert change.new is None
    assert change.place.pointer == "#/paths/~1a/get"


def test_one_version_of_openapi_may_follow_another() -> None:
    """3.0 and 3.1 say the same of all that is not a schema."""
    paths = {"/a": {"get": {**OK, "parameters": [LIMIT]}}}

    assert rules(document(openapi="3.0.3", paths=paths), document(openapi="3.1.1", paths=paths)) == []


@pytest.mark.parametrize("version", ["3.2.0", "2.0", "3", 3.1, None])
@pytest.mark.parametrize("first", [True, False])
def test_a_version_that_is_not_known_is_refused(version: Any, first: bool) -> None:
    """On either side: nothing can be said of it."""
    pair = [document(), document(openapi=version)]

    with pytest.raises(Refused, match=r"openapi: this version is not known|openapi: is required"):
        changes(*(pair if first else pair[::-1]))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"$ref": "other.yaml#/a"}, "leads out of this document"),
        ({"$ref": "#/components/pathItems/a"}, "leads nowhere"),
        ({"$ref": "#/paths/~1a"}, "leads back to itself"),
        ({"$ref": "#/info", "get": {}}, "stands beside"),
        (["get"], "must be an object"),
        ({"get": "all"}, "must be an object"),
        ({"get": {"parameters": {"limit": LIMIT}}}, "must be a list"),
        ({"get": {"parameters": ["limit"]}}, "must be an object"),
        ({"get": {"parameters": [{**LIMIT, "required": "yes"}]}}, "must be true or false"),
        ({"get": {"deprecated": "true"}}, "must be true or false"),
        ({"get": {"requestBody": {"content": []}}}, "must be an object"),
        ({"get": {"requestBody": {"content": {"text/plain": None}}}}, "must be an object"),
        ({"get": {"responses": {"2xx": {}}}}, "is no status"),
        ({"get": {"responses": {"200": {"headers": {"ETag": 1}}}}}, "must be"),
        ({"get": {"security": {"token": []}}}, "must be a list"),
        ({"get": {"security": [{"token": "read"}]}}, "must be a list"),
        ({"get": {"servers": ["https://a"]}}, "must be an object"),
        ({"get": {"callbacks": [1]}}, "must be an object"),
    ],
)
def test_a_document_that_is_none_is_refused(item: Any, message: str) -> None:
    """With the place, rather than compared as if there were nothing."""
    with pytest.raises(Refused, match=f"openapi.yaml:.*{message}"):
        changes(document(paths={"/a": item}), document(paths={"/a": item}, tags=[]))


def test_two_paths_that_nobody_can_tell_apart_are_refused() -> None:
    """Which of them a call is for cannot be said."""
    with pytest.raises(Refused, match=r"is the same as /a/\{x\}"):
        changes(document(paths={"/a/{x}": {"get": OK}, "/a/{y}": {"put": OK}}), document())


def test_who_says_that_it_is_a_draft_promises_nothing() -> None:
    """What changes of it breaks nobody, until it has become more."""
    draft = {**OK, "x-stability-level": "draft"}
    old = document(paths={"/a": {"get": draft, "put": draft}, "/b": {"get": draft}})

    assert rules(old, document(paths={"/a": {"get": {"parameters": [{**LIMIT, "required": True}]}}})) == []


def test_a_path_without_a_known_method_does_not_go_unnoticed() -> None:
    """It may have others."""
    old = document(paths={"/a": {"query": OK}})

    assert rules(old, document()) == ["cannot-be-judged"]
    assert rules(old, document(paths={"/a": {"query": OK, "get": OK}})) == []


def test_a_document_with_fields_that_nobody_knows_equals_itself() -> None:
    """What did not change needs no judgement."""
    odd = {"paths": {"/a": {"query": {"x": [1, {"y": None}]}, "get": {**OK, "later": {"$ref": "#/paths"}}}}, "new": {}}

    assert rules(document(**odd), document(**odd, tags=[])) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.9.3", "2.0.0", True),
        ("1.9", "2", True),
        ("v1.0.0", "v2.0.0-rc.1+7", True),
        ("0.4.1", "0.5.0", True),
        ("0.4.1", "1.0.0", True),
        ("1.0.0", "1.99.0", False),
        ("2.0.0", "1.0.0", False),
        ("0.4.1", "0.4.2", False),
        ("1.5.0", "0.6.0", False),
        ("1.0.0", "1.0.0", False),
        ("1.0.0", "next", False),
        ("one", "2.0.0", False),
        ("1.0.0", "2.0.0.0", False),
        ("1.0.0", 2, True),
        ("1.0.0", None, False),
    ],
)
def test_a_new_major_version(old: Any, new: Any, expected: bool) -> None:
    """The first number is higher, or below 1 the second; what is no version is none."""
    versions = (document(info={"title": "t", "version": version}) for version in (old, new))

    assert new_major_version(*versions) is expected


def test_no_version_is_no_new_one() -> None:
    """Nor is what is no document."""
    assert not new_major_version(document(), document(info=[]))
    assert not new_major_version(parse(b"a", "a.yaml"), document())


SCOPED = {"token": {"type": "http", "scheme": "bearer"}}
MANY: list[tuple[Any, Any]] = [
    ({"security": [{"token": [f"s{n}"]} for n in range(200)]}, {"security": [{"token": ["s"]}] * 200}),
    (
        {"responses": {"200": {"content": {f"a/{n}": {} for n in range(200)}}}},
        {"responses": {"200": {"content": {f"b/{n}": {} for n in range(200)}}}},
    ),
    (
        {"requestBody": {"content": {f"a/{n}": {} for n in range(200)}}},
        {"requestBody": {"content": {f"b/{n}": {} for n in range(200)}}},
    ),
]


@pytest.mark.parametrize(("was", "now"), MANY)
def test_very_many_are_not_compared_with_each_other(was: Any, now: Any) -> None:
    """That something changed is told all the same; where nothing did, nothing is."""
    old, new = (
        {"paths": {"/a": {"post": {**OK, **each}}}, "components": {"securitySchemes": SCOPED}} for each in (was, now)
    )

    assert rules(document(**old), document(**new)) == ["cannot-be-judged"]
    assert rules(document(**old), document(**old, tags=[])) == []


def test_a_parameter_that_becomes_a_list_is_told() -> None:
    """In whatever style: one that is written as each item by itself looks as before only where there is one."""
    for style in ({}, {"style": "form", "explode": True}, {"style": "pipeDelimited"}):
        was, now = (
            {"in": "query", "name": "q", **style, "schema": schema}
            for schema in ({"type": "string"}, {"type": "array", "items": {"type": "string"}})
        )
        pair = (document(paths={"/a": {"get": {**OK, "parameters": [each]}}}) for each in (was, now))
        assert rules(*pair) == ["request-parameter-type-changed"]


def test_a_member_that_is_compared_with_very_many_patterns_cannot_be_judged() -> None:
    """Rather than that it takes minutes."""
    old, new = (
        {
            "type": "object",
            "properties": {f"p{n}": {} for n in range(200)},
            "patternProperties": {f"^q{n}{end}": {} for n in range(200)},
        }
        for end in ("", "$")
    )
    assert rules(around("request-body", old), around("request-body", new)) == ["cannot-be-judged"]
