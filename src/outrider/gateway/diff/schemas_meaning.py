"""What a schema means: the kinds of values that it takes.

Several schemas that all apply (allOf, `$ref` with siblings, what two patterns say of one member) are one conjunction;
anyOf and oneOf multiply it out, and so do types. So whatever way a schema is written, it becomes a list of alternatives
of one type each, and null is a type like any other: `nullable`, `type: [string, "null"]` and `anyOf: [..., {type:
"null"}]` are the same.
"""

from itertools import product
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.diff.placed import Placed, missing
from outrider.gateway.diff.schemas_keywords import ABOUT, ANY_TYPE, BASES, malformed
from outrider.gateway.diff.schemas_known import last, values

MOST = 128
"""So many alternatives may one schema have; multiplied out, a few unions become very many."""

PARTS = 512
"""Of so many schemas may one be made; forty that each name the next one twice would be billions."""

TYPES = ("null", "boolean", "number", "string", "array", "object")
_NUMBER = frozenset(("integer", "fraction"))
"""A number is a whole one or another."""
_ATOMS = {name: frozenset((name,)) for name in (*TYPES, "integer")} | {"number": _NUMBER}
_ALL = frozenset(("null", "boolean", "string", "array", "object")) | _NUMBER


class NotJudgedError(Exception):
    """Something is not understood, so that what differs near it cannot be judged. what: in words."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Part(msgspec.Struct, frozen=True, eq=False):
    """One schema of a conjunction, without its references and unions. beside: what else is evaluated together with it,
    where it says what becomes of all that is not evaluated.
    """

    schema: Placed
    beside: tuple[Placed, ...] = ()


class Alternative(msgspec.Struct, frozen=True, eq=False):
    """Values of one type. values: all there are, if they are counted; whole: only whole numbers.

    names: by which a member of a union is recognised; union: `anyOf`, `oneOf` or empty; member: where it stands there.
    """

    type: str
    parts: tuple[Part, ...]
    values: tuple[Any, ...] | None = None
    whole: bool = False
    names: frozenset[str] = frozenset()
    union: str = ""
    member: Placed | None = None


class _Option(msgspec.Struct, frozen=True, eq=False):
    parts: tuple[Part, ...] = ()
    types: frozenset[str] = _ALL
    names: frozenset[str] = frozenset()
    union: str = ""
    member: Placed | None = None


def alternatives(schemas: tuple[Placed, ...]) -> tuple[Alternative, ...]:
    """What fits all of the schemas. Raises `NotJudgedError`."""
    options = [_Option()]
    for schema in schemas:
        options = _both(options, _options(schema, ()))
    split = [each for option in options for name in TYPES if (each := _of_type(option, name)) is not None]
    return tuple(_counted_together(_once(split)))


def json_type(value: Any) -> str:
    """The type of a value, of those of `TYPES`."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {int: "number", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _options(schema: Placed, via: tuple[JsonPath, ...]) -> list[_Option]:
    if isinstance(schema.value, bool):
        return [_Option()] if schema.value else []
    if not isinstance(schema.value, dict):
        raise NotJudgedError("a schema that is no object")
    if schema.path in via:
        raise NotJudgedError("a schema that is made of itself")
    if bases := sorted(schema.value.keys() & BASES):
        raise NotJudgedError(f"the schema with {bases[0]}")
    if wrong := next((key for key, value in schema.value.items() if malformed(key, value)), None):
        raise NotJudgedError(f"the keyword {wrong}, which has no right form,")
    via = (*via, schema.path)
    there = _options(_referred(schema), via) if "$ref" in schema.value else [_Option()]
    if "$ref" in schema.value and schema.is_3_0:
        return there
    options = _both([_Option((Part(schema),), _types(schema))], there)
    for each in _listed(schema, "allOf"):
        options = _both(options, _options(each, via))
    for union in ("anyOf", "oneOf"):
        if union in schema.value:
            options = _both(options, [o for each in _listed(schema, union) for o in _branch(schema, union, each, via)])
    if "unevaluatedProperties" in schema.value or "unevaluatedItems" in schema.value:
        options = [_sealed(schema, option) for option in options]
    return options + _null_besides(schema)


def _both(some: list[_Option], others: list[_Option]) -> list[_Option]:
    if len(some) * len(others) > MOST:
        raise NotJudgedError(f"a schema of more than {MOST} alternatives")
    if sum(len(option.parts) for option in (*some, *others)) > PARTS:
        raise NotJudgedError(f"a schema made of more than {PARTS} others")
    return [
        _Option(
            (*one.parts, *two.parts), types, one.names | two.names, one.union or two.union, one.member or two.member
        )
        for one, two in product(some, others)
        if (types := one.types & two.types)
    ]


def _branch(schema: Placed, union: str, each: Placed, via: tuple[JsonPath, ...]) -> list[_Option]:
    names = branch_names(schema, each)
    return [
        msgspec.structs.replace(option, names=option.names | names, union=union, member=each)
        for option in _options(each, via)
    ]


