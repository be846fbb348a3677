"""The function `schema`: what Spectral 6.16 (AJV 8.20) found for these is the expectation, its words included."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.gateway.lint.functions import FUNCTIONS, Target
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.not_understood import Failed, NotUnderstood

PRINTED = '#{{print("property")}}'
NONE_MATCHED = "None of the schemas matched, see the other errors reported for this value"


def _found(options: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    """What is wrong: where, from the root, and the message. The value lies at `p`."""
    results = FUNCTIONS["schema"](options)(value, Target(path=("p",), document=None))
    return [(" ".join(map(str, result.path or ("p",))), result.message) for result in results]


@pytest.mark.parametrize(
    ("options", "value", "found"),
    [
        ({}, UNDEFINED, [("p", f"{PRINTED}must exist")]),
        ({"type": "string"}, 1, [("p", '"p" property type must be string')]),
        ({"type": ["string", "null"]}, 1.5, [("p", '"p" property type must be string,null')]),
        ({"type": "integer"}, 1.0, []),
        ({"type": "string", "nullable": True}, None, []),
        ({"required": ["a", "b"]}, {}, [("p", '"p" property must have required property "a"')]),
        (
            {"required": ["a"], "properties": {"b": {"type": "string"}}},
            {"b": 1},
            [("p", '"p" property must have required property "a"')],
        ),
        (
            {"properties": {"b": {"type": "string"}, "a": False}},
            {"a": 1, "b": 1},
            [("p b", '"b" property type must be string')],
        ),
        (
            {"additionalProperties": False, "properties": {"a": {}}},
            {"a": 1, "x": 1, "y": 2},
            [("p", 'Property "x" is not expected to be here')],
        ),
        ({"items": {"type": "string"}}, ["a", 1, 2], [("p 1", "Item at index 1 must be string")]),
        (
            {"items": {"properties": {"a": {"maxLength": 1}}}},
            [{"a": "\U0001f600"}, {"a": "xx"}],
            [("p 1 a", '"a" property must not have more than 1 characters')],
        ),
        (
            {"enum": ["query", "path"]},
            "pathh",
            [("p", '"p" property must be equal to one of the allowed values: "query", "path". Did you mean "path"?')],
        ),
        ({"enum": [1, True]}, 1.0, []),
        ({"const": {"a": [1]}}, {"a": [1.0]}, []),
        ({"const": 1}, True, [("p", '"p" property must be equal to constant')]),
        ({"multipleOf": 0.1}, 0.3, [("p", '"p" property must be multiple of 0.1')]),
        ({"pattern": "^.$"}, "\U0001f600", [("p", '"p" property must match pattern "^.$"')]),
        ({"format": "date"}, "2021-02-29", [("p", '"p" property must match format "date"')]),
        ({"format": "uri"}, "https://a.b/{c}", [("p", '"p" property must match format "uri"')]),
        ({"format": "int32"}, 2**31, [("p", '"p" property must match format "int32"')]),
        (
            {"uniqueItems": True},
            [1, "1", True, {"a": 1}, {"a": 1.0}],
            [("p", '"p" property must not have duplicate items (items ## 3 and 4 are identical)')],
        ),
        ({"not": {"required": ["a"]}}, {"a": 1}, [("p", '"p" property must not be valid')]),
        (
            {"propertyNames": {"pattern": "^a"}},
            {"b": 1},
            [("p", '"p" property must match pattern "^a"'), ("p", '"p" property property name must be valid')],
        ),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
            {"a": 1},
            [("p", '"p" property must have required property "b"')],
        ),
        (
            {"dependencies": {"a": ["b", "c"]}},
            {"a": 1, "b": 1},
            [("p", '"p" property must have properties b, c when property a is present')],
        ),
        (
            {"$ref": "#/definitions/a", "minLength": 2, "definitions": {"a": {"type": "string"}}},
            "a",
            [("p", '"p" property must not have fewer than 2 characters')],
        ),
        ({"contains": {"type": "string"}}, [1], [("p", '"p" property must contain at least 1 valid item(s)')]),
    ],
)
def test_what_a_schema_finds(options: dict[str, Any], value: Any, found: list[tuple[str, str]]) -> None:
    """The first error alone, in AJV's order; `$ref` has siblings, `nullable` counts, and numbers are doubles."""
    assert _found({"schema": options}, value) == found


def test_of_alternatives_what_is_further_inside_counts() -> None:
    """Where an anyOf fails, errors of members say more; of the value itself, and where none is inside, each is told."""
    either = {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"required": ["b"]}]}
    assert [place for place, _ in _found({"schema": either}, {"a": 1})] == ["p a", "p", "p"]
    nested = _found({"schema": {"properties": {"x": either}}}, {"x": {"a": 1}})
    assert [place for place, _ in nested] == ["p x a"]
    flat = {"oneOf": [{"type": "string"}, {"type": "number"}]}
    assert _found({"schema": flat}, None) == [
        ("p", '"p" property type must be string'),
        ("p", '"p" property type must be number'),
        ("p", f'"p" property must match exactly one schema in oneOf. {NONE_MATCHED}'),
    ]


