"""OpenAPI 3.0 writes schemas in another way than 3.1: what is the same in both is no change."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.gateway.diff.schemas import Side
from tests.gateway.diff.documents import changes
from tests.gateway.diff.drawn import told
from tests.gateway.diff.written import REQUESTS, RESPONSES, around

Drawn = dict[str, Any]


def in_3_0(chance: Random, depth: int) -> Drawn:
    """A schema as OpenAPI 3.0 has them."""
    kind = chance.choice(["string", "integer", "number", "boolean", "object", "array", "ref", "union"])
    schema: Drawn = {"type": kind}
    if kind == "object":
        names = chance.sample(["a", "b", "c"], chance.randint(0, 3)) if depth else []
        schema |= {"properties": {name: in_3_0(chance, depth - 1) for name in names}, "required": names[:1]}
    elif kind == "array":
        schema["items"] = in_3_0(chance, depth - 1) if depth else {}
    elif kind == "ref":
        schema = {"allOf": [{"$ref": "#/components/schemas/A"}]}
    elif kind == "union":
        schema = {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 3}]}
    elif kind in ("integer", "number"):
        schema |= {"minimum": chance.randint(0, 9), "exclusiveMinimum": chance.random() < 0.5}
    elif kind == "string":
        schema |= chance.choice([{"format": "byte"}, {"format": "binary"}, {"enum": ["a"]}, {"enum": ["a", "b"]}, {}])
    if chance.random() < 0.4:
        schema["nullable"] = True
        schema |= {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema


def in_3_1(chance: Random, schema: Drawn) -> Drawn:
    """The same as OpenAPI 3.1 writes it, in one way or another."""
    new = {key: value for key, value in schema.items() if key not in ("nullable", "exclusiveMinimum", "format")}
    if schema.get("exclusiveMinimum"):
        new["exclusiveMinimum"] = new.pop("minimum")
    new |= {"byte": {"contentEncoding": "base64"}, "binary": {"contentMediaType": "application/octet-stream"}}.get(
        schema.get("format", ""), {}
    )
    if "properties" in schema:
        new["properties"] = {name: in_3_1(chance, each) for name, each in schema["properties"].items()}
    if "items" in schema:
        new["items"] = in_3_1(chance, schema["items"])
    if len(schema.get("enum", ())) == 1:
        new["const"] = new.pop("enum")[0]
    if not schema.get("nullable"):
        return new
    if "type" in schema and chance.random() < 0.5:
        return new | {"type": [schema["type"], "null"]}
    enum = {"enum": [value for value in schema["enum"] if value is not None]} if "enum" in schema else {}
    null = chance.choice([{"type": "null"}, {"const": None}, {"enum": [None]}])
    return {chance.choice(["anyOf", "oneOf"]): chance.sample([new | enum, null], 2)}


@settings(max_examples=300)
@given(st.integers(0, 2**32 - 1).map(Random), st.sampled_from(Side))
def test_a_schema_in_3_1_is_the_same(chance: Random, side: Side) -> None:
    """Whatever way is chosen to say that a value may be null, that a limit is left out, that a text is encoded."""
    definition = {"type": "object", "properties": {"a": in_3_0(chance, 1)}}
    schema = in_3_0(chance, 2)
    old = {"openapi": "3.0.3", "schema": schema, "components": {"schemas": {"A": definition}}}
    new = {
        "openapi": "3.1.0",
        "schema": in_3_1(chance, schema),
        "components": {"schemas": {"A": in_3_1(chance, definition)}},
    }
    assert [change.message for change in told(old, new, side) + told(new, old, side)] == [], (old, new)


@pytest.mark.parametrize("subject", [*REQUESTS, *RESPONSES])
def test_beside_a_reference_nothing_counts_in_3_0(subject: str) -> None:
    """In 3.1 it does."""
    short = {"$ref": "#/components/schemas/A", "enum": ["a"], "nullable": True}
    definitions = {"A": {"type": "string"}}
    for version, is_other in (("3.0.3", False), ("3.1.0", True)):
        was = around(subject, {"type": "string"}, definitions, version)
        now = around(subject, short, definitions, version)
        assert bool(changes(was, now) + changes(now, was)) is is_other


def test_members_of_one_of_that_both_may_be_null_let_none_be_null() -> None:
    """Null would fit two of them; anyOf would not mind."""
    both = [{"type": "string", "nullable": True}, {"type": "object", "nullable": True}]
    was = around("request-body", {"anyOf": both}, openapi="3.0.3")
    now = around("request-body", {"oneOf": both}, openapi="3.0.3")
    assert [change.rule for change in changes(was, now)] == ["request-body-one-of-overlaps"]
