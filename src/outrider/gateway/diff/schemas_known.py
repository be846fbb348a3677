"""By which values of a discriminator schemas are known: those that its mapping says, or else the schemas' own names
(OpenAPI 3.1.1, 4.8.25.3). So a schema with another name is another one on the wire, whatever it says.
"""

from collections.abc import Iterator
from typing import Any

from outrider.common.json_path import JsonPath
from outrider.gateway.diff.placed import Placed, root

_UNIONS = ("oneOf", "anyOf")


def last(ref: str) -> str:
    """The name of what a reference leads to."""
    return ref.rpartition("/")[2]


def mapping(schema: Placed) -> dict[str, str]:
    """What the discriminator of a schema says itself: values, each with the name of a schema."""
    discriminator = schema.get("discriminator")
    found = discriminator.said("mapping") if discriminator else None
    return {value: last(str(target)) for value, target in found.items()} if isinstance(found, dict) else {}


def values(schema: Placed, ref: str) -> frozenset[str]:
    """By which a member of a union is known that is referred to; by none where there is no discriminator."""
    if not ref or "discriminator" not in schema.value:
        return frozenset()
    name = last(ref)
    return frozenset(value for value, target in mapping(schema).items() if target == name) or frozenset((name,))


def named(schema: Placed) -> frozenset[str]:
    """By which the members of a union are known, all together."""
    return frozenset[str]().union(*_listed(schema))


class Heirs:
    """The schemas of a document that are made of another one (allOf), and so are known by its discriminator."""

    def __init__(self) -> None:
        self._of: dict[int, dict[JsonPath, list[str]]] = {}
        self._own: dict[int, dict[JsonPath, str]] = {}

    def names(self, schema: Placed) -> dict[str, str]:
        """Of those, by the values by which they are known; of a union none, for it lists its members itself."""
        if "discriminator" not in schema.value or any(union in schema.value for union in _UNIONS):
            return {}
        self._look(schema)
        said = mapping(schema)
        unsaid = (name for name in self._of[id(schema.source)].get(schema.path, ()) if name not in said.values())
        return {**said, **{name: name for name in unsaid}}

    def unlike(self, one: Placed, other: Placed) -> bool:
        """Are they known by other values, though they may say the same?"""
        self._look(one)
        self._look(other)
        own = [self._own[id(each.source)].get(each.path) for each in (one, other)]
        if "discriminator" not in one.value:
            return None not in own and own[0] != own[1]
        return _listed(one) != _listed(other) or self.names(one) != self.names(other)

    def _look(self, anywhere: Placed) -> None:
        key = id(anywhere.source)
        if key in self._of:
            return
        self._of[key] = _heirs(anywhere)
        names = (name for base, some in self._of[key].items() if _is_told_apart(base, anywhere) for name in some)
        self._own[key] = {("components", "schemas", name): name for name in names}


def _is_told_apart(base: JsonPath, anywhere: Placed) -> bool:
    there = at(base, anywhere)
    return isinstance(there, dict) and "discriminator" in there


def at(path: JsonPath, anywhere: Placed) -> Any:
    """What stands there in the same document."""
    value = anywhere.source.data
    for step in path:
        value = value[step]
    return value


def _heirs(anywhere: Placed) -> dict[JsonPath, list[str]]:
    found: dict[JsonPath, list[str]] = {}
    components = root(anywhere.source).get("components")
    schemas = components.get("schemas") if components else None
    for name, schema in schemas.members() if schemas else ():
        for base in _bases(schema):
            found.setdefault(base, []).append(name)
    return found


def _bases(schema: Placed) -> Iterator[JsonPath]:
    made_of = schema.get("allOf")
    for each in made_of.items() if made_of is not None and isinstance(made_of.value, list) else ():
        if isinstance(each.value, dict) and "$ref" in each.value and (there := each.referred()) is not None:
            yield there.path


def _listed(schema: Placed) -> list[frozenset[str]]:
    """The values of each member of a union."""
    lists = (each for keyword in _UNIONS if isinstance(each := schema.said(keyword), list))
    refs = (each.get("$ref", "") if isinstance(each, dict) else "" for some in lists for each in some)
    return [values(schema, str(ref)) for ref in refs]