def test_a_schema_can_tell_all_errors() -> None:
    """With `allErrors`, also below names that Spectral itself loses."""
    schema = {"additionalProperties": {"required": ["a", "b"]}}
    found = _found({"schema": schema, "allErrors": True}, {"/v1/x": {}, "y": {"a": 1}})
    assert [place for place, _ in found] == ["p /v1/x", "p /v1/x", "p y"]


@pytest.mark.parametrize(
    ("dialect", "schema", "value", "is_right"),
    [
        ("draft4", {"minimum": 1, "exclusiveMinimum": True}, 1, False),
        ("draft6", {"exclusiveMinimum": 1}, 1, False),
        ("draft7", {"items": [{"type": "string"}], "additionalItems": False}, ["a", 1], False),
        ("draft2019-09", {"dependentRequired": {"a": ["b"]}}, {"a": 1}, False),
        ("draft2020-12", {"prefixItems": [{"type": "string"}], "items": {"type": "number"}}, ["a", 1], True),
        ("draft2020-12", {"contains": {"type": "string"}, "maxContains": 1}, ["a", "b"], False),
        (
            "auto",
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{"type": "string"}]},
            [1],
            False,
        ),
    ],
)
def test_dialects(dialect: str, schema: dict[str, Any], value: Any, is_right: bool) -> None:
    """Each draft's own keywords count."""
    assert (not _found({"dialect": dialect, "schema": schema}, value)) is is_right


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({}, ""),
        ({"schema": []}, "schema"),
        ({"schema": {}, "dialect": "draft3"}, "dialect"),
        ({"schema": {}, "allErrors": 1}, "allErrors"),
        ({"schema": {"type": "text"}}, "schema type"),
        ({"schema": {"properties": {"a": {"minimum": "1"}}}}, "schema properties a minimum"),
        ({"schema": {"requires": ["a"]}}, "schema requires"),
        ({"schema": {"items": {"prefixItems": [{}]}}}, "schema items prefixItems"),
        ({"schema": {"additionalItems": {}}, "dialect": "draft2020-12"}, "schema additionalItems"),
        ({"schema": {"unevaluatedProperties": False}, "dialect": "draft2020-12"}, "schema unevaluatedProperties"),
        ({"schema": {"patternProperties": {}}, "dialect": "draft2020-12"}, "schema patternProperties"),
        ({"schema": {"properties": {"a": {"format": "ipv6"}}}}, "schema properties a format"),
        ({"schema": {"pattern": "\\p{L}"}}, "schema pattern"),
        ({"schema": {"$ref": "#/definitions/none"}}, "schema $ref"),
        ({"schema": {"$ref": 1}, "dialect": "draft4"}, "schema $ref"),
        ({"schema": {"$ref": "https://example.com/schema"}}, "schema $ref"),
        ({"schema": {"items": {"$id": "a"}}}, "schema items $id"),
        ({"schema": {"nullable": True}}, "schema nullable"),
        ({"schema": {"$schema": "https://example.com/schema"}}, "schema $schema"),
        ({"schema": {"$schema": "http://json-schema.org/draft-04/schema"}, "dialect": "draft7"}, "dialect"),
        ({"schema": {"minContains": 2, "contains": {}}}, "schema minContains"),
        ({"schema": {"contains": {}, "items": [{}]}}, "schema contains"),
    ],
)
def test_schemas_that_would_be_passed_over_are_refused(options: Any, path: str) -> None:
    """A keyword or format that AJV does not know, a reference that leads nowhere; and it is told where."""
    with pytest.raises(NotUnderstood) as refused:
        FUNCTIONS["schema"](options)
    assert " ".join(map(str, refused.value.path)) == path


def test_a_schema_that_is_nothing_but_itself_fails() -> None:
    """It would be asked for ever."""
    with pytest.raises(Failed, match="refers to itself"):
        _found({"schema": {"$ref": "#"}}, 1)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=6,
)


@given(VALUES)
def test_a_value_fits_the_schema_that_says_it(value: Any) -> None:
    """As a constant, as one of an enum, by all of it and by any of it; and never its contrary."""
    for schema in ({"const": value}, {"enum": [value]}, {"allOf": [{}, {"const": value}]}, {"anyOf": [False, True]}):
        assert _found({"schema": schema}, value) == []
        assert _found({"schema": {"not": schema}}, value)
