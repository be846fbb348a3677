"""A value of a document together with its place there, so that whatever is told of it has a line; references lead to
where the value is defined.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.documents import Source
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Place
from outrider.gateway.openapi_references import References

_REFERENCE = frozenset(("$ref", "summary", "description"))
"""What a Reference Object may hold (OpenAPI 3.1.1, 4.8.23); in 3.0 whatever else is beside `$ref` is ignored."""


class Placed(msgspec.Struct, frozen=True, eq=False):
    """A value, and where it stands. path: that of the definition, once references were followed."""

    value: Any
    path: JsonPath
    source: Source

    @property
    def place(self) -> Place:
        """What a change is told with."""
        return Place(self.source.file, self.source.document.position(self.path), self.path)

    @property
    def is_3_0(self) -> bool:
        """Is the document OpenAPI 3.0, where `nullable` is a keyword and nothing counts beside `$ref`?"""
        return str(self.source.data.get("openapi", "")).startswith("3.0")

    def get(self, name: str | int) -> "Placed | None":
        """The member or item of this name as it is written, references not followed; None where there is none."""
        value = self.value
        if isinstance(value, dict):
            return Placed(value[name], (*self.path, name), self.source) if name in value else None
        if isinstance(value, list) and isinstance(name, int) and 0 <= name < len(value):
            return Placed(value[name], (*self.path, name), self.source)
        return None

    def said(self, name: str, default: Any = None) -> Any:
        """The member's plain value."""
        return self.value.get(name, default) if isinstance(self.value, dict) else default

    def flag(self, name: str, default: bool = False) -> bool:
        """The member that is true or false. Raises `Refused`: it is something else."""
        value = self.said(name, default)
        if not isinstance(value, bool):
            raise Refused(self.source.fault((*self.path, name), "must be true or false"))
        return value

    def members(self) -> "Iterator[tuple[str, Placed]]":
        """The members of an object by their names, in the order of the document. Raises `Refused`: it is no object."""
        if not isinstance(self.value, dict):
            raise Refused(self.source.fault(self.path, "must be an object"))
        for name, value in self.value.items():
            yield name, Placed(value, (*self.path, name), self.source)

    def items(self) -> "Iterator[Placed]":
        """The items of a list. Raises `Refused`: it is none."""
        if not isinstance(self.value, list):
            raise Refused(self.source.fault(self.path, "must be a list"))
        for index, value in enumerate(self.value):
            yield Placed(value, (*self.path, index), self.source)

    def referred(self) -> "Placed | None":
        """Where the value's own `$ref` leads, one step only; None where it has none, or one that leads nowhere."""
        there = References(self.source).place(str(self.said("$ref", "")))
        return Placed(there[1], there[0], self.source) if there else None

    def followed(self) -> "Placed":
        """The value itself, or the definition that its `$ref` leads to at last; what stands beside `$ref` is left out.

        Raises `Refused`: a reference leads nowhere, out of the document, or back to itself.
        """
        if not (isinstance(self.value, dict) and "$ref" in self.value):
            return self
        references = References(self.source)
        found = references.follow(self.value, self.path)
        if found is None:
            raise Refused(*references.unfollowed)
        value, path = found
        return Placed(value, path, self.source)


def root(source: Source) -> Placed:
    """A document as one value."""
    return Placed(source.data, (), source)


def an_object(value: Placed) -> Placed:
    """The value, which is an object. Raises `Refused`: it is not."""
    dict(value.members())
    return value


def members(value: Placed | None) -> "dict[str, Placed]":
    """The members by their names; none of what is not there."""
    return dict(value.members()) if value else {}


def same(one: Any, other: Any) -> bool:
    """Are two values the same to JSON? 1 is 1.0, and is not true; the order of an object's members says nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def key(value: Any) -> Hashable:
    """Equal for two values that are the `same`, and for no others, so that very many can be looked for at once."""
    if isinstance(value, dict):
        return "object", frozenset((name, key(each)) for name, each in value.items())
    if isinstance(value, list):
        return "list", tuple(map(key, value))
    return ("flag", value) if isinstance(value, bool) else value


def missing(some: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Those of some that are none of the others, in their order."""
    there = set(map(key, others))
    return [each for each in some if key(each) not in there]


def alike(old: Placed | None, new: Placed | None) -> bool:
    """Are two values the same once all references in them are followed?"""
    left, seen = [(old, new)], set[tuple[JsonPath, JsonPath]]()
    while left:
        one, other = left.pop()
        if one is None or other is None:
            if one is not other:
                return False
            continue
        one, other = _definition(one), _definition(other)
        if (one.path, other.path) in seen:  # looked at already: what refers to itself never ends
            continue
        seen.add((one.path, other.path))
        inner = _members_of_both(one, other)
        if inner is None:
            return False
        left += inner
    return True


def _members_of_both(one: Placed, other: Placed) -> list[tuple[Placed | None, Placed | None]] | None:
    """What is in the two, by pairs; None where they are not the same, whatever is in them."""
    if isinstance(one.value, dict) and isinstance(other.value, dict):
        names = one.value.keys()
        return [(_target(one, name), _target(other, name)) for name in names] if names == other.value.keys() else None
    if isinstance(one.value, list) and isinstance(other.value, list):
        return list(zip(one.items(), other.items(), strict=True)) if len(one.value) == len(other.value) else None
    return [] if same(one.value, other.value) else None


def _definition(value: Placed) -> Placed:
    """What a reference leads to, if that is all it says."""
    is_reference = isinstance(value.value, dict) and value.value.keys() <= _REFERENCE and "$ref" in value.value
    return (_target(value, "$ref") or value) if is_reference else value


def _target(holder: Placed, name: str) -> Placed | None:
    """The member of this name; of `$ref` what it leads to, unless that is nowhere: then it is somebody's data."""
    if name == "$ref" and isinstance(holder.value[name], str):
        found = References(holder.source).follow(holder.value, holder.path)
        if found:
            return Placed(*found, holder.source)
    return holder.get(name)
