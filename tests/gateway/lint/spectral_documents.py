"""Documents and rulesets that nobody would write: random ones, for the comparison with Spectral. The same each time,
unless Hypothesis is told to explore.
"""

from collections.abc import Callable, Iterator
from itertools import cycle, product
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

COUNT = 200
"""How many documents, at least."""

_NAMES = ("a", "b", "name", "items", "Ab", "a-b", "x_y", "0", "type", "in")
_SCALARS = (None, True, False, 0, 1, -1, 0.5, "", "a", "Ab", "a-b", "a_b", "query", "0")
_VALUES = ([], {}, [1], ["b", "a"], ["a", {"name": 0}], {"type": "a"}, {"b": 1, "a": [2]}, {"name": ""}, {"0": None})
_SECURITY = ([], [{}], [{"token": []}], None)


class _Chance:
    """What documents are made of, by one source of chance."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def document(self) -> dict[str, Any]:
        return {
            "openapi": self._of(("3.0.3", "3.1.0")),
            "info": self._some(title=self.scalar, description=self.scalar, contact=self.value),
            "paths": self._by(("/a", "/a/b", "/a/{id}", "/B_c"), self.item),
            **self._some(security=self.value, **{"x-value": self.value}),
            "components": {
                # Only E stands for another: Spectral never ends where two mean nothing but each other.
                "schemas": {**{name: self.object() for name in "ABCD"}, "E": self.reference("ABCD")},
                "parameters": {"P": self.parameter(), "Q": self._some(name=self.scalar)},
            },
        }

    def item(self) -> Any:
        return self._some(get=self.operation, put=self.operation, parameters=self.parameters, summary=self.scalar)

    def operation(self) -> Any:
        return self._some(
            operationId=self.scalar,
            tags=self.value,
            security=lambda: self._of(_SECURITY),
            parameters=self.parameters,
            deprecated=self.scalar,
            responses=lambda: self._by(("200", "400", "default"), self.response),
        )

    def response(self) -> Any:
        return self._some(
            description=self.scalar,
            content=lambda: self._by(
                ("application/json", "text/plain"), lambda: self._some(schema=self.schema, example=self.value)
            ),
        )

    def parameters(self) -> Any:
        known = ({"$ref": "#/components/parameters/P"}, {"$ref": "#/components/parameters/Q"})
        return [self._of((*known, self.parameter())) for _ in range(self._random.randrange(3))]

    def parameter(self) -> Any:
        return self._some(
            name=lambda: self._of(_NAMES), schema=self.schema, **{"in": lambda: self._of(("query", "path"))}
        )

    def schema(self) -> Any:
        small = self._some(type=lambda: self._of(("string", "object", "")), maxLength=self.scalar, enum=self.value)
        return self._of((self.reference("ABCDE"), self.reference("ABCDE"), small, self.object()))

    def object(self) -> Any:
        deeper = self.schema if self._random.random() < 0.6 else self.value
        return self._some(
            type=lambda: "object", properties=lambda: self._by(_NAMES, deeper), required=self.value, items=deeper
        )

    def reference(self, names: str) -> Any:
        return {"$ref": f"#/components/schemas/{self._of(names)}"}

    def scalar(self) -> Any:
        return self._of(_SCALARS)

    def value(self) -> Any:
        return self._of((*_VALUES, *_SCALARS))

    def _of(self, choices: Any) -> Any:
        return self._random.choice(choices)

    def _some(self, **members: Callable[[], Any]) -> dict[str, Any]:
        """An object with some of these members."""
        return {name: member() for name, member in members.items() if self._random.random() < 0.6}

    def _by(self, names: tuple[str, ...], member: Callable[[], Any]) -> dict[str, Any]:
        return {name: member() for name in self._random.sample(names, self._random.randrange(min(len(names), 3) + 1))}


def documents() -> list[dict[str, Any]]:
    """At least `COUNT` of them."""
    found: list[dict[str, Any]] = []

    @settings(max_examples=max(COUNT, settings().max_examples), database=None)
    @given(st.integers(0, 2**64))
    def take(seed: int) -> None:
        found.append(_Chance(seed).document())

    take()
    return found


_GIVEN = (
    "$.paths[*][get,put]",
    "$.paths[*]",
    "$.paths[*][*].responses[*]",
    "$..parameters[*]",
    "$.paths..schema",
    "$..properties[*]",
    "$.components.schemas[*]",
    "$.x-value..*",
    "$..[?(@ && @.type)]",
    "$.paths[?(@property.match(/a/))]",
    "$.paths[*][?(@property === 'get' || @property === 'put')]",
    "$..parameters[?(@ && @.in === 'query')]",
    "$.paths[*]~",
    "$.info.*",
    "$",
)
_FIELDS = (
    None,
    "name",
    "schema.type",
    "@key",
    "tags[0]",
    "description",
    "properties.a.type",
    "$.items.type",
    "security",
    "type",
)
_ASKED: tuple[tuple[str, Any], ...] = (
    ("truthy", None),
    ("pattern", {"match": "^[a-z]"}),
    ("falsy", None),
    ("casing", {"type": "kebab"}),
    ("defined", None),
    ("length", {"min": 1, "max": 2}),
    ("undefined", None),
    ("enumeration", {"values": ["a", 0, "query", "string"]}),
    ("xor", {"properties": ["type", "enum"]}),
    ("schema", {"schema": {"type": ["object", "string"], "maxProperties": 2}}),
    ("alphabetical", None),
    ("pattern", {"notMatch": "/B/i"}),
    ("casing", {"type": "camel"}),
)


def rulesets() -> Iterator[dict[str, Any]]:
    """Some, which together have every path expression with every field, and each function many times."""
    asked = cycle(_ASKED)
    every = list(product(_GIVEN, _FIELDS))
    for number in range(10):
        rules = {}
        for index, (where, field) in enumerate(every[number::10]):
            function, options = next(asked)
            then = {"function": function, "functionOptions": options, "field": field}
            then = {key: value for key, value in then.items() if value is not None}
            rules[f"rule-{index}"] = {"given": where, "resolved": index % 3 > 0, "then": then}
        yield {"rules": rules}