def is_never(schema: Placed, depth: int = 8) -> bool:
    """Does it plainly take no value at all? It is false, or not anything, or made of such."""
    if not isinstance(schema.value, dict):
        return schema.value is False
    there = schema.referred() if "$ref" in schema.value else None
    if there is not None and schema.is_3_0:
        return depth > 0 and is_never(there, depth - 1)
    inner = [*_listed(schema, "allOf"), *([there] if there else [])]
    excluded = schema.value.get("not")
    return excluded is True or excluded == {} or (depth > 0 and any(is_never(each, depth - 1) for each in inner))


def branch_names(schema: Placed, branch: Placed) -> frozenset[str]:
    """How a member of a union is called: as its definition, by its title, in the discriminator."""
    ref = str(branch.said("$ref", ""))
    title = branch.said("title") or (there.said("title") if ref and (there := branch.referred()) else None)
    by_value = {f"={value}" for value in values(schema, ref)}
    return frozenset({last(ref), str(title or "")} - {""} | by_value)


def _sealed(schema: Placed, option: _Option) -> _Option:
    """With what is evaluated beside the schema; that is exact unless it depends on the value."""
    others = tuple(part.schema for part in option.parts if part.schema.path != schema.path)
    for each in (schema, *others):
        if depends := sorted(each.value.keys() & {"anyOf", "if", "dependentSchemas", "contains"}):
            raise NotJudgedError(f"unevaluatedProperties or unevaluatedItems together with {depends[0]}")
    parts = (Part(schema, others) if part.schema.path == schema.path else part for part in option.parts)
    return msgspec.structs.replace(option, parts=tuple(parts))


def _null_besides(schema: Placed) -> list[_Option]:
    """OpenAPI 3.0: `nullable` beside allOf, anyOf or oneOf is meant to be: null, or that."""
    meant = schema.is_3_0 and schema.said("nullable") is True and "type" not in schema.value
    composed = schema.value.keys() & {"allOf", "anyOf", "oneOf"}
    counted = schema.said("enum")
    if meant and composed and (counted is None or None in counted):
        return [_Option((), _ATOMS["null"])]
    return []


def _types(schema: Placed) -> frozenset[str]:
    said = schema.said("type")
    if said is None:
        return _ALL
    names = said if isinstance(said, list) else [said]
    if unknown := [name for name in names if not isinstance(name, str) or name not in _ATOMS]:
        raise NotJudgedError(f"the type {unknown[0]}")
    types = frozenset[str]().union(*(_ATOMS[name] for name in names))
    return types | _ATOMS["null"] if schema.is_3_0 and schema.said("nullable") is True else types


def _listed(schema: Placed, keyword: str) -> list[Placed]:
    there = schema.get(keyword)
    return list(there.items()) if there else []


def _referred(schema: Placed) -> Placed:
    there = schema.referred()
    if there is None:
        raise NotJudgedError("a reference that leads nowhere")
    return there


def _of_type(option: _Option, name: str) -> Alternative | None:
    """What of the option is of this type; None where nothing is."""
    whole = name == "number" and "fraction" not in option.types
    if not option.types & _ATOMS[name]:
        return None
    values: list[Any] | None = None
    for part in option.parts:
        for said in _enumerated(part.schema):
            fitting = [v for v in said if json_type(v) == name and not (whole and v != int(v))]
            values = fitting if values is None else missing(values, missing(values, fitting))
    if values == []:
        return None
    if name == "boolean" and values is not None and len({bool(value) for value in values}) == 2:
        values = None
    counted = None if values is None or name == "null" else tuple(values)
    return Alternative(name, option.parts, counted, whole, option.names, option.union, option.member)


def _enumerated(schema: Placed) -> list[list[Any]]:
    found = [schema.said("enum")] if isinstance(schema.said("enum"), list) else []
    return [*found, [schema.said("const")]] if "const" in schema.value else found


def _once(split: list[Alternative]) -> list[Alternative]:
    """Without those that are made of the same schemas as another of their type."""
    known = {(each.type, tuple(sorted(map(str, (part.schema.path for part in each.parts))))): each for each in split}
    return list(known.values())


def _counted_together(split: list[Alternative]) -> list[Alternative]:
    """anyOf or oneOf of single values is an enum of them all."""
    groups: dict[tuple[str, frozenset[JsonPath]], list[Alternative]] = {}
    rest: list[Alternative] = []
    for each in split:
        if each.values is None or not is_bare(each):
            rest.append(each)
        else:  # what came by another oneOf is told apart in another way
            came_by = frozenset(part.schema.path for part in each.parts if "oneOf" in part.schema.value)
            groups.setdefault((each.type, came_by), []).append(each)
    return rest + [some[0] if len(some) == 1 else _joined(some) for some in groups.values()]


def _joined(some: list[Alternative]) -> Alternative:
    values: tuple[Any, ...] | None = tuple(value for each in some for value in each.values or ())
    if some[0].type == "boolean" and values is not None and len(set(values)) == 2:
        values = None
    parts = tuple(part for each in some for part in each.parts)
    return msgspec.structs.replace(some[0], parts=parts, values=values, names=frozenset())


def is_bare(alternative: Alternative) -> bool:
    """Is nothing said of such values but their type and what they are?"""
    narrowing = (*ABOUT.get(alternative.type, ("",)), *ANY_TYPE)
    return alternative.type in ABOUT and not any(
        keyword in part.schema.value for part in alternative.parts for keyword in narrowing
    )
