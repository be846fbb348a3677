"""Are the items of a list, or the members of an object, in the order of the alphabet: alphabetical.

JavaScript compares text by the tables of Unicode (`localeCompare`). Of these we have what ASCII needs; other text fails
the rule.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from outrider.gateway.lint.functions.results import PROPERTY, Check, Function, Result, Target, read_options, shown
from outrider.gateway.lint.javascript import UNDEFINED, number_of, type_of
from outrider.gateway.lint.not_understood import Failed

_SIGNS = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"
"""Of ASCII without the letters, in the order of the default table of collation (CLDR's root)."""


class _Alphabetical(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    keyed_by: str | msgspec.UnsetType = msgspec.UNSET


def alphabetical(given: Any) -> Check:
    """In order, the items by one of their members with `keyedBy`; what is neither list nor object is right."""
    options = read_options("alphabetical", {} if given is None else given, _Alphabetical)
    by = options.keyed_by

    def check(value: Any, target: Target) -> Iterator[Result]:
        items = list(value) if isinstance(value, dict | list) else []
        if len(items) < 2:
            return
        if not isinstance(by, msgspec.UnsetType):
            if not all(isinstance(item, dict | list) for item in items):
                yield Result(f"{PROPERTY}must be an object")
                return
            items = [item.get(by, UNDEFINED) if isinstance(item, dict) else UNDEFINED for item in items]
        if any(type_of(item) not in ("string", "number") for item in items):
            yield Result(f"{PROPERTY}must be one of the allowed types: number, string")
            return
        wrong = next((at for at in range(len(items) - 1) if _behind(items[at], items[at + 1])), None)
        if wrong is not None:
            yield _result(value, items, wrong, target, by is not msgspec.UNSET)

    return check


def _result(value: Any, items: list[Any], wrong: int, target: Target, keyed: bool) -> Result:
    if keyed:
        return Result("properties must follow the alphabetical order")
    step = wrong if isinstance(value, list) else items[wrong]
    return Result(f"{shown(items[wrong])} must be placed after {shown(items[wrong + 1])}", (*target.path, step))


def _behind(first: Any, second: Any) -> bool:
    """Does the first belong behind the second? Numbers, and text that is none before what is one, as numbers."""
    left, right = number_of(first), number_of(second)
    if (not isinstance(first, str) or left != left) and (not isinstance(second, str) or right == right):
        return left - right >= 1
    if not isinstance(first, str) or not isinstance(second, str):
        return False
    return _weights(first) > _weights(second)


def _weights(text: str) -> tuple[list[int], list[bool]]:
    """Letters whatever their case first; then small letters before capitals."""
    if not all(character.isalpha() or character in _SIGNS for character in text) or not text.isascii():
        raise Failed(f"alphabetical compares only text of ASCII, and not {shown(text)}")
    places = [_SIGNS.find(character) if not character.isalpha() else ord(character.lower()) for character in text]
    return places, [character.isupper() for character in text]


ORDER: Mapping[str, Function] = {"alphabetical": alphabetical}
