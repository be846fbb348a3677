"""The least and the most of something: of a number, of characters, of items, of members."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import msgspec

from outrider.gateway.diff.schemas_comparing import Pair
from outrider.gateway.diff.schemas_meaning import Alternative
from outrider.gateway.findings import Change
from outrider.gateway.lint.not_understood import Failed, NotUnderstood
from outrider.gateway.lint.regex import regex

Bound: TypeAlias = tuple[Fraction, bool]
"""A number, and whether it is itself left out."""


class Limit(msgspec.Struct, frozen=True):
    """A keyword that counts: how ids call it, and what they say where it was not there before, or is not any more."""

    keyword: str
    name: str
    upper: bool
    added: str
    removed: str
    least: int = 0


LENGTHS = (
    Limit("minLength", "min-length", False, "increased", "decreased"),
    Limit("maxLength", "max-length", True, "set", "unset"),
)
ITEMS = (
    Limit("minItems", "min-items", False, "set", "unset"),
    Limit("maxItems", "max-items", True, "set", "unset"),
)
MEMBERS = (
    Limit("minProperties", "min-properties", False, "increased", "decreased"),
    Limit("maxProperties", "max-properties", True, "set", "unset"),
)


def counts(
    pair: Pair, given: Alternative, asked: Alternative, limits: tuple[Limit, ...], known: tuple[int, ...] = ()
) -> Iterator[Change]:
    """Where what is given may have more or fewer than is asked for. known: how many it has, one for each value there
    is; or the least that it has anyway.
    """
    for limit in limits:
        wanted = _tightest(asked, limit)
        there = _tightest(given, limit)
        if known and (not limit.upper or given.values is not None):
            extreme = max(known) if limit.upper else min(known)
            there = extreme if there is None else (min if limit.upper else max)(there, extreme)
        if wanted is None or (wanted == 0 and not limit.upper):
            continue
        if there is not None and (there <= wanted if limit.upper else there >= wanted):
            continue
        yield pair.tell(
            f"{limit.name}-{_happened(pair, limit.upper, there is None, limit)}",
            *pair.points(given, asked, limit.keyword),
            given=0 if there is None and not limit.upper else there,
            asked=wanted,
        )


def bounds(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """Where the number that is given may be less or more than is asked for."""
    for upper, name in ((False, "min"), (True, "max")):
        wanted, there = bound(asked, upper, counted=False), bound(given, upper)
        if wanted is None or (there is not None and not _beyond(there, wanted, upper)):
            continue
        keywords = ("maximum", "exclusiveMaximum") if upper else ("minimum", "exclusiveMinimum")
        limit = Limit("", "", upper, "set", "unset")
        yield pair.tell(
            f"{'exclusive-' if wanted[1] else ''}{name}-{_happened(pair, upper, there is None, limit)}",
            *pair.points(given, asked, *keywords),
            given=None if there is None else _number(there[0]),
            asked=_number(wanted[0]),
        )


def bound(alternative: Alternative, upper: bool, *, counted: bool = True) -> Bound | None:
    """The tightest; of whole numbers the last one that is within. counted: the values that there are say it, too."""
    found = [each for part in alternative.parts for each in _bounds(part.schema.value, upper)]
    if alternative.values is not None and counted:
        found.append((Fraction((max if upper else min)(alternative.values)), False))
    if not found:
        return None
    sign = -1 if upper else 1
    tightest = max(found, key=lambda each: (each[0] * sign, each[1]))
    return _within(tightest, upper) if alternative.whole else tightest


def _happened(pair: Pair, upper: bool, absent: bool, limit: Limit) -> str:
    if absent:
        return pair.by_side(limit.added, limit.removed)
    return "decreased" if upper == pair.requests else "increased"


def _tightest(alternative: Alternative, limit: Limit) -> int | None:
    said = [part.schema.value[limit.keyword] for part in alternative.parts if limit.keyword in part.schema.value]
    numbers = [each for each in said if isinstance(each, (int, float))]
    return int((min if limit.upper else max)(numbers)) if numbers else None


def _bounds(schema: dict[str, Any], upper: bool) -> Iterator[Bound]:
    """In OpenAPI 3.0 `exclusiveMinimum` is true or false and speaks of `minimum`; later it is a number itself."""
    limit, exclusive = ("maximum", "exclusiveMaximum") if upper else ("minimum", "exclusiveMinimum")
    beside = schema.get(exclusive)
    if _is_number(each := schema.get(limit)):
        yield exact(each), beside is True
    if _is_number(beside):
        yield exact(beside), True


def _within(limit: Bound, upper: bool) -> Bound:
    number, exclusive = limit
    if exclusive and number.denominator == 1:
        return number + (-1 if upper else 1), False
    return Fraction(number.__floor__() if upper else number.__ceil__()), False


def _beyond(given: Bound, asked: Bound, upper: bool) -> bool:
    """Does what is given reach further than what is asked for?"""
    if given[0] == asked[0]:
        return asked[1] and not given[1]
    return given[0] > asked[0] if upper else given[0] < asked[0]


def exact(number: Any) -> Fraction:
    """The number as it is written: 0.1 is a tenth."""
    return Fraction(str(number))


def matches(pattern: str, text: str) -> bool | None:
    """Is the pattern found in the text, as JavaScript looks for it? None: it is none, or takes too long."""
    try:
        return regex(pattern).search(text)
    except (NotUnderstood, Failed):
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
