"""`outrider gateway status`: how the gateways are."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.asking import Exit, Json
from outrider.cli.gateway.asking import STATE, StateFolder, refusals
from outrider.cli.shown import assignments, complain, console, print_json, say, short_time, show_facts, show_table

if TYPE_CHECKING:
    from outrider.gateway.status import Standing

_WIDE = 130
"""Columns of a terminal in which all of the table has room."""
_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def status(
    product: Annotated[str | None, typer.Argument(metavar="[PRODUCT]", help="All about this one.")] = None,
    as_json: Json = False,
    state: StateFolder = STATE,
) -> None:
    """Show what is live and how its gateways are, whether or not one watches them. Exit code 1 if one does not serve.

    Requests count since the gateway was started, and times of answers, in milliseconds, are Envoy's estimate.
    """
    from outrider.gateway.running import watcher
    from outrider.gateway.status import SERVES, standings
    from outrider.gateway.store import State

    with refusals():
        states = State(state)
        if product:
            states.product(product).published()
        names = [product] if product else states.products()
        faults: list[str] = []
        found = asyncio.run(standings((states.product(name) for name in names), faults))
    if as_json:
        print_json(found)
    elif product:
        for one in found:
            show_facts(_facts(one))
    else:
        if found or not faults:
            _show(found)
        if found:
            by = watcher(states.folder)
            say(f"Process {by} watches them." if by else "Nobody watches them: `outrider gateway up` does.")
    if faults:
        complain(*faults)
    if faults or any(one.state != SERVES for one in found):
        raise typer.Exit(Exit.NO)


def _show(found: "Sequence[Standing]") -> None:
    wide = console().width >= _WIDE
    columns = [(head, cell) for head, only_wide, cell in _COLUMNS if wide or not only_wide]
    rows = ([cell(one) for _, cell in columns] for one in found)
    heads = [head for head, _ in columns]
    show_table(heads, rows, none="No product is live here: outrider gateway publish FOLDER")


def _release(one: "Standing") -> str:
    return f"{one.release}" if len(one.split) == 1 else f"{one.release} {assignments(one.split)}"


def _healthy(one: "Standing") -> str:
    upstreams = one.figures.upstreams.values() if one.figures else ()
    return f"{sum(up for up, _ in upstreams)}/{sum(every for _, every in upstreams)}" if upstreams else ""


def _count(name: str) -> "Callable[[Standing], object]":
    return lambda one: getattr(one.figures, name) if one.figures else ""


def _facts(one: "Standing") -> Iterator[tuple[str, str]]:
    yield "product", one.product
    yield "owner", one.owner
    yield "address", str(one.address)
    yield "release", f"{one.release}, {assignments(one.split)}"
    yield "state", one.state + (", of an earlier start: outrider gateway restart" if one.restart else "")
    if one.pid:
        yield "process", f"{one.pid} of user {one.user}, Envoy {one.envoy or 'unknown'}"
        yield "since", short_time(one.since) or "unknown"
    if one.others:
        yield "finishing", f"process {', '.join(map(str, one.others))}"
    if figures := one.figures:
        yield "requests", f"{figures.requests}, {figures.active} under way"
        yield "answers", f"2xx {figures.successes}, 4xx {figures.client_errors}, 5xx {figures.server_errors}"
        if figures.p50 is not None:
            yield "times", f"p50 {_ms(figures.p50)} ms, p99 {_ms(figures.p99)} ms"
        for name, (up, every) in figures.upstreams.items():
            yield f"version {name}", f"{up} of {every} healthy"
    yield "keys", f"since {short_time(one.keys_since)}" if one.keys_since else "none are needed"
    if one.keys_problem:
        yield "", f"can't be read now: {one.keys_problem}"
    for number, difference in enumerate(one.drift):
        yield "" if number else "drift", difference
    if not one.drift:
        yield "drift", "none"


def _ms(time: float | None) -> str:
    return "" if time is None else "<1" if time < 1 else f"{time:.0f}"


def _ago(time: str | None) -> str:
    if time is None:
        return ""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()
    size, unit = next((span for span in _SPANS if seconds >= span[0]), _SPANS[-1])
    return f"{max(seconds, 0) / size:.0f} {unit}"


_COLUMNS: "tuple[tuple[str, bool, Callable[[Standing], object]], ...]" = (
    ("PRODUCT", False, lambda one: one.product),
    ("OWNER", True, lambda one: one.owner),
    ("ADDRESS", False, lambda one: one.address),
    ("RELEASE", False, _release),
    ("STATE", False, lambda one: one.state),
    ("SINCE", False, lambda one: _ago(one.since)),
    ("PROCESS", True, lambda one: one.pid),
    ("2XX", False, _count("successes")),
    ("4XX", False, _count("client_errors")),
    ("5XX", False, _count("server_errors")),
    ("P50", True, lambda one: _ms(one.figures.p50 if one.figures else None)),
    ("P99", False, lambda one: _ms(one.figures.p99 if one.figures else None)),
    ("UP", False, _healthy),
    ("KEYS", True, lambda one: "unread" if one.keys_problem else _ago(one.keys_since)),
    ("DRIFT", False, lambda one: "yes" if one.drift else "no"),
)
"""Heads, whether only where there is room, and what stands below them."""
