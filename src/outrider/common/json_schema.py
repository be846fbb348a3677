"""JSON Schema as Outrider uses it: draft 2020-12 unless told otherwise, nothing is fetched, patterns run in linear
time, faults in our words.

A fault never repeats the value at fault: values may be positions or names of people, and faults end up in logs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import jsonschema_rs
import msgspec

from outrider.common.json_path import JsonPath

FAULTS_LIMIT = 50
"""As many faults of one value are told; a stranger's value may have thousands."""

UNIT = "x-unit"
"""The annotation that names the unit of a number; it appears in faults and in the documentation."""

WORDS = "x-words"
"""The annotation that says a pattern in words: what the text must be."""

_WORDS = {
    "type": "must be {types}",
    "enum": "must be one of {options}",
    "const": "must be {expected_value}",
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "exclusiveMinimum": "must be greater than {limit}",
    "exclusiveMaximum": "must be less than {limit}",
    "multipleOf": "must be a multiple of {multiple_of}",
    "minLength": "must have at least {limit} characters",
    "maxLength": "must have at most {limit} characters",
    "pattern": "must match {pattern}",
    "format": "must be a valid {format}",
    "minItems": "must have at least {limit} items",
    "maxItems": "must have at most {limit} items",
    "uniqueItems": "must not name the same twice",
    "minProperties": "must have at least {limit} members",
    "maxProperties": "must have at most {limit} members",
}
_NOT_HERE = "does not go with what stands beside it"
_SEVERAL_FIT = "may be meant in several ways; say more of it"
_WITH_UNIT = {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}

_Error: TypeAlias = jsonschema_rs.ValidationError
_Draft: TypeAlias = type[jsonschema_rs.Draft202012Validator] | type[jsonschema_rs.Draft7Validator]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one value of a document: where it lies, and what it must be."""

    path: JsonPath
    message: str


class SchemaError(ValueError):
    """The schema itself is not a JSON Schema of draft 2020-12; `fault` says where in the schema."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Schema:
    """A compiled JSON Schema: dear to build, cheap to ask. Raises `SchemaError`."""

    def __init__(self, document: Mapping[str, Any], validator: _Draft = jsonschema_rs.Draft202012Validator) -> None:
        self.document = dict(document)
        try:
            self._validator = validator(
                self.document,
                offline=True,
                validate_formats=True,
                pattern_options=jsonschema_rs.RegexOptions(),
                mask="it",
            )
        except jsonschema_rs.ValidationError as error:
            # A $ref that leads nowhere is worded with the address itself, which no mask hides: it is the author's.
            raise SchemaError(Fault(tuple(error.instance_path), f"is not JSON Schema: {error.message}")) from None

    def accepts(self, value: Any) -> bool:
        """Does the value fit? What cannot even be read (nested too deeply) does not."""
        try:
            return self._validator.is_valid(value)
        except ValueError:
            return False

    def faults(self, value: Any) -> list[Fault]:
        """Everything that is wrong with the value, up to `FAULTS_LIMIT`; empty where it fits."""
        if self.accepts(value):
            return []
        try:
            errors = self._validator.iter_errors(value)
            found = list(islice((fault for error in errors for fault in self._worded(error)), FAULTS_LIMIT))
        except ValueError:
            return [Fault((), "is nested too deeply")]
        found = _without_echoes(found) or found or [Fault((), "does not fit")]
        return [Fault(_as_written(fault.path, value), fault.message) for fault in found]

    def _worded(self, error: _Error) -> Iterator[Fault]:
        path, keyword, detail = tuple(error.instance_path), error.kind.name, error.kind.as_dict()
        if keyword == "required":
            yield Fault((*path, detail["property"]), "is required")
        elif keyword in ("additionalProperties", "unevaluatedProperties"):
            yield from self._unknown(error, detail["unexpected"])
        elif keyword == "propertyNames":
            inner = detail["error"]
            sentence = self._sentence(inner, inner.kind.name, inner.kind.as_dict())
            yield Fault((*path, _cut(str(inner.instance))), f"the name {sentence}")
        elif keyword in ("anyOf", "oneOf"):
            yield from self._of_several(error, detail.get("context", ()))
        else:
            yield Fault(path, self._sentence(error, keyword, detail))

    def _unknown(self, error: _Error, unexpected: Sequence[str]) -> Iterator[Fault]:
        """A member whose name stands in a part of the schema that does not count now is known all the same."""
        known = self._names(self._beside(error), frozenset())
        message = f"is not known; known here: {', '.join(known) or 'none'}"
        for name in unexpected:
            yield Fault((*error.instance_path, _cut(name)), _NOT_HERE if name in known else message)

    def _of_several(self, error: _Error, branches: Sequence[Sequence[_Error]]) -> Iterator[Fault]:
        """What keeps the value from being what it most likely was meant as; one fault, not one for each schema."""
        path, keyword = tuple(error.instance_path), error.kind.name
        alone = [branch[0] for branch in branches if len(branch) == 1]
        names = _wanted(self._beside(error).get(keyword, ()))
        choices = [_choices(branch) for branch in branches]
        if not all(branches):  # one without errors: more than one fits
            yield Fault(path, f"must have only one of {', '.join(names)}" if names else _SEVERAL_FIT)
        elif alone and len(alone) == len(branches) and _alike(alone, "required") and names:
            yield Fault(path, f"must have {' or '.join(names)}")
        elif alone and len(alone) == len(branches) and _alike(alone, "type"):
            types = {_TYPES[name]: None for each in alone for name in each.kind.as_dict()["types"]}
            yield Fault(path, f"must be {' or '.join(types)}")
        elif choices and (same := set.intersection(*map(set, choices))):
            there = min(same, key=len)
            options = {_shown_value(option): None for each in choices for option in each[there]}
            yield Fault(there, f"must be one of {', '.join(options)}")
        elif branches:
            often = Counter(there for each in choices for there in each)
            for inner in min(branches, key=lambda branch: _strangeness(branch, path, often)):
                yield from self._worded(inner)
        else:
            yield Fault(path, self._sentence(error, keyword, {}))

    def _names(self, schema: Any, seen: frozenset[str]) -> dict[str, None]:
        """The members that a schema names anywhere, with all that it is made of; in its order."""
        if not isinstance(schema, Mapping):
            return {}
        names = dict.fromkeys(schema.get("properties", ()))
        for part in _parts(schema):
            names |= self._names(part, seen)
        ref = schema.get("$ref", "")
        if ref.startswith("#/") and ref not in seen:
            names |= self._names(self._at(ref[2:].split("/")), seen | {ref})
        return names

    def _sentence(self, error: _Error, keyword: str, detail: Mapping[str, Any]) -> str:
        if keyword not in _WORDS:
            return str(error.message)
        if keyword == "pattern" and (words := self._beside(error).get(WORDS)):
            return f"must be {words}"
        unit = self._beside(error).get(UNIT) if keyword in _WITH_UNIT else None
        sentence = _WORDS[keyword].format_map({name: _shown(name, value) for name, value in detail.items()})
        return f"{sentence} ({unit})" if unit else sentence

    def _beside(self, error: _Error) -> Mapping[str, Any]:
        """The subschema in which the violated keyword stands; empty where a `$ref` out of the schema hides it."""
        return self._at(error.schema_path[:-1])

    def _at(self, steps: Sequence[str | int]) -> Mapping[str, Any]:
        place: Any = self.document
        for step in steps:
            try:
                place = place[step]
            except (KeyError, IndexError, TypeError):
                return {}
            if step == "$ref" and isinstance(place, str) and place.startswith("#/"):
                place = self._at(place[2:].split("/"))
        return place if isinstance(place, Mapping) else {}


