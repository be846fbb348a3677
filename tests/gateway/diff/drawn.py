"""Schemas by chance, and edits of them."""

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import jsonschema_rs

from outrider.common.yaml_positions import Document
from outrider.gateway.diff.placed import Placed
from outrider.gateway.diff.schemas import Side, schema_changes
from outrider.gateway.documents import Source
from outrider.gateway.findings import Change

_INNER = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas")


class Schemas:
    """Draws schemas. No member's name is drawn twice, so that what is added was never sent before."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self._named = 0

    def document(self) -> dict[str, Any]:
        """One schema, and two definitions that it may refer to."""
        definitions = {"A": self.schema(2), "B": self.schema(1)}
        schema = self.schema(self.chance.choice([1, 1, 2]))
        return {"openapi": "3.1.0", "schema": schema, "components": {"schemas": definitions}}

    def schema(self, depth: int) -> Any:
        """Any schema of at most this depth."""
        chance, pick = self.chance, self.chance.random()
        if depth <= 0 or pick < 0.45:
            schema: Any = self.plain()
        elif pick < 0.65:
            schema = self.an_object(depth)
        elif pick < 0.75:
            schema = self.a_list(depth)
        elif pick < 0.92:
            schema = {chance.choice(_LISTS[:3]): [self.schema(depth - 1) for _ in range(chance.randint(1, 3))]}
            schema |= self.plain() if chance.random() < 0.2 else {}
        elif pick < 0.97:
            schema = {"$ref": f"#/components/schemas/{chance.choice('AB')}"}
        else:
            return chance.choice([True, {}, False])
        if depth > 0 and chance.random() < 0.08:
            schema["not"] = self.plain()
        if depth > 0 and chance.random() < 0.08:
            schema |= {"if": self.plain(), chance.choice(["then", "else"]): self.plain()}
        return schema

    def plain(self) -> dict[str, Any]:
        """A schema of plain values."""
        chance = self.chance
        kind = chance.choice(["string", "string", "integer", "integer", "number", "boolean", "null", "enum", "types"])
        if kind == "enum":
            values = chance.sample(["a", "b", "ccc", 1, 2, 3.5, None, True], chance.randint(1, 4))
            return {"const": values[0]} if len(values) == 1 else {"enum": values}
        if kind == "types":
            types = ["string", "integer", "number", "boolean", "null", "object", "array"]
            return {"type": chance.sample(types, chance.randint(2, 4))}
        return ({"type": kind} if chance.random() < 0.9 else {}) | self._some(_LIMITS.get(kind, {}))

    def an_object(self, depth: int) -> dict[str, Any]:
        """A schema of objects."""
        chance, names = self.chance, [self.name() for _ in range(self.chance.randint(0, 3))]
        schema: dict[str, Any] = {"type": "object"} if chance.random() < 0.9 else {}
        schema["properties"] = {name: self.schema(depth - 1) for name in names}
        if names and chance.random() < 0.5:
            schema["required"] = chance.sample(names, chance.randint(1, len(names)))
        if len(names) > 1 and chance.random() < 0.2:
            schema |= {"dependentRequired": {names[0]: [names[1]]}}
        others = {
            "additionalProperties": [False, False, True, self.schema(depth - 1)],
            "unevaluatedProperties": [False, True, {"type": "string"}],
            "patternProperties": [{chance.choice(["^x", "^n", "z"]): self.schema(depth - 1)}],
            "propertyNames": [{"maxLength": 3}, {"pattern": "^n"}, {"minLength": 2}],
            "minProperties": [0, 1, 2],
            "maxProperties": [1, 2, 3],
        }
        return schema | self._some(others, 0.2)

    def a_list(self, depth: int) -> dict[str, Any]:
        """A schema of lists."""
        several = [self.schema(depth - 1) for _ in range(self.chance.randint(1, 2))]
        contains = {"contains": self.plain(), "minContains": self.chance.randint(0, 2)}
        schema = {"type": "array"} | (contains if self.chance.random() < 0.25 else {})
        schema |= {"items": self.schema(depth - 1)} if self.chance.random() < 0.7 else {}
        others = {"prefixItems": [several], "items": [False], "minItems": [0, 1, 2], "maxItems": [1, 2, 3]}
        return schema | self._some(others | {"uniqueItems": [True]}, 0.15)

    def name(self) -> str:
        """A name that no other member has."""
        self._named += 1
        return f"n{self._named}"

    def edit(self, document: dict[str, Any]) -> None:
        """Change something somewhere."""
        chance, places = self.chance, list(nodes(document, only="$ref" not in str(document["schema"])))
        schema, put = chance.choice(places)
        edits = [self._replace, self._combine] if not isinstance(schema, dict) else _EDITS
        chance.choice(edits)(self, schema, put) if edits is _EDITS else chance.choice(edits)(schema, put)

    def _replace(self, schema: Any, put: Callable[[Any], None]) -> None:
        put(self.schema(1))

    def _combine(self, schema: Any, put: Callable[[Any], None]) -> None:
        put({self.chance.choice(_LISTS[:3]): self.chance.sample([copy.deepcopy(schema), self.schema(1)], 2)})

    def _remove(self, schema: dict[str, Any], put: Callable[[Any], None]) -> None:
        if schema:
            schema.pop(self.chance.choice(list(schema)))

    def _member(self, schema: dict[str, Any], put: Callable[[Any], None]) -> None:
        members, required = schema.get("properties", {}), schema.get("required", [])
        if members and self.chance.random() < 0.3:
            members.pop(self.chance.choice(list(members)))
        elif required and self.chance.random() < 0.5:
            schema["required"] = required[:-1]
        elif "properties" in schema:
            members[name := self.name()] = self.schema(1)
            schema["required"] = [*required, name] if self.chance.random() < 0.2 else required

    def _value(self, schema: dict[str, Any], put: Callable[[Any], None]) -> None:
        if "enum" in schema and self.chance.random() < 0.5:
            schema["enum"] = schema["enum"][:-1] or ["zz"]
        elif "enum" in schema:
            schema["enum"] = [*schema["enum"], self.chance.choice(["zz", 99])]
        else:
            self._mix(schema, put)

    def _mix(self, schema: dict[str, Any], put: Callable[[Any], None]) -> None:
        alike = {"object": lambda: self.an_object(1), "array": lambda: self.a_list(1)}.get(str(schema.get("type")))
        other = alike() if alike else self.chance.choice([self.plain(), self.an_object(1), self.a_list(1)])
        schema |= {keyword: value for keyword, value in other.items() if self.chance.random() < 0.5}

    def _limit(self, schema: dict[str, Any], put: Callable[[Any], None]) -> None:
        limits = [key for key, value in schema.items() if type(value) in (int, float) and key != "const"]
        if limits:
            keyword = self.chance.choice(limits)
            value = schema[keyword] + self.chance.choice([-1, 1])
            schema[keyword] = schema[keyword] * 2 if keyword == "multipleOf" else value
            if keyword[3:] not in ("imum", "") and keyword.startswith(("min", "max")):
                schema[keyword] = max(0, value)
        elif isinstance(schema.get("type"), str):
            schema["type"] = {"integer": "number", "number": "integer"}.get(schema["type"], [schema["type"], "null"])

    def _union(self, schema: dict[str, Any], put: Callable[[Any], None]) -> None:
        keyword = next((each for each in ("anyOf", "oneOf") if each in schema), None)
        if keyword is None:
            self._limit(schema, put)
        elif self.chance.random() < 0.5 or len(schema[keyword]) == 1:
            schema[keyword] = [*schema[keyword], self.schema(1)]
        else:
            self.chance.shuffle(schema[keyword])
            schema[keyword] = schema[keyword][:-1] if self.chance.random() < 0.6 else schema[keyword]
            schema[self.chance.choice(["anyOf", "oneOf"])] = schema.pop(keyword)

    def _some(self, keywords: dict[str, list[Any]], share: float = 0.22) -> dict[str, Any]:
        chance = self.chance
        return {key: chance.choice(values) for key, values in keywords.items() if chance.random() < share}


_EDITS = [
    *(Schemas._replace, Schemas._combine, Schemas._remove, Schemas._member, Schemas._member, Schemas._value),
    *(Schemas._mix, Schemas._mix, Schemas._mix, Schemas._remove, Schemas._limit, Schemas._limit, Schemas._union),
]
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_NUMERIC = {keyword: [-1, 0, 1, 2, 3, 5, 0.5, 2.5] for keyword in _BOUNDS} | {"multipleOf": [1, 2, 3, 0.5, 4]}
_LIMITS: dict[str, dict[str, list[Any]]] = {
    "string": {
        "minLength": [0, 1, 2, 3],
        "maxLength": [1, 2, 3, 5],
        "pattern": ["^a", "b$", ".*"],
        "enum": [["a", "ab"], ["b", "ccc", "abcde"]],
    },
    "integer": _NUMERIC,
    "number": _NUMERIC,
}


def nodes(
    document: dict[str, Any], inner: tuple[str, ...] = _INNER, *, only: bool = False
) -> Iterator[tuple[Any, Callable[[Any], None]]]:
    """Every schema of a document, each with what puts another into its place. inner: keywords to look into, too.
    only: not into definitions.
    """
    yield from _nodes(document, "schema", inner)
    for name in document["components"]["schemas"] if not only else ():
        yield from _nodes(document["components"]["schemas"], name, inner)


def _nodes(holder: Any, key: str | int, inner: tuple[str, ...]) -> Iterator[tuple[Any, Callable[[Any], None]]]:
    schema = holder[key]
    yield schema, lambda other: holder.__setitem__(key, other)
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in inner:
            yield from _nodes(schema, keyword, inner)
        elif keyword in _LISTS or keyword in _MAPS:
            for each in range(len(value)) if keyword in _LISTS else value:
                yield from _nodes(value, each, inner)


def told(old: dict[str, Any], new: dict[str, Any], side: Side) -> list[Change]:
    """What is told of two documents' schemas."""
    placed = (Placed(each["schema"], ("schema",), _source(each)) for each in (old, new))
    return list(schema_changes(*placed, side))


def validator(document: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """What decides whether a value fits. Raises `ValueError`: the schema is none."""
    return jsonschema_rs.Draft202012Validator({"$ref": "#/schema", **document})


def _source(document: dict[str, Any]) -> Source:
    return Source(file="openapi.yaml", raw=b"", document=Document(document, {}))
