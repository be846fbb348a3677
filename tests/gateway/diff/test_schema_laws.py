"""What holds of any two schemas, and above all: where nothing is told, nobody breaks."""

import copy
from contextlib import suppress
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.gateway.diff.schemas import Side
from outrider.gateway.diff.schemas_keywords import JUDGED
from outrider.gateway.diff.schemas_telling import breaks
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Change, Severity
from tests.gateway.diff.documents import changes
from tests.gateway.diff.drawn import Schemas, nodes, told, validator
from tests.gateway.diff.test_pairs import SCHEMAS, when
from tests.gateway.diff.values import Values
from tests.gateway.diff.written import REQUESTS, around

CHANCE = st.integers(0, 2**32 - 1).map(Random)
Drawn = dict[str, Any]


def breaking(changes: list[Change]) -> list[str]:
    messages = [f"{change.rule}: {change.message}" for change in changes if change.severity <= Severity.WARN]
    return [message for message in messages if "made of itself" not in message]  # such are no schemas


def drawn_pair(chance: Random) -> tuple[Drawn, Drawn]:
    """A document and what one to three edits made of it."""
    schemas = Schemas(chance)
    old = schemas.document()
    new = copy.deepcopy(old)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        schemas.edit(new)
    return old, new


def is_schema(*documents: Drawn) -> bool:
    try:
        return all(validator(each) for each in documents)
    except ValueError:  # a $ref alone in a circle
        return False


@settings(max_examples=800)
@given(CHANCE)
def test_requests_that_were_right_stay_right(chance: Random) -> None:
    """Where nothing is told of a request, every value that fitted the old schema fits the new one."""
    old, new = drawn_pair(chance)
    if is_schema(old, new) and not breaks(told(old, new, Side.REQUEST_BODY)):
        before, after, values = validator(old), validator(new), Values(chance, old)
        for value in (values.value() for _ in range(25)):
            assert after.is_valid(value) or not before.is_valid(value), (old, new, value)


@settings(max_examples=800)
@given(CHANCE)
def test_responses_are_what_callers_expect(chance: Random) -> None:
    """Where nothing is told of a response, every value that fits the new schema fits the old one.

    Callers bear it that an object has more members, and that a value fits more than one member of oneOf.
    """
    old, new = drawn_pair(chance)
    if is_schema(old, new) and not breaks(told(old, new, Side.RESPONSE)):
        before, after, values = validator(tolerant(old)), validator(new), Values(chance, new)
        for value in (values.value() for _ in range(25)):
            assert before.is_valid(value) or not after.is_valid(value), (old, new, value)


