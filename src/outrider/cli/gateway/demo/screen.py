"""How the demo of gateways looks: what happens, line by line, and below it what became of each product's requests."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import msgspec
import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from outrider.cli.gateway.demo.scene import Act
from outrider.cli.shown import styled
from outrider.cli.terminal import Live

_INDENT = 9
"""Columns before what is told; the time stands there."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A product, and what became of its requests so far. Times are milliseconds, None where there are none. excused:
    failures at a gateway that was dead at that moment. statuses: how many answers of each.
    """

    name: str
    owner: str
    at: str
    release: int
    asked: int
    failed: int
    excused: int
    p50: float | None
    p99: float | None
    statuses: Mapping[str, int] = {}


class Screen(Protocol):
    """What the demo needs of a screen: a word on what it is busy with, and the acts and rows as they now stand."""

    def busy(self, with_what: str, /) -> None: ...
    def show(self, acts: Sequence[Act], rows: Sequence[Row], /) -> None: ...
    def open(self) -> AbstractContextManager[Any]: ...


class Lines:
    """What happens, when it happens, and what became of it; at the end the table."""

    def __init__(self) -> None:
        self._said: set[tuple[str, bool]] = set()

    def busy(self, with_what: str) -> None:
        """Say it."""
        typer.echo(f"{with_what} ...")

    def show(self, acts: Sequence[Act], rows: Sequence[Row]) -> None:
        """Say what is new."""
        for act in acts:
            for ended, lines in ((False, [_headline(act)]), (True, _outcome(act))):
                if (not ended or act.good is not None) and (act.text, ended) not in self._said:
                    self._said.add((act.text, ended))
                    typer.echo("\n".join(lines))

    def open(self) -> AbstractContextManager[Any]:
        """Nothing to open."""
        return nullcontext()


class Picture(Live):
    """All of it in the terminal."""

    def show(self, acts: Sequence[Act], rows: Sequence[Row]) -> None:
        """Draw it."""
        parts: list[Any] = [Text("Three products, each behind its own gateway", style="bold"), ""]
        for act in acts:
            parts.append(Text(_headline(act)))
            if act.good is None:
                self.spinner.update(text=Text(""))
                parts.append(Padding(self.spinner, (0, 0, 0, _INDENT)))
            else:
                parts.append(Padding(Text(act.told, style="green" if act.good else "bold red"), (0, 0, 0, _INDENT)))
        self.draw(*parts, "", table(rows))


def _headline(act: Act) -> str:
    return f"{act.at:5.1f} s  {act.text}"


def _outcome(act: Act) -> list[str]:
    return [" " * _INDENT + line for line in act.told.splitlines()]


def table(rows: Sequence[Row]) -> Table:
    """Each product's requests, failures and latency."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("PRODUCT", "OWNER", "GATEWAY", "RELEASE", "REQUESTS", "FAILED", "P50", "P99"):
        drawn.add_column(head, justify="left" if head in ("PRODUCT", "OWNER", "GATEWAY") else "right", no_wrap=True)
    for row in rows:
        bad = row.failed > row.excused
        failed = Text(str(row.failed), style="bold red" if bad else "yellow" if row.failed else "green")
        cells = (row.name, row.owner, row.at, str(row.release or ""), str(row.asked), failed)
        drawn.add_row(*cells, _milliseconds(row.p50), _milliseconds(row.p99))
    return drawn


def summary(rows: Sequence[Row], seconds: float, wrong: Sequence[str]) -> list[str]:
    """The last lines: how many requests there were, and whether all went as told."""
    asked, failed, excused = (sum(getattr(row, name) for row in rows) for name in ("asked", "failed", "excused"))
    count = f"{asked} requests in {seconds:.1f} s"
    if wrong:
        head = styled("Not as told:", "red", bold=True)
        return ["", f"{count}, {failed} failed, {excused} of them at a dead gateway.", head, *(f"  {w}" for w in wrong)]
    dead = (
        f"{failed} failed: all {excused} came to the gateway that was dead at that moment."
        if failed
        else "none failed."
    )
    return [
        "",
        f"{count}, {dead}",
        styled("No gateway noticed what happened at another, and no publish cost a request.", "green", bold=True),
    ]


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} ms"


def document(acts: Sequence[Act], rows: Sequence[Row], seconds: float, wrong: Sequence[str]) -> Mapping[str, Any]:
    """All of it for programs."""
    return {
        "products": [msgspec.structs.asdict(row) for row in rows],
        "acts": [msgspec.structs.asdict(act) for act in acts],
        "seconds": round(seconds, 3),
        "as_told": not wrong,
        "wrong": list(wrong),
    }
