"""Faults name the place and what to write, and never the value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.common.json_path import dotted
from outrider.common.json_schema import FAULTS_LIMIT, Fault, Schema, SchemaError

SEAT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["level"],
    "properties": {
        "level": {"type": "integer", "minimum": 1, "maximum": 3, "x-unit": "steps"},
        "side": {"enum": ["left", "right"]},
        "name": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]*$"},
        "rows": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
    },
}


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({"level": 2, "side": "left"}, []),
        ({"level": 4}, [Fault(("level",), "must be at most 3 (steps)")]),
        ({"level": "2"}, [Fault(("level",), "must be a whole number (steps)")]),
        ({}, [Fault(("level",), "is required")]),
        ({"level": 1, "side": "up"}, [Fault(("side",), "must be one of left, right")]),
        ({"level": 1, "name": "secret"}, [Fault(("name",), "must have at most 5 characters")]),
        ({"level": 1, "rows": [1, "b"]}, [Fault(("rows", 1), "must be a whole number")]),
        ({"level": 1, "lvl": 1}, [Fault(("lvl",), "is not known; known here: level, side, name, rows")]),
        ([], [Fault((), "must be an object")]),
    ],
)
def test_faults_are_worded_for_the_one_who_wrote_the_value(value: Any, faults: list[Fault]) -> None:
    """A fault says where the value lies, what it must be, and the unit of a number."""
    assert Schema(SEAT).faults(value) == faults


def test_no_fault_repeats_the_value() -> None:
    """Not even for a rule without words of its own: values may be positions or names of people."""
    schema = Schema({"properties": {"name": {"not": {"const": "Ada Lovelace"}, "anyOf": [{"type": "number"}]}}})

    told = " ".join(fault.message for fault in schema.faults({"name": "Ada Lovelace"}))

    assert told
    assert "Lovelace" not in told.replace('{"const":"Ada Lovelace"}', "")  # the schema's own text may be told


def test_a_name_that_is_no_name_is_told_by_its_own_place() -> None:
    """A wrong key is found under itself, so that its line can be named."""
    schema = Schema({"propertyNames": {"pattern": "^[a-z]+$"}})

    assert schema.faults({"Level": 1}) == [Fault(("Level",), "the name must match ^[a-z]+$")]


def test_a_pattern_may_be_said_in_words() -> None:
    """Nobody should have to read a regular expression to know what to write."""
    schema = Schema(
        {
            "propertyNames": {"pattern": "^[a-z]+$", "x-words": "a word"},
            "additionalProperties": {"$ref": "#/$defs/v"},
            "$defs": {"v": {"pattern": "^v[0-9]$", "x-words": "a version such as v1"}},
        }
    )

    assert schema.faults({"one": "2"}) == [Fault(("one",), "must be a version such as v1")]
    assert schema.faults({"One": "v2"}) == [Fault(("One",), "the name must be a word")]


PLACES: dict[str, Any] = {
    "oneOf": [
        {"required": ["flap"], "properties": {"in": {"const": "path"}, "flap": {"type": "string"}}},
        {"properties": {"in": {"const": "query"}, "style": {"enum": ["form"]}}},
        {"properties": {"in": {"const": "header"}, "style": {"enum": ["simple"]}}},
    ]
}


@pytest.mark.parametrize(
    ("schema", "value", "fault"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, [], Fault((), "must be text or a whole number")),
        ({"oneOf": [{"type": "string"}, SEAT]}, {"level": 9}, Fault(("level",), "must be at most 3 (steps)")),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, Fault((), "must have a or b")),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"a": 1, "b": 1},
            Fault((), "must have only one of a, b"),
        ),
        (PLACES, {"in": "heder"}, Fault(("in",), "must be one of path, query, header")),
        (PLACES, {"in": "header", "style": "form"}, Fault(("style",), "must be one of simple")),
        (PLACES, {"in": "path", "flap": 1}, Fault(("flap",), "must be text")),
    ],
)
def test_of_several_schemas_the_one_that_was_meant_is_told(schema: dict[str, Any], value: Any, fault: Fault) -> None:
    """One fault and not one for each of them: a value is wrong in the way that its author would see."""
    assert Schema(schema).faults(value) == [fault]


STRICT: dict[str, Any] = {
    "properties": {"type": {"enum": ["http", "oauth"]}, "name": {"type": "string"}},
    "if": {"properties": {"type": {"const": "http"}}},
    "then": {"$ref": "#/$defs/http"},
    "unevaluatedProperties": False,
    "$defs": {"http": {"properties": {"scheme": {"type": "string"}}}},
}


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({"type": "http", "scheme": "bearer"}, []),
        ({"type": "http", "sheme": "x"}, [Fault(("sheme",), "is not known; known here: type, name, scheme")]),
        ({"type": "oauth", "scheme": "x"}, [Fault(("scheme",), "does not go with what stands beside it")]),
        ({"type": "htp", "scheme": "x"}, [Fault(("type",), "must be one of http, oauth")]),
    ],
)
def test_what_follows_from_another_fault_is_not_told_too(value: Any, faults: list[Fault]) -> None:
    """A known member beside a wrong one is not unknown."""
    assert Schema(STRICT).faults(value) == faults


PARTS: list[Any] = [
    *(
        {"type": "string"},
        {"type": "object"},
        {"required": ["a"]},
        {"required": ["b"]},
        {"enum": [1, "x"]},
        {"const": 1},
    ),
    *(
        True,
        False,
        {"properties": {"a": {"type": "string"}}, "additionalProperties": False},
        {"not": {"required": ["a"]}},
    ),
]
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(PARTS),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "oneOf": st.lists(inner, min_size=1, max_size=3),
            "anyOf": st.lists(inner, min_size=1, max_size=3),
            "properties": st.dictionaries(st.sampled_from("ab"), inner),
            "dependentSchemas": st.dictionaries(st.sampled_from("ab"), inner, max_size=1),
            "unevaluatedProperties": st.just(False),
            **dict.fromkeys(("items", "if", "then", "else", "propertyNames"), inner),
        },
    ),
    max_leaves=8,
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([1, "x", None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "07"]), inner),
    max_leaves=5,
)


@given(SCHEMAS, VALUES)
def test_what_does_not_fit_is_always_told(schema: Any, value: Any) -> None:
    """However faults are chosen and worded: none are told of a value that fits, and some of every other."""
    compiled = Schema({"allOf": [schema]})

    assert bool(compiled.faults(value)) != compiled.accepts(value)


def test_a_key_of_digits_is_a_key() -> None:
    """The path has it as it was written, so that it can be found."""
    assert Schema({"additionalProperties": {"additionalProperties": {"type": "string"}}}).faults(
        {"200": {"007": 1}}
    ) == [Fault(("200", "007"), "must be text")]


def test_a_hostile_value_is_refused_in_few_words() -> None:
    """Neither depth nor a thousand unknown members breaks the check or makes its answer long."""
    nest: list[Any] = []
    for _ in range(5000):
        nest = [nest]

    assert Schema(SEAT).faults({"level": nest}) == [Fault((), "is nested too deeply")]
    assert len(Schema(SEAT).faults({f"{number:0200}": 1 for number in range(5000)})) == FAULTS_LIMIT


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"properties": {"a": {"type": "integr"}}}, ("properties", "a", "type")),
        ({"pattern": "("}, ("pattern",)),
        ({"$ref": "http://127.0.0.1:9/schema.json"}, ()),
        ({"$ref": "#/$defs/none"}, ()),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(document: dict[str, Any], place: tuple[str, ...]) -> None:
    """A schema that is wrong, or that would have to be fetched, is refused when it is compiled."""
    with pytest.raises(SchemaError) as refused:
        Schema(document)

    assert refused.value.fault.path == place


def test_a_place_is_written_as_people_write_it() -> None:
    """Members by dots, items by numbers, and keys with dots of their own in brackets."""
    assert dotted(("services", 3)) == "services[3]"
    assert dotted(("effects", "Vehicle.Speed", "param")) == 'effects["Vehicle.Speed"].param'
    assert dotted(()) == ""