def tolerant(schema: Any) -> Any:
    """The same as callers read it, where it is not the contrary that counts."""
    if isinstance(schema, list):
        return [tolerant(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    read: Drawn = {}
    for key, value in schema.items():
        never = value is False or (isinstance(value, dict) and value.get("not") in ({}, True))
        if key in ("additionalProperties", "unevaluatedProperties") and never:
            read[key] = True
        elif key == "oneOf":
            read.setdefault("allOf", []).append({"anyOf": tolerant(value)})
        elif key == "allOf":
            read.setdefault("allOf", []).extend(tolerant(value))
        else:
            read[key] = value if key in ("not", "if", "enum", "const") else tolerant(value)
    return read


@settings(max_examples=250)
@given(CHANCE, st.sampled_from(Side))
def test_the_same_in_other_words_is_no_change(chance: Random, side: Side) -> None:
    """Members in another order, definitions written out or put elsewhere, allOf around a schema, const for an enum of
    one, a list of types for anyOf of them. What is excluded or a condition has to stay as it is, word for word.
    """
    old = Schemas(chance).document()
    new = copy.deepcopy(old)
    for _ in range(4):
        schema, put = chance.choice(list(nodes(new, ("items", "additionalProperties", "propertyNames"))))
        put(chance.choice([_reordered, _in_all_of, _types_apart, _by_name, _written_out])(schema, new))
    if is_schema(old, new) and "unevaluated" not in str(old):
        assert not breaking(told(old, new, side)), (old, new)


def _reordered(schema: Any, document: Drawn) -> Any:
    return dict(reversed(schema.items())) if isinstance(schema, dict) else schema


def _in_all_of(schema: Any, document: Drawn) -> Any:
    return {"allOf": [schema], "title": "the same", "x-since": 2}


def _types_apart(schema: Any, document: Drawn) -> Any:
    if isinstance(schema, dict) and isinstance(schema.get("type"), list) and len(schema) == 1:
        names = [name for name in schema["type"] if name != "integer" or "number" not in schema["type"]]
        return {"anyOf": [{"type": name} for name in names]}
    if isinstance(schema, dict) and "const" in schema and "enum" not in schema:
        return {key: value for key, value in schema.items() if key != "const"} | {"enum": [schema["const"]]}
    return schema


def _by_name(schema: Any, document: Drawn) -> Any:
    definitions = document["components"]["schemas"]
    name = f"C{len(definitions)}"
    definitions[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def _written_out(schema: Any, document: Drawn) -> Any:
    if not (isinstance(schema, dict) and "$ref" in schema):
        return schema
    there = copy.deepcopy(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return {"allOf": [there], **beside} if beside and "allOf" not in beside else schema if beside else there


@settings(max_examples=250)
@given(CHANCE)
def test_what_is_new_and_may_be_left_out_breaks_nobody(chance: Random) -> None:
    """A member of any object, in requests and in responses, unless something is said of members that are not listed."""
    old = Schemas(chance).document()
    new = copy.deepcopy(old)
    objects = [schema for schema, _ in nodes(new) if isinstance(schema, dict) and _may_grow(schema)]
    inside = ("not", "if", "then", "else", "contains", "oneOf", "unevaluated", "dependentSchemas")
    if objects and not any(f"'{word}" in str(old) for word in inside) and is_schema(old):
        chance.choice(objects)["properties"]["new"] = chance.choice([{"type": "string"}, {}, {"enum": [1]}])
        assert not breaking(told(old, new, Side.RESPONSE) + told(old, new, Side.REQUEST_BODY)), (old, new)


def _may_grow(schema: Drawn) -> bool:
    said = schema.get("additionalProperties", True)
    return "properties" in schema and isinstance(said, bool) and "patternProperties" not in schema


@settings(max_examples=200)
@given(CHANCE, st.sampled_from(range(len(SCHEMAS))))
def test_what_breaks_is_told_among_what_does_not(chance: Random, which: int) -> None:
    """A change is told as well where the document was written in another way at the same time."""
    rule, subject, case = SCHEMAS[which]
    version, definitions = case.get("openapi", "3.1.0"), case.get("components", {})
    new: Drawn = {"schema": copy.deepcopy(case["breaks"]), "components": {"schemas": copy.deepcopy(definitions)}}
    for _ in range(2):
        schema, put = chance.choice([node for node in nodes(new) if isinstance(node[0], dict)])
        put(chance.choice([_reordered, _in_all_of, _by_name])(schema, new))
    if any(word in str(case) for word in ("$id", "readOnly", "writeOnly", "unevaluated")):
        return
    was = around(subject, case["was"], definitions, version)
    now = around(subject, new["schema"], new["components"]["schemas"], version)
    rules = {change.rule for change in changes(was, now, **when(case))}
    assert rule in rules or "cannot-be-judged" in rules, (case, new, rules)


ONE_SIDED = (
    *("default-value", "discriminator", "x-extensible", "became-enum", "stability", "one-of-overlaps", "items-closed"),
    *("additional-properties-closed", "unevaluated-properties", "read-only", "write-only", "forbidden", "content-"),
    *("removed", "sunset"),
)
"""Rules of one side alone: it is otherwise read by servers than by callers."""


def test_what_is_narrower_breaks_requests_and_what_is_wider_responses() -> None:
    """A schema that became narrower and back again: each way one side breaks, unless it is another altogether."""
    for rule, subject, case in SCHEMAS:
        if subject not in REQUESTS[:2] or any(word in rule for word in ONE_SIDED) or rule == "cannot-be-judged":
            continue
        version, definitions = case.get("openapi", "3.1.0"), case.get("components", {})
        old, new = (
            {"openapi": version, "schema": case[which], "components": {"schemas": definitions}}
            for which in ("was", "breaks")
        )
        assert told(old, new, Side.REQUEST_BODY), case
        assert told(new, old, Side.RESPONSE), case


@settings(max_examples=200)
@given(CHANCE, st.sampled_from(Side))
def test_whatever_stands_in_a_schema_is_compared_or_refused(chance: Random, side: Side) -> None:
    """Values that no keyword may have are told as what cannot be judged, and never end in an error of Python's."""
    old, new = drawn_pair(chance)
    holder = new["schema"] if isinstance(new["schema"], dict) else {}
    for keyword in chance.sample(sorted(JUDGED), 3):
        holder[keyword] = chance.choice(
            [None, True, 0, -1, 1.5, "(", [], {}, [1], {"a": 1}, [None], {"$ref": 3}, 10**400]
        )
    with suppress(Refused):
        told(old, new, side)
        told(new, old, side)
