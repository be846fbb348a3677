"""Sets of characters as JavaScript's regular expressions know them (ECMA-262, 22.2.2), as sorted, disjoint ranges.

A character is a UTF-16 unit, or a code point in a pattern with the flag `u`.
"""

from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]

LAST = 0x10FFFF

NONE: Ranges = ()
ALL: Ranges = ((0, LAST),)
LINE_ENDS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
DIGITS: Ranges = ((0x30, 0x39),)
WORDS: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACES: Ranges = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same characters in the fewest ranges."""
    whole: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if whole and first <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(last, whole[-1][1]))
        else:
            whole.append((first, last))
    return tuple(whole)


def others(ranges: Ranges) -> Ranges:
    """All characters that are not in it."""
    gaps, start = [], 0
    for first, last in ranges:
        if start < first:
            gaps.append((start, first - 1))
        start = last + 1
    if start <= LAST:
        gaps.append((start, LAST))
    return tuple(gaps)


def holds(ranges: Ranges, character: int) -> bool:
    return any(first <= character <= last for first, last in ranges)


def either_case(ranges: Ranges) -> Ranges:
    """With what flag `i` takes for the same, in a pattern without `u`."""
    of_ascii = all(
        last < 0x80 for _, last in ranges
    )  # whose other case is of ASCII too, and the whole table takes long
    alike = [
        (other, other)
        for character, equals in _equals(0x80 if of_ascii else 0x10000).items()
        if holds(ranges, character)
        for other in equals
        if other != character
    ]
    return merged((*ranges, *alike)) if alike else ranges


@cache
def _equals(end: int) -> dict[int, list[int]]:
    """Each UTF-16 unit below `end` that shares its canonical form with others there, and all that do."""
    by_form: dict[int, list[int]] = {}
    for character in range(end):
        by_form.setdefault(_canonical(character), []).append(character)
    return {character: alike for alike in by_form.values() if len(alike) > 1 for character in alike}


def _canonical(character: int) -> int:
    """ECMA-262, 22.2.2.7.3: the capital, if it is one unit, and not of ASCII where the character was not."""
    capital = chr(character).upper()
    if len(capital) != 1 or ord(capital) > 0xFFFF or (character >= 0x80 > ord(capital)):
        return character
    return ord(capital)
