"""`outrider gateway up`: all gateways, watched until Ctrl-C."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.asking import Exit
from outrider.cli.gateway.asking import STATE, Environment, Grace, OneUser, StateFolder, refusals
from outrider.cli.shown import assignments, complain, say, show_table

if TYPE_CHECKING:
    from outrider.gateway.faults import Refused
    from outrider.gateway.running import Watch
    from outrider.gateway.store import State

AT_ONCE = 4
"""How many are published at the same time; Envoy checks each, and that takes a processor."""


def up(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="The products, or one of them; without it, all that is live here."),
    ] = None,
    environment: Environment = "local",
    state: StateFolder = STATE,
    grace: Grace = 10.0,
    one_user: OneUser = False,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start a gateway for each product and watch them until Ctrl-C; then each finishes what it has begun, and stops.

    A product that was never published gets release 1; every other serves its live release, and if its folder says
    something else that is told. What is published for the first time later on is started as well. A gateway that runs
    already is taken over without a request noticing, also when this command was killed. A product that can't run is
    told, and the others do; the exit code is 1 then, at the end.
    """
    from outrider.cli.foreground import run_until_told
    from outrider.gateway.store import State

    told = _Told()

    async def live(stopping: asyncio.Event) -> None:
        await _live(State(state), folder, environment, told, stopping, own_users=not one_user, grace=grace)

    with refusals():
        run_until_told(live, parent)
    if told.refused:
        raise typer.Exit(Exit.NO)


class _Told:
    """The products that can't run, or not as their folder says."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self._said: set[str] = set()

    def complain(self, name: str, error: "Refused") -> None:
        """Say why; what is wrong for many, such as a file of the environment's, only once."""
        self.refused.add(name)
        if news := [text for text in map(str, error.faults) if text not in self._said]:
            complain(*news)
        self._said.update(news)


async def _live(
    state: "State",
    folder: Path | None,
    environment: str,
    told: _Told,
    stopping: asyncio.Event,
    *,
    own_users: bool,
    grace: float,
) -> None:
    from outrider.gateway.reading import find_environment, products_in
    from outrider.gateway.running import watching

    folders = products_in(folder) if folder else []
    where = find_environment(folder, environment) if folder else Path()
    published = set(state.products())
    await _publish([one for one in folders if _name(one) not in published], state, where, told)
    names = [name for name in map(_name, folders) if name not in told.refused] if folder else sorted(published)
    if told.refused and not names:
        return
    if folder and (others := sorted(published - set(map(_name, folders)))):
        say(f"Not started, for {folder} has no such product: {', '.join(others)}")
    async with watching(state, names, own_users=own_users, grace=grace, newcomers=True) as watch:
        told.refused |= set(watch.broken)
        _show(state, watch)
        if not stopping.is_set():
            differing = [one for one in folders if _name(one) in published]
            comparing = asyncio.create_task(_compare(differing, state, where, told))
            await watch.failed
            await comparing


async def _publish(folders: Sequence[Path], state: "State", where: Path, told: _Told) -> None:
    """Give each of these products its first release."""
    from outrider.gateway import provenance
    from outrider.gateway.faults import Refused
    from outrider.gateway.publishing import publish
    from outrider.gateway.reading import read_product

    turn = asyncio.Semaphore(AT_ONCE)

    async def one(folder: Path, by: str) -> None:
        async with turn:
            try:
                commit = await asyncio.to_thread(provenance.commit, folder)
                read = read_product(folder, where)
                await publish(state, read, by=by, commit=commit, reason="first start", now=datetime.now(UTC))
            except Refused as error:
                told.complain(_name(folder), error)

    if folders:
        by = provenance.author(folders[0])
        await asyncio.gather(*(one(folder, by) for folder in folders))


async def _compare(folders: Sequence[Path], state: "State", where: Path, told: _Told) -> None:
    """Tell of each product whose folder is not what is live. Nobody has to wait for it."""
    from outrider.gateway.drift import differs
    from outrider.gateway.faults import Refused
    from outrider.gateway.reading import read_product

    for folder in folders:
        name = _name(folder)
        release = state.product(name).release(state.product(name).published().release)
        try:
            read = await asyncio.to_thread(read_product, folder, where)
            if differs(read, release):
                say(f"{name}: release {release.number} is live, its folder differs: outrider gateway publish {folder}")
        except Refused as error:
            told.complain(name, error)
            say(f"{name}: release {release.number} is live all the same")


def _name(folder: Path) -> str:
    return folder.absolute().name


def _show(state: "State", watch: "Watch") -> None:
    show_table(("PRODUCT", "ADDRESS", "RELEASE", "SPLIT", "PROCESS", "USER"), _rows(state, watch), none="")
    say("Ctrl-C stops them.")


def _rows(state: "State", watch: "Watch") -> Iterator[Sequence[object]]:
    for name, gateway in watch.gateways.items():
        live = state.product(name).published()
        yield name, gateway.address, live.release, assignments(live.split), gateway.pid, gateway.user
