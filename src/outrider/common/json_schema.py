"""JSON Schema as Outrider uses it: draft 2020-12, nothing is fetched, patterns run in linear time, faults in our words.

A fault never repeats the value at fault: values may be positions or names of people, and faults end up in logs.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

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

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = dict(document)
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
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
            return list(islice((fault for error in errors for fault in self._worded(error)), FAULTS_LIMIT))
        except ValueError:
            return [Fault((), "is nested too deeply")]

    def _worded(self, error: jsonschema_rs.ValidationError) -> Iterator[Fault]:
        path, keyword, detail = tuple(error.instance_path), error.kind.name, error.kind.as_dict()
        if keyword == "required":
            yield Fault((*path, detail["property"]), "is required")
        elif keyword in ("additionalProperties", "unevaluatedProperties"):
            known = ", ".join(self._beside(error).get("properties", {})) or "none"
            yield from (
                Fault((*path, _cut(name)), f"is not known; known here: {known}") for name in detail["unexpected"]
            )
        elif keyword == "propertyNames":
            inner = detail["error"]
            sentence = self._sentence(inner, inner.kind.name, inner.kind.as_dict())
            yield Fault((*path, _cut(str(inner.instance))), f"the name {sentence}")
        else:
            yield Fault(path, self._sentence(error, keyword, detail))

    def _sentence(self, error: jsonschema_rs.ValidationError, keyword: str, detail: Mapping[str, Any]) -> str:
        if keyword not in _WORDS:
            return str(error.message)
        if keyword == "pattern" and (words := self._beside(error).get(WORDS)):
            return f"must be {words}"
        unit = self._beside(error).get(UNIT) if keyword in _WITH_UNIT else None
        sentence = _WORDS[keyword].format_map({name: _shown(name, value) for name, value in detail.items()})
        return f"{sentence} ({unit})" if unit else sentence

    def _beside(self, error: jsonschema_rs.ValidationError) -> Mapping[str, Any]:
        """The subschema in which the violated keyword stands; empty where a `$ref` hides it."""
        place: Any = self.document
        for step in error.schema_path[:-1]:
            try:
                place = place[step]
            except (KeyError, IndexError, TypeError):
                return {}
        return place if isinstance(place, Mapping) else {}


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
