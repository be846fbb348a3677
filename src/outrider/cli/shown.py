"""How things are shown: JSON and tables on standard output, everything else on standard error.

Colours only where there is a terminal. Tables are made to fit 100 columns; where there is no terminal nothing is cut,
for a program may be reading.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from outrider.common.words import printable
from outrider.domain.lifecycle import State

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_UNCUT = 10_000
"""Columns where there is no terminal."""

_COLOUR = {
    State.EXECUTED: "green",
    State.REJECTED: "red",
    State.FAILED: "red",
    State.EXPIRED: "yellow",
    State.CANCELLED: "yellow",
    State.SUPERSEDED: "yellow",
    State.UNCONFIRMED: "magenta",
}


def state_colour(state: str) -> str:
    """The colour of a state; open ones are cyan."""
    return {str(known): colour for known, colour in _COLOUR.items()}.get(state, "cyan")


LEVEL_COLOUR = {"error": "red", "warn": "yellow", "info": "cyan", "hint": "cyan"}
"""The colours of how bad a finding or a change is."""


def print_json(value: Any) -> None:
    """The value as JSON, for programs."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def styled(text: str, colour: str | None = None, *, bold: bool | None = None) -> str:
    """The text with its colour, unless the person wants none; where there is no terminal, `typer.echo` drops it."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, fg=colour, bold=bold)


def say(*lines: str) -> None:
    """Something for the person, not for the program that reads standard output."""
    for line in lines:
        typer.echo(line, err=True)


def complain(first: str, *more: str) -> None:
    """What went wrong."""
    typer.echo(styled(first, "red"), err=True)
    say(*more)


def problem_lines(problem: Mapping[str, Any]) -> list[str]:
    """A problem document (RFC 9457) for people: title, what to do, what is wrong with which field."""
    errors = [f"  {error.get('field') or 'body'}: {error.get('message', '')}" for error in problem.get("errors") or ()]
    detail = problem.get("detail")
    hints = {
        "It may have happened all the same.": problem.get("may_have_happened") is True,
        "Trying again later may help.": problem.get("retryable") is True,
        f"trace_id {problem.get('trace_id')}": problem.get("status", 0) >= 500 and "trace_id" in problem,
    }
    title = str(problem.get("title") or "The platform said no")
    return [title, *([str(detail)] if detail else []), *errors, *(hint for hint, holds in hints.items() if holds)]


def console() -> "Console":
    """Where tables go."""
    from rich.console import Console

    plain = Console(highlight=False, markup=False, emoji=False)
    return plain if plain.is_terminal else Console(width=_UNCUT, highlight=False, markup=False, emoji=False)


def columns(*heads: str) -> "Table":
    """An empty table without lines."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def show(*things: "RenderableType") -> None:
    """Print tables and texts, without blanks at line ends."""
    out = console()
    with out.capture() as captured:
        out.print(*things, sep="\n")
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=out.is_terminal)


def show_table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, none: str) -> None:
    """A table; where there are no rows, `none` is said instead."""
    table, empty = columns(*heads), True
    for row in rows:
        table.add_row(*(cell if _renderable(cell) else _text(cell) for cell in row))
        empty = False
    say(none) if empty else show(table)


def show_facts(facts: Iterable[tuple[str, str]]) -> None:
    """What is known of one thing, name by name."""
    table = columns("", "")
    table.show_header = False
    for name, value in facts:
        table.add_row(name, printable(value))
    show(table)


def coloured(state: str, text: str | None = None) -> Any:
    """A text in the colour of a state."""
    from rich.text import Text

    return Text(text or state, style=state_colour(state))


def _renderable(cell: Any) -> bool:
    return hasattr(cell, "__rich_console__")


def _text(cell: Any) -> str:
    return "" if cell is None else printable(str(cell))


def short_time(time: str | None) -> str:
    """An RFC 3339 time to the second: `2026-11-22 02:14:05Z`."""
    return "" if time is None else f"{time[:10]} {time[11:19]}Z"


def assignments(values: Mapping[str, Any] | None) -> str:
    """`temperature=21 duration=600`."""
    return " ".join(f"{name}={plain(value)}" for name, value in (values or {}).items())


def plain(value: Any) -> str:
    """A value as a person types it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
