"""What the functions of rules have in common: what they are asked, what they answer, how their options are read."""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.lint.javascript import UNDEFINED, json_text
from outrider.gateway.lint.not_understood import NotUnderstood

PROPERTY = '#{{print("property")}}'
VALUE = '#{{print("value")}}'
"""Placeholders of messages, as Spectral has them: whoever words the finding fills them in."""


class Target(msgspec.Struct, frozen=True):
    """Where the value of a check lies, and the document as it is written, references and all."""

    path: JsonPath
    document: Any


class Result(NamedTuple):
    """What is wrong. path: where, from the root of the document; None: at the value itself."""

    message: str
    path: JsonPath | None = None


Check: TypeAlias = Callable[[Any, Target], Iterable[Result]]
"""Of a value, which may be `UNDEFINED`. A value of a kind that the function does not look at is right."""

Function: TypeAlias = Callable[[Any], Check]
"""A check for its options, which are None where a rule gives none. Raises `NotUnderstood`."""

_AT = re.compile(r" - at `\$(.*)`")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
T = TypeVar("T")


def read_options(function: str, given: Any, into: type[T]) -> T:
    """The options as a struct. Raises `NotUnderstood`, with the option that is wrong."""
    try:
        return msgspec.convert(given, into)
    except msgspec.ValidationError as error:
        said = str(error)
        place = _AT.search(said)
        steps = tuple(name or int(number) for name, number in _STEP.findall(place[1])) if place else ()
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(into))  # type: ignore[arg-type]
        what = _AT.sub("", said)
        raise NotUnderstood(
            f"{function} has options that are wrong: {what}; its options: {known}", path=steps
        ) from None


def without_options(function: str, check: Check) -> Function:
    """A function that takes none."""

    def compiled(given: Any) -> Check:
        if given is not None:
            raise NotUnderstood(f"{function} takes no options; leave functionOptions out")
        return check

    return compiled


def shown(value: Any) -> str:
    """A value in a message."""
    if isinstance(value, list):
        return "Array[]"
    if isinstance(value, dict):
        return "Object{}"
    return "undefined" if value is UNDEFINED else json_text(value)
