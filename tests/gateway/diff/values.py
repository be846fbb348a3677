"""Values by chance that are likely to fit a schema."""

import re
from collections.abc import Iterator
from random import Random
from typing import Any

_TEXTS = ["", "a", "b", "ab", "aab", "ccc", "abcde", "abcdefg", "zz"]
_NUMBERS = [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 9, 12]


class Values:
    """Draws values of one document's schemas; most of them fit."""

    def __init__(self, chance: Random, document: dict[str, Any]) -> None:
        self._chance = chance
        self._definitions = document["components"]["schemas"]
        self._schema = document["schema"]

    def value(self) -> Any:
        """One value."""
        return self._of([self._schema], 5)

    def _of(self, schemas: list[Any], depth: int) -> Any:
        chance, flat = self._chance, list(self._flat(schemas))
        counted = [value for each in flat for value in each.get("enum", [each["const"]] if "const" in each else [])]
        if chance.random() < 0.04:
            return chance.choice([None, True, *_TEXTS, *_NUMBERS, 99])
        if counted and chance.random() < 0.95:
            return chance.choice(counted)
        kind = chance.choice(sorted(self._types(flat)) or ["null"])
        if kind in ("null", "boolean"):
            return None if kind == "null" else chance.random() < 0.5
        if kind in ("integer", "number"):
            return chance.choice([number for number in _NUMBERS if kind == "number" or isinstance(number, int)])
        if kind == "string":
            return chance.choice(_TEXTS)
        if depth == 0:
            return [] if kind == "array" else {}
        return self._list(flat, depth) if kind == "array" else self._object(flat, depth)

    def _flat(self, schemas: list[Any]) -> Iterator[dict[str, Any]]:
        """All that apply together, one member of each union."""
        left = list(schemas)
        for _ in range(60):  # what refers to itself has no end
            if not left:
                return
            schema = left.pop()
            if isinstance(schema, dict):
                yield schema
                left += [self._definitions[schema["$ref"][-1]]] if "$ref" in schema else []
                left += schema.get("allOf", [])
                left += [self._chance.choice(schema[union]) for union in ("anyOf", "oneOf") if schema.get(union)]

    def _types(self, flat: list[dict[str, Any]]) -> set[str]:
        types = {"string", "integer", "number", "boolean", "null", "object", "array"}
        hints = {"properties": "object", "required": "object", "items": "array", "prefixItems": "array"}
        if not any("type" in each for each in flat):
            return {kind for each in flat for word, kind in hints.items() if word in each} or types
        for each in flat:
            said = each.get("type", types)
            said = {said} if isinstance(said, str) else set(said)
            types &= said | ({"integer"} if "number" in said else set())
        return types

    def _list(self, flat: list[dict[str, Any]], depth: int) -> list[Any]:
        items: list[Any] = []
        for position in range(self._chance.choice([0, 1, 1, 2, 2, 3, 4])):
            inner = []
            for each in flat:
                prefix = each.get("prefixItems", [])
                inner.append(prefix[position] if position < len(prefix) else each.get("items", True))
                inner.append(each.get("contains", True) if self._chance.random() < 0.4 else True)
            if any(each is False for each in inner):
                break
            items.append(self._of(inner, depth - 1))
        return items

    def _object(self, flat: list[dict[str, Any]], depth: int) -> dict[str, Any]:
        required = {name for each in flat for name in each.get("required", [])}
        listed = [name for each in flat for name in each.get("properties", {})]
        more = ["zz", "xq", "nq"] if self._chance.random() < 0.3 else []
        members = {}
        for name in dict.fromkeys([*listed, *sorted(required), *more]):
            inner = [schema for each in flat for schema in _said_of(each, name)]
            wanted = name in required or self._chance.random() < 0.6
            if wanted and not any(schema is False for schema in inner):
                members[name] = self._of(inner, depth - 1)
        return members


def _said_of(schema: dict[str, Any], name: str) -> list[Any]:
    found = [schema["properties"][name]] if name in schema.get("properties", {}) else []
    found += [each for pattern, each in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
    return found or [schema.get("additionalProperties", True)]