def _parts(schema: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas that a value of this one may have to fit too."""
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(keyword, ())
    yield from (schema[keyword] for keyword in ("if", "then", "else") if keyword in schema)
    yield from schema.get("dependentSchemas", {}).values()


def _wanted(schemas: Sequence[Any]) -> list[str]:
    """The members of which each schema wants others; none if one of them wants none."""
    wanted = [each.get("required", ()) if isinstance(each, Mapping) else () for each in schemas]
    return [name for names in wanted for name in names] if all(wanted) else []


def _alike(errors: Sequence[_Error], keyword: str) -> bool:
    """Do all of them say this of the same value?"""
    return len({tuple(error.instance_path) for error in errors}) == 1 and {e.kind.name for e in errors} == {keyword}


def _choices(branch: Sequence[_Error]) -> dict[JsonPath, list[Any]]:
    """Where one of a few values should stand, and which."""
    found = {}
    for error in branch:
        detail = error.kind.as_dict()
        if error.kind.name in ("enum", "const"):
            found[tuple(error.instance_path)] = detail.get("options", [detail.get("expected_value")])
    return found


def _strangeness(branch: Sequence[_Error], path: JsonPath, often: Mapping[JsonPath, int]) -> tuple[bool, int, int]:
    """How far the value is from what this branch wants. Of another type is furthest; next is what tells branches apart.

    That is the member which has the wrong value for most of them, such as `in` of a parameter.
    """
    other_type = any(error.kind.name == "type" and tuple(error.instance_path) == path for error in branch)
    return other_type, max((often[there] for there in _choices(branch)), default=0), len(branch)


def _without_echoes(faults: Sequence[Fault]) -> list[Fault]:
    """Less what is only said because something else in the same object is wrong."""
    causes = [fault.path for fault in faults if fault.message not in (_NOT_HERE, _SEVERAL_FIT)]
    return [fault for fault in faults if not any(map(_echoes(fault), causes))]


def _echoes(fault: Fault) -> Callable[[JsonPath], bool]:
    """Is it only said because of what is wrong at that place?"""
    within = {_NOT_HERE: fault.path[:-1], _SEVERAL_FIT: fault.path}.get(fault.message)
    return lambda cause: within is not None and cause[: len(within)] == within


def _as_written(path: JsonPath, value: Any) -> JsonPath:
    """The path with the keys of the value itself: to the validator, `"007"` is 7."""
    written: JsonPath = ()
    for step in path:
        if isinstance(value, dict) and isinstance(step, int):
            step = next((key for key in value if key.isdecimal() and int(key) == step), str(step))
        written = (*written, step)
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
    return written


def _cut(name: str) -> str:
    return name if len(name) <= 60 else name[:57] + "..."


def _shown(name: str, value: Any) -> str:
    if name == "types":
        return " or ".join(_TYPES[each] for each in value)
    if name == "options":
        return ", ".join(map(_shown_value, value))
    return _shown_value(value)


def _shown_value(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
