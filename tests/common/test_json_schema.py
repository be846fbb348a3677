"""Faults name the place and what to write, and never the value."""

from typing import Any

import pytest

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
