"""Do two schemas say the same, word for word? References are followed; annotations and order count for nothing."""

from collections.abc import Iterator
from typing import TypeAlias

from outrider.common.json_path import JsonPath
from outrider.gateway.diff.placed import Placed, key, same
from outrider.gateway.diff.schemas_keywords import ANNOTATIONS, BASES, LISTS, MAPS, SCHEMAS, SETS
from outrider.gateway.diff.schemas_known import Heirs

_Pair: TypeAlias = tuple[int, JsonPath, int, JsonPath]


class Equality:
    """Which schemas are equal, word for word; what is the same in other words is not.

    Two differ if they differ themselves or come to such that do. So each pair is looked at once, however often it is
    asked for and however they refer to each other.
    """

    def __init__(self) -> None:
        self.heirs = Heirs()
        self._differs: dict[_Pair, bool] = {}
        self._around: dict[_Pair, list[_Pair]] = {}
        self._direct: dict[tuple[int, JsonPath], Placed] = {}

    def equal(self, one: Placed, other: Placed) -> bool:
        """Are they?"""
        one, other = self.direct(one), self.direct(other)
        pair = _pair(one, other)
        if pair not in self._differs:
            self._look(pair, one, other)
        return not self._differs[pair]

    def direct(self, schema: Placed) -> Placed:
        """As `direct`."""
        key = (id(schema.source), schema.path)
        if key not in self._direct:
            self._direct[key] = direct(schema)
        return self._direct[key]

    def _look(self, pair: _Pair, one: Placed, other: Placed) -> None:
        left, differing = [(pair, one, other)], []
        self._differs[pair] = False
        while left:
            around, mine, others = left.pop()
            inner = _inner(mine, others, self.heirs)
            if inner is None:
                differing.append(around)
            for some in inner or ():
                mine, others = map(self.direct, some)
                each = _pair(mine, others)
                self._around.setdefault(each, []).append(around)
                if self._differs.get(each):
                    differing.append(around)
                elif each not in self._differs:
                    self._differs[each] = False
                    left.append((each, mine, others))
        while differing:
            each = differing.pop()
            self._differs[each] = True
            differing += [outer for outer in self._around.get(each, ()) if not self._differs[outer]]


def equal(one: Placed, other: Placed) -> bool:
    """Are these two equal?"""
    return Equality().equal(one, other)


def _pair(one: Placed, other: Placed) -> _Pair:
    return id(one.source), one.path, id(other.source), other.path


def direct(schema: Placed) -> Placed:
    """Where a schema that is nothing but a reference leads; any other as it is.

    In OpenAPI 3.0, whatever stands beside `$ref` is not read.
    """
    met: set[JsonPath] = set()
    while "$ref" in (beside := _said(schema)) and (schema.is_3_0 or len(beside) == 1):
        there = schema.referred()
        if there is None or there.path in met:
            return schema
        met.add(there.path)
        schema = there
    return schema


def _said(schema: Placed) -> frozenset[str]:
    """The keywords that count."""
    if not isinstance(schema.value, dict):
        return frozenset()
    extensions = ("x-extensible-enum", "x-stability-level", "x-sunset")
    counting = (name for name in schema.value if not name.startswith("x-") or name in extensions)
    return frozenset(counting) - ANNOTATIONS


def _inner(one: Placed, other: Placed, heirs: Heirs) -> list[tuple[Placed, Placed]] | None:
    """The schemas of which it depends; None: they differ here already."""
    if not (isinstance(one.value, dict) and isinstance(other.value, dict)):
        return [] if same(one.value, other.value) else None
    mine, others = _said(one), _said(other)
    if mine != others or mine & BASES or heirs.unlike(one, other):
        return None
    found: list[tuple[Placed, Placed]] = []
    for keyword in mine:
        pairs = _pairs(keyword, one, other)
        if pairs is None:
            return None
        found += pairs
    return found


def _pairs(keyword: str, one: Placed, other: Placed) -> list[tuple[Placed, Placed]] | None:
    mine, others = one.get(keyword), other.get(keyword)
    if keyword == "$ref":
        mine, others = one.referred(), other.referred()
    if mine is None or others is None:
        return None
    if keyword == "$ref" or keyword in SCHEMAS:
        return [(mine, others)]
    if keyword in LISTS and isinstance(mine.value, list) and isinstance(others.value, list):
        same_length = len(mine.value) == len(others.value)
        return list(zip(mine.items(), others.items(), strict=True)) if same_length else None
    if keyword in MAPS and isinstance(mine.value, dict) and isinstance(others.value, dict):
        return list(_by_name(mine, others)) if mine.value.keys() == others.value.keys() else None
    if keyword in SETS and isinstance(mine.value, list) and isinstance(others.value, list):
        return [] if set(map(key, mine.value)) == set(map(key, others.value)) else None
    return [] if same(mine.value, others.value) else None


def _by_name(one: Placed, other: Placed) -> Iterator[tuple[Placed, Placed]]:
    there = dict(other.members())
    return ((each, there[name]) for name, each in one.members())
