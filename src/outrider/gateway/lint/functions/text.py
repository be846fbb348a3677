"""How something is written, how long it is, and which of several it is: pattern, casing, length, enumeration."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from outrider.gateway.lint.functions.results import PROPERTY, VALUE, Check, Function, Result, read_options, shown
from outrider.gateway.lint.javascript import length_of, number_of, same_value_zero, type_of
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.regex import Regex, regex, written

_Number = int | float


class _Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    match: str | msgspec.UnsetType = msgspec.UNSET
    not_match: str | msgspec.UnsetType = msgspec.UNSET


class _Separator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    char: Annotated[str, msgspec.Meta(max_length=1)]
    allow_leading: bool = False


class _Casing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    type: Literal["flat", "camel", "pascal", "kebab", "cobol", "snake", "macro"]
    disallow_digits: bool = False
    separator: _Separator | msgspec.UnsetType = msgspec.UNSET


class _Length(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    min: _Number | msgspec.UnsetType = msgspec.UNSET
    max: _Number | msgspec.UnsetType = msgspec.UNSET


class _Enumeration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    values: list[str | int | float | bool | None]


_HUMPS = "[{first}][a-z{digits}]*(?:[A-Z{digits}](?:[a-z{digits}]+|$))*"
_JOINED = "[{letters}][{letters}{digits}]*(?:{joint}[{letters}{digits}]+)*"
_CASES = {
    "flat": "[a-z][a-z{digits}]*",
    "camel": _HUMPS.replace("{first}", "a-z"),
    "pascal": _HUMPS.replace("{first}", "A-Z"),
    "kebab": _JOINED.replace("{letters}", "a-z").replace("{joint}", "-"),
    "cobol": _JOINED.replace("{letters}", "A-Z").replace("{joint}", "-"),
    "snake": _JOINED.replace("{letters}", "a-z").replace("{joint}", "_"),
    "macro": _JOINED.replace("{letters}", "A-Z").replace("{joint}", "_"),
}
"""The words of each case; `$` lets a hump of one letter end the text."""


def pattern(given: Any) -> Check:
    """Text that a regular expression must, or must not, match somewhere; other values are right."""
    options = read_options("pattern", given, _Pattern)
    match, not_match = _regex(options.match, "match"), _regex(options.not_match, "notMatch")
    if match is None and not_match is None:
        raise NotUnderstood("pattern needs match, notMatch or both in its functionOptions")

    def check(value: Any, _: Any) -> Iterator[Result]:
        if not isinstance(value, str):
            return
        if match and not match.search(value):
            yield Result(f"{VALUE} must match the pattern {shown(options.match)}")
        if not_match and not_match.search(value):
            yield Result(f"{VALUE} must not match the pattern {shown(options.not_match)}")

    return check


def _regex(text: str | msgspec.UnsetType, option: str) -> Regex | None:
    if isinstance(text, msgspec.UnsetType):
        return None
    try:
        return written(text)
    except NotUnderstood as error:
        raise NotUnderstood(error.message, at=error.at, path=(option,)) from None


def casing(given: Any) -> Check:
    """Text written in words of one case; other values, and the empty text, are right."""
    options = read_options("casing", given, _Casing)
    expected, result = _casing_regex(options), (Result(f"must be {options.type} case"),)
    separator = options.separator or None
    alone = separator.char if separator and separator.allow_leading and length_of(separator.char) == 1 else None

    def check(value: Any, _: Any) -> tuple[Result, ...]:
        is_fine = not isinstance(value, str) or not value or value == alone or expected.search(value)
        return () if is_fine else result

    return check


def _casing_regex(options: _Casing) -> Regex:
    words = _CASES[options.type].replace("{digits}", "" if options.disallow_digits else "0-9")
    separator = options.separator
    if isinstance(separator, msgspec.UnsetType):
        return regex(f"^{words}$")
    char = "[" + re.sub(r"[\\^$.*+?()[\]{}|]", r"\\\g<0>", separator.char) + "]"
    leading = f"{char}?" if separator.allow_leading else ""
    return regex(f"^{leading}{words}(?:{char}{words})*$")


def length(given: Any) -> Check:
    """The number of characters (UTF-16 units), items or members, or the number itself, between `min` and `max`."""
    options = read_options("length", given, _Length)
    low, high = options.min, options.max
    if low is msgspec.UNSET and high is msgspec.UNSET:
        raise NotUnderstood("length needs min, max or both in its functionOptions")

    def check(value: Any, _: Any) -> Iterator[Result]:
        size = _size(value)
        if size is None:
            return
        if not isinstance(low, msgspec.UnsetType) and size < low:
            yield Result(f"{PROPERTY}must be longer than {shown(low)}")
        if not isinstance(high, msgspec.UnsetType) and size > high:
            yield Result(f"{PROPERTY}must be shorter than {shown(high)}")

    return check


def _size(value: Any) -> float | None:
    if isinstance(value, str):
        return length_of(value)
    if isinstance(value, dict | list):
        return len(value)
    return number_of(value) if type_of(value) == "number" else None


def enumeration(given: Any) -> Check:
    """One of some values, compared strictly: `1` is not `true`; objects and lists are right."""
    values = read_options("enumeration", given, _Enumeration).values
    result = (Result(f"{VALUE} must be equal to one of the allowed values: {', '.join(map(shown, values))}"),)

    def check(value: Any, _: Any) -> tuple[Result, ...]:
        if type_of(value) not in ("string", "number", "boolean") and value is not None:
            return ()
        return () if any(same_value_zero(value, allowed) for allowed in values) else result

    return check


TEXT: Mapping[str, Function] = {"casing": casing, "enumeration": enumeration, "length": length, "pattern": pattern}
