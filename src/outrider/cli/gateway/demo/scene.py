"""The demo as it runs: traffic through every gateway, and what happens to it while one dies and a team publishes.

Each scene says what became of it, or raises NotAsTold. After each it is looked at whether a request failed that had no
right to: only those to a gateway that is dead at that moment may.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from shutil import move
from time import monotonic
from typing import Any

import msgspec

from outrider.cli.bench.death import Death, kill
from outrider.cli.bench.http_load import Request, Traffic, ask
from outrider.cli.gateway.demo.cast import CHARGING, MAPS, NEW_OPERATION, Draft, Place
from outrider.cli.gateway.own import Own, Said

CALM = 0.7
"""Seconds of traffic before a scene ends, in which it could still go wrong."""
BACK_WITHIN = 15.0


class NotAsTold(Exception):
    """Something went otherwise than the demo tells it."""


class Act(msgspec.Struct, kw_only=True):
    """A scene as it is shown. at, took: seconds, from the start of the demo and of its own. told: what became of it.
    good: None while it is played.
    """

    text: str
    at: float
    took: float = 0.0
    told: str = ""
    good: bool | None = None


class Play:
    """All that the scenes work with: the gateways, where they are, the traffic through each, and charging's files."""

    def __init__(self, own: Own, places: Mapping[str, Place], loads: Mapping[str, Traffic], draft: Draft) -> None:
        self.own = own
        self.places = places
        self.loads = loads
        self.draft = draft
        self.acts: list[Act] = []
        self.deaths: dict[str, Death] = {}

    def not_excused(self, *names: str) -> list[str]:
        """The failures that had no right to be, at these products or at all, in words."""
        return [
            f"{name}: {failure.name}: {failure.why}"
            for name in names or self.loads
            for failure in self.loads[name].failures
            if not self._excuses(name, failure.due, failure.at)
        ]

    def _excuses(self, name: str, due: float, at: float) -> bool:
        death = self.deaths.get(name)
        return death is not None and at >= death.killed and death.excuses(due)

    async def publish(self, draft: Draft) -> Said:
        """`outrider gateway publish`, with this in charging's folder."""
        draft.write(self.own.products / CHARGING)
        return await self.own.command("publish", f"{self.own.products.name}/{CHARGING}", placed=True)

    def live(self, name: str = CHARGING) -> int:
        """The number of a product's live release."""
        live = self.own.state.product(name).live()
        return live.release if live else 0

    async def new_operation(self) -> int:
        """The status of charging's new operation, asked without a token."""
        return await ask(Request(f"http://{self.places[CHARGING].listen}{NEW_OPERATION}"))


async def traffic_flows(play: Play) -> str:
    """Every gateway answers."""
    await asyncio.sleep(CALM)
    asked = sum(load.asked for load in play.loads.values())
    kinds = sum(len({name for name, _ in load.operations}) for load in play.loads.values())
    _demand(all(load.latencies for load in play.loads.values()), "a gateway does not answer")
    return f"{asked} requests of {kinds} kinds, among them some that must be refused; each got its answer"


async def one_dies(play: Play) -> str:
    """The gateway of map-updates is killed."""
    before = {name: load.failed for name, load in play.loads.items()}
    death = await kill(play.own.pids()[MAPS], play.loads[MAPS], BACK_WITHIN)
    play.deaths[MAPS] = death
    _demand(death.seconds is not None, f"it was not back after {BACK_WITHIN:g} s")
    await asyncio.sleep(CALM)
    missed = play.loads[MAPS].failed - before[MAPS]
    return f"serves again after {death.seconds:.2f} s; {missed} of its requests met nobody, the others did not notice"


async def change(play: Play) -> str:
    """Charging publishes an operation more and a higher limit: routes and listener change together."""
    was = await play.new_operation()
    said = await play.publish(play.draft)
    _demand(said.code == 0, f"it was refused: {said.err.strip()}")
    now = await play.new_operation()
    _demand((was, now) == (404, 200), f"GET {NEW_OPERATION} was {was} and is {now}, not 404 and 200")
    return f"release {play.live()} is live; GET {NEW_OPERATION} was {was} and is {now}; no request failed"


async def mistake_in_the_files(play: Play) -> str:
    """A mistake that is found by reading."""
    return await _refused(play, play.draft.with_a_name_used_twice(), "openapi.yaml:")


async def mistake_for_envoy(play: Play) -> str:
    """A mistake that only Envoy finds."""
    return await _refused(play, play.draft.with_a_pattern_too_long(), "Envoy")


async def mistake_for_callers(play: Play) -> str:
    """A mistake that breaks those who call it, and a rule."""
    return await _refused(play, play.draft.with_callers_forgotten(), "credential-in-url", "removed-without-deprecation")


async def _refused(play: Play, draft: Draft, *names: str) -> str:
    live = play.live()
    said = await play.publish(draft)
    why = said.err.strip()
    _demand(said.code == 1, f"it was not refused (exit code {said.code}): {why}")
    for name in names:
        _demand(name in why, f"it was refused without a word of {name}: {why}")
    _demand(play.live() == live, f"release {play.live()} is live, not {live}")
    return f"{why}\nrelease {live} stays"


async def night(play: Play) -> str:
    """Charging goes back to its first release, without its folder."""
    move(play.own.products / CHARGING, play.own.products.with_name("gone"))
    said = await play.own.command("rollback", CHARGING, "--reason", "night shift")
    _demand(said.code == 0, f"it was refused: {said.err.strip()}")
    now, live = await play.new_operation(), play.live()
    source = play.own.state.product(CHARGING).release(live).source
    _demand((now, source) == (404, 1), f"GET {NEW_OPERATION} is {now}, and release {live} is that of {source}")
    return f"release {live} is release {source} again; GET {NEW_OPERATION} is {now}; no request failed"


Scene = Callable[[Play], Coroutine[Any, Any, str]]

SCENES: tuple[tuple[str, Scene], ...] = (
    ("Traffic through the gateway of each product", traffic_flows),
    (f"kill -9 the gateway of {MAPS}", one_dies),
    (f"{CHARGING} publishes a change under load: one operation more, a higher limit", change),
    (f"{CHARGING} publishes a mistake: two operations with one operationId", mistake_in_the_files),
    (f"{CHARGING} publishes a mistake that only Envoy finds: a pattern too long for it", mistake_for_envoy),
    (
        f"{CHARGING} publishes a mistake: an operation is gone that callers use, and a token is in the URL",
        mistake_for_callers,
    ),
    (f"At night, the product's folder is gone: rollback {CHARGING}", night),
)


async def perform(play: Play, began: float, show: Callable[[], None]) -> list[str]:
    """Play all scenes, whatever becomes of them; what went otherwise than told."""
    for text, scene in SCENES:
        act, start, known = Act(text=text, at=monotonic() - began), monotonic(), len(play.not_excused())
        play.acts.append(act)
        show()
        try:
            act.told = await scene(play)
            await asyncio.sleep(CALM)
            failed = play.not_excused()[known:]
            _demand(not failed, f"{len(failed)} requests failed: {'; '.join(failed[:3])}")
            act.good = True
        except NotAsTold as wrong:
            act.told, act.good = str(wrong), False
        act.took = monotonic() - start
        show()
    return [f"{act.text}: {act.told}" for act in play.acts if not act.good]


def _demand(holds: bool, else_: str) -> None:
    if not holds:
        raise NotAsTold(else_)
