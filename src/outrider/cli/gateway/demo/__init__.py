"""`outrider gateway demo`: three products behind their own gateways, a death, a change, three mistakes and a night."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import typer

from outrider.cli.asking import Exit, Json
from outrider.cli.shown import complain, print_json, show

if TYPE_CHECKING:
    from outrider.cli.gateway.demo.scene import Play
    from outrider.cli.gateway.demo.screen import Row, Screen

SHOWN_EVERY = 0.25
"""Seconds between two looks at the figures."""


def demo(as_json: Json = False) -> None:
    """Start three products, each behind its own gateway, and see what they stand; it ends by itself.

    While real traffic goes through all of them, one gateway is killed, a change is published, three broken ones are
    refused, and one is taken back. Everything runs on free ports in a temporary folder; nothing stays behind. The exit
    code is 0 only if all went as told: nothing failed but requests to the gateway that was dead at that moment.
    """
    from outrider.cli.foreground import loop_factory, unless_told
    from outrider.cli.stage import NotStarted
    from outrider.gateway.envoy import NoEnvoy

    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            told = runner.run(unless_told(_demo(as_json)))
    except (NotStarted, NoEnvoy) as error:
        complain(*str(error).splitlines())
        raise typer.Exit(Exit.NO) from None
    except asyncio.CancelledError:  # SIGTERM
        raise typer.Exit(Exit.INTERRUPTED) from None
    if as_json:
        print_json(told)
    if not told["as_told"]:
        raise typer.Exit(Exit.NO)


async def _demo(as_json: bool) -> Mapping[str, Any]:
    from outrider.cli.gateway.demo.screen import Lines, Picture, document, summary, table
    from outrider.cli.stage import temporary_folder
    from outrider.cli.terminal import Silence
    from outrider.gateway.envoy import version

    version()  # raises NoEnvoy before anything is started
    began = monotonic()
    screen: Screen = Silence() if as_json else Picture() if sys.stdout.isatty() else Lines()
    async with temporary_folder("gateways") as folder:
        with screen.open():
            play, wrong = await _play(folder.path, screen, began)
        seconds, rows = monotonic() - began, _rows(play)
        if not as_json:
            if isinstance(screen, Lines):
                typer.echo()
                show(table(rows))
            typer.echo("\n".join(summary(rows, seconds, wrong)))
        if wrong:
            folder.keep()
            complain(f"What was written is kept: {folder.path}")
        return {**document(play.acts, rows, seconds, wrong), "kept": str(folder.path) if wrong else None}


async def _play(folder: Path, screen: "Screen", began: float) -> "tuple[Play, list[str]]":
    """Everything from the start of the services to their stop: the play, and what went otherwise than told."""
    from outrider.cli.gateway.demo.scene import perform
    from outrider.cli.gateway.demo.stage import set_stage

    async with set_stage(folder, screen.busy) as play:
        showing = asyncio.create_task(_show(play, screen))
        try:
            wrong = await perform(play, began, lambda: screen.show(play.acts, _rows(play)))
        finally:
            showing.cancel()
    late = len(play.not_excused())
    return play, wrong or ([f"{late} requests failed: {play.not_excused()[-1]}"] if late else [])


async def _show(play: "Play", screen: "Screen") -> None:
    while True:
        await asyncio.sleep(SHOWN_EVERY)
        screen.show(play.acts, _rows(play))


def _rows(play: "Play") -> "list[Row]":
    from outrider.cli.bench.figures import percentile
    from outrider.cli.gateway.demo.cast import PARTS
    from outrider.cli.gateway.demo.screen import Row

    rows = []
    for part in PARTS:
        load = play.loads[part.name]
        ordered = sorted(load.latencies)
        p50, p99 = (None if (p := percentile(ordered, one)) is None else round(1000 * p, 2) for one in (50, 99))
        row = Row(
            name=part.name,
            owner=part.owner,
            at=str(play.places[part.name].listen),
            release=play.live(part.name),
            asked=load.asked,
            failed=load.failed,
            excused=load.failed - len(play.not_excused(part.name)),
            p50=p50,
            p99=p99,
            statuses={str(status): count for status, count in sorted(load.statuses.items())},
        )
        rows.append(row)
    return rows
