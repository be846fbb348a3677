"""What needs more of the document than the value: unreferencedReusableObject, and typedEnum, which asks its version."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath, steps
from outrider.gateway.lint.functions.results import (
    Check,
    Function,
    Result,
    Target,
    read_options,
    shown,
    without_options,
)
from outrider.gateway.lint.javascript import number_of, type_of
from outrider.gateway.lint.not_understood import NotUnderstood

_NULLABLE = re.compile(r"3\.0(?:\.[0-9]*)?")


class _Reusable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    reusable_objects_location: str


def unreferenced_reusable_object(given: Any) -> Check:
    """Each member of the object, at `reusableObjectsLocation`, must be named by a `$ref` somewhere."""
    location = read_options("unreferencedReusableObject", given, _Reusable).reusable_objects_location
    try:
        base = steps(location)
    except ValueError as error:
        raise NotUnderstood(f"reusableObjectsLocation {error}", path=("reusableObjectsLocation",)) from None

    def check(value: Any, target: Target) -> Iterator[Result]:
        if not isinstance(value, dict):
            return
        referenced = _references(target.document)
        for name in value:
            if (*base, name) not in referenced:
                yield Result("Potential orphaned reusable object has been detected", (*base, name))

    return check


def _references(document: Any) -> set[JsonPath]:
    """Where the `$ref`s of the document lead, inside it; those to what they stand in do not count."""
    found: set[JsonPath] = set()
    stack: list[tuple[JsonPath, Any]] = [((), document)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/"):
                with suppress(ValueError):  # one beside another $ref, which nobody reads
                    target = steps(reference)
                    if path[: len(target)] != target:
                        found.add(target)
            stack += (((*path, name), each) for name, each in value.items())
        elif isinstance(value, list):
            stack += (((*path, str(number)), each) for number, each in enumerate(value))
    return found


def typed_enum(value: Any, target: Target) -> Iterator[Result]:
    """Each value of an `enum` must have the `type` beside it."""
    if not isinstance(value, dict) or not isinstance(value.get("enum"), list):
        return
    given = value.get("type")
    if not isinstance(given, str) and not (isinstance(given, list) and all(isinstance(each, str) for each in given)):
        return
    types = given if isinstance(given, list) else [given]
    if value.get("nullable") is True and _is_openapi_3_0(target.document):
        types = [*types, "null"]
    for number, item in enumerate(value["enum"]):
        if _kind(item, "integer" in types) not in types:
            message = f'Enum value {shown(item)} must be "{",".join(types)}".'
            yield Result(message, (*target.path, "enum", number))


def _kind(value: Any, whole: bool) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "array"
    kind = type_of(value)
    return "integer" if whole and kind == "number" and number_of(value).is_integer() else kind


def _is_openapi_3_0(document: Any) -> bool:
    version = document.get("openapi") if isinstance(document, dict) else None
    return isinstance(version, str) and bool(_NULLABLE.fullmatch(version))


REFERENCES: Mapping[str, Function] = {
    "typedEnum": without_options("typedEnum", typed_enum),
    "unreferencedReusableObject": unreferenced_reusable_object,
}
