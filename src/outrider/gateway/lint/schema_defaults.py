"""Whether the defaults in a document fit their own schemas.

All are tried at once, by one compiled schema. What that costs is reckoned first: schemas that refer to each other can
stand for billions of steps, and a default that cannot be tried within reason is told as such.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs

from outrider.common.json_schema import Fault
from outrider.gateway.documents import Source
from outrider.gateway.lint.objects import SCHEMA, Thing
from outrider.gateway.openapi_references import References

STEPS_LIMIT = 1_000_000
"""So many steps may all defaults of a document cost together; a simple one takes about 0.3 microseconds."""

_DEPTH_LIMIT = 150
"""So deep may schemas stand within each other once references are followed."""
_STEPS_OF_A_PATTERN = 500
_IN_PLACE = frozenset(("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"))
"""Below these stand schemas for the same value, below all others schemas for parts of it."""
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=10_000)

_MISFIT = "does not fit its own schema; change the one or the other"
_TOO_DEAR = "cannot be tried, for its schema leads to itself or to too many others; remove it, or say it more simply"


def default_faults(source: Source, schemas: Sequence[Thing], *, is_3_0: bool) -> Iterator[Fault]:
    """Those that do not fit or cannot be tried. References and keywords of the schemas are right."""
    having = [each for each in schemas if isinstance(each.value, dict) and "default" in each.value]
    definitions = _Definitions(source, [each.value for each in having], is_3_0=is_3_0).schemas
    steps = _Steps(definitions)
    tried: dict[str, Any] = {}
    left = STEPS_LIMIT
    for number, each in enumerate(having):
        value = each.value["default"]
        needed = steps.of({"$ref": f"#/$defs/{number}"}, value)
        if needed > left:
            yield Fault((*each.path, "default"), _TOO_DEAR)
        else:
            tried[str(number)] = value
            left -= needed
    for number in _misfits(definitions, tried):
        yield Fault((*having[number].path, "default"), _MISFIT)


def _misfits(definitions: Mapping[str, Any], values: Mapping[str, Any]) -> list[int]:
    """The numbers of the values that do not fit the definition of that number."""
    parts = {f"d{number}": {"$ref": f"#/$defs/{number}"} for number in values}
    schema = {"properties": parts, "$defs": definitions}
    compiled = jsonschema_rs.Draft202012Validator(schema, offline=True, pattern_options=_PATTERNS)
    errors = compiled.iter_errors({f"d{number}": value for number, value in values.items()})
    return sorted({int(str(error.instance_path[0])[1:]) for error in errors})


class _Definitions:
    """`schemas`: those asked for by their numbers, and all that they refer to by further ones. JSON Schema 2020-12."""

    def __init__(self, source: Source, schemas: Sequence[Any], *, is_3_0: bool) -> None:
        self._is_3_0 = is_3_0
        self._numbers: dict[str, int] = {}
        self._first = len(schemas)
        self._open: list[str] = []
        self.schemas = {str(number): self._copied(schema) for number, schema in enumerate(schemas)}
        references = References(source)
        while self._open:
            ref = self._open.pop()
            there = references.place(ref)
            self.schemas[str(self._numbers[ref])] = self._copied(there[1] if there else True)

    def _copied(self, schema: Any) -> Any:
        if not isinstance(schema, dict):
            return schema
        ref = schema.get("$ref")
        copy = {} if self._is_3_0 and isinstance(ref, str) else dict(schema)  # in 3.0, nothing counts beside $ref
        if isinstance(ref, str):
            copy["$ref"] = f"#/$defs/{self._number(ref)}"
        for field in SCHEMA.keys() & copy.keys():
            copy[field] = _each(field, copy[field], self._copied)
        return _from_3_0(copy) if self._is_3_0 else copy

    def _number(self, ref: str) -> int:
        if ref not in self._numbers:
            self._numbers[ref] = self._first + len(self._numbers)
            self._open.append(ref)
        return self._numbers[ref]


class _Steps:
    """How many schemas a value and its parts are held against.

    At most one more than `STEPS_LIMIT`, which stands for all that is more, and for what has no end.
    """

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._known: dict[tuple[str, int], int] = {}
        self._reckoned = 0

    def of(self, schema: Any, value: Any, depth: int = 0) -> int:
        self._reckoned += 1
        if depth > _DEPTH_LIMIT or self._reckoned > STEPS_LIMIT // 10:
            return STEPS_LIMIT + 1
        if not isinstance(schema, dict):
            return 1
        steps = 1 + _STEPS_OF_A_PATTERN * ("pattern" in schema or "patternProperties" in schema)
        if "$ref" in schema:
            steps += self._of_definition(schema["$ref"].removeprefix("#/$defs/"), value, depth)
        for field in SCHEMA.keys() & schema.keys():
            for part, held in _pairs(field, schema[field], value):
                steps += self.of(part, held, depth + 1)
        return min(steps, STEPS_LIMIT + 1)

    def _of_definition(self, name: str, value: Any, depth: int) -> int:
        key = (name, id(value))
        if key not in self._known:
            self._known[key] = STEPS_LIMIT + 1  # should it lead to itself
            self._known[key] = self.of(self._definitions[name], value, depth + 1)
        return self._known[key]


def _pairs(field: str, schemas: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    """Each schema of the field with what it is held against: the value itself, or a part of it."""
    if field == "properties":
        yield from ((part, value[name]) for name, part in schemas.items() if isinstance(value, dict) and name in value)
        return
    parts: list[Any] = []
    _each(field, schemas, parts.append)
    held = [value] if field in _IN_PLACE else _parts(value)
    yield from ((part, each) for part in parts for each in held)


def _each(field: str, value: Any, do: Callable[[Any], Any]) -> Any:
    """The field's value with each schema in it replaced by what `do` makes of it."""
    if isinstance(value, dict) and SCHEMA[field].endswith("{}"):
        return {name: do(part) for name, part in value.items()}
    return [do(part) for part in value] if isinstance(value, list) else do(value)


def _parts(value: Any) -> Collection[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _from_3_0(schema: dict[str, Any]) -> dict[str, Any]:
    """`nullable` and limits that exclude themselves are written otherwise since OpenAPI 3.1."""
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if schema.pop(exclusive, False) is True and limit in schema:
            schema[exclusive] = schema.pop(limit)
    return {"anyOf": [{"type": "null"}, schema]} if schema.pop("nullable", False) is True else schema
