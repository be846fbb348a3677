"""Tables of reference pages, and the values of a JSON Schema in words."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table in Markdown, line by line."""
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"


def listed(names: Iterable[str]) -> str:
    """Names as code, with commas between."""
    return ", ".join(f"`{name}`" for name in names)


def as_json(value: Any) -> str:
    """The value as JSON on one line."""
    return msgspec.json.encode(value).decode()


def values(member: Mapping[str, Any]) -> str:
    """The values that a member may have, in words: `integer, 60 to 1800, seconds`."""
    facts = [
        member.get("type", "any"),
        as_json(member["enum"]) if "enum" in member else None,
        span(member.get("minimum"), member.get("maximum")),
        span(member.get("minLength"), member.get("maxLength"), " characters"),
        f"in steps of {member['multipleOf']:g}" if "multipleOf" in member else None,
        member.get("x-unit"),
    ]
    return ", ".join(str(fact) for fact in facts if fact)


def span(least: float | None, greatest: float | None, of: str = "") -> str | None:
    """`60 to 1800`, `at least 1`, or nothing."""
    if least is None or greatest is None:
        return f"at least {_number(least)}{of}" if least is not None else _most(greatest, of)
    return f"{_number(least)} to {_number(greatest)}{of}"


def _most(greatest: float | None, of: str) -> str | None:
    return f"at most {_number(greatest)}{of}" if greatest is not None else None


def _number(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
