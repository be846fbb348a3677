"""The demo as it runs: asks for every command, follows it, and lets the late cars come when it is their turn.

A scene is one car with its command. What is to be done next is read from what the platform says of the command, never
from a clock alone, so a slow machine plays the same piece slowly.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any
from uuid import uuid4

from outrider.cli.cars import Cars
from outrider.cli.client import Platform, path, side_by_side
from outrider.cli.demo.cast import ORDINARY, Joins, Play, Role, faults
from outrider.cli.truth import Deeds, twice, untrue
from outrider.simulator.driver import Car

STAGGER = 0.12
"""Seconds between two requests, for the eye."""
LOOK_EVERY = 0.15
MOST_LOOKS = 60.0
"""Looks per second at all commands together: a gateway lets one person make 100 requests."""
WITHDRAWN_AFTER, COMES_AFTER = 2.0, 4.0
"""Seconds that a command is seen to be queued before it is withdrawn, or its car comes online."""
PATIENCE = 45.0
"""Seconds after the last request until what is still open counts as lost."""
CALM = 1.0
"""Seconds after the end, in which a car that came too late could still do what it must not do."""


class Scene:
    """One car with its command, and how far it has come. `faults`: in which ways it ended otherwise than it should."""

    def __init__(self, role: Role, car: Car) -> None:
        self.role = role
        self.car = car
        self.command: dict[str, Any] = {}
        self.asked_at = 0.0
        self.faults: list[str] = []
        self._online = role.play.joins is Joins.FIRST
        self._withdrawn = False

    @property
    def play(self) -> Play:
        """What happens in it."""
        return self.role.play

    @property
    def obeys(self) -> bool:
        """Is it one of the simple ones?"""
        return self.play is ORDINARY

    @property
    def state(self) -> str:
        """The state of its command; empty before it is asked for."""
        return str(self.command.get("state", ""))

    @property
    def settled(self) -> bool:
        """Is it over?"""
        return bool(self.command.get("settled"))

    @property
    def seconds(self) -> float | None:
        """How long the command took, or takes so far."""
        if not self.command:
            return None
        if self.settled and "seconds" in self.command:
            return float(self.command["seconds"]["total"])
        return monotonic() - self.asked_at

    async def ask(self, platform: Platform) -> None:
        """Ask for its command; where it is asked twice, the key makes it one."""
        body: dict[str, Any] = {"service": self.role.service, "params": self.role.params}
        if self.role.expires_in is not None:
            body["expires_in"] = self.role.expires_in
        self.asked_at, key = monotonic(), str(uuid4())
        where = path("/v1/vehicles/{}/commands", self.car.vin)
        answers = [await platform.post(where, body, key=key) for _ in range(self.play.asked)]
        self.command = answers[0]
        if len({answer["id"] for answer in answers}) > 1:
            self.faults.append(f"{len(answers)} requests with one Idempotency-Key gave more than one command")

    async def look(self, platform: Platform) -> None:
        """See what has become of its command, and judge it once it is settled."""
        self.command = await platform.get(path("/v1/commands/{}", self.command["id"]))
        if self.settled:
            self.faults += [fault for fault in faults(self.play, self.command) if fault not in self.faults]

    async def direct(self, platform: Platform, cars: Cars) -> None:
        """Withdraw the command, or let the car come online, when it is time for that."""
        queued_for = monotonic() - self.asked_at if self.state == "queued" else 0.0
        if self.play.cancelled and not self._withdrawn and queued_for > WITHDRAWN_AFTER:
            self._withdrawn = True
            await platform.delete(path("/v1/commands/{}", self.command["id"]))
        if not self._online and (self.settled or (self.play.joins is Joins.QUEUED and queued_for > COMES_AFTER)):
            self._online = True
            await cars.join([self.car])


async def perform(scenes: Sequence[Scene], platform: Platform, cars: Cars, show: Callable[[], None]) -> None:
    """Play all scenes to their end; `show` is called whenever there may be something new to see."""
    asking = asyncio.create_task(_ask(scenes, platform))
    try:
        ends = monotonic() + PATIENCE
        while not asking.done() or (_open(scenes) and monotonic() < ends):
            await side_by_side(lambda scene: scene.look(platform), _open(scenes))
            show()
            for scene in [scene for scene in scenes if scene.command]:
                await scene.direct(platform, cars)
            await asyncio.sleep(max(LOOK_EVERY, len(_open(scenes)) / MOST_LOOKS))
        await asking
    finally:
        asking.cancel()
    await asyncio.sleep(CALM)
    await side_by_side(lambda scene: scene.look(platform), scenes)
    show()


async def _ask(scenes: Sequence[Scene], platform: Platform) -> None:
    """The difficult first, for they take longest."""
    for scene in sorted(scenes, key=lambda scene: scene.obeys):
        await scene.ask(platform)
        await asyncio.sleep(STAGGER)


def _open(scenes: Sequence[Scene]) -> list[Scene]:
    return [scene for scene in scenes if scene.command and not scene.settled]


async def judge(scenes: Sequence[Scene], platform: Platform, vins: Sequence[str], deeds: Deeds) -> list[str]:
    """What is not as it should be, asked of both sides: the platform's lists, and the cars' own record."""
    for scene in scenes:
        moved = deeds.get((scene.car.vin, scene.command["id"]), 0)
        if moved != scene.play.moves:
            scene.faults.append(f"the car moved {moved} times for it, not {scene.play.moves}")
    listed: list[dict[str, Any]] = []

    async def read(vin: str) -> None:
        listed.extend([command async for command in platform.items(path("/v1/vehicles/{}/commands", vin))])

    await side_by_side(read, vins)
    return list(_wrong(scenes, listed, deeds))


def _wrong(scenes: Sequence[Scene], listed: Sequence[dict[str, Any]], deeds: Deeds) -> Iterator[str]:
    for scene in scenes:
        for fault in scene.faults if scene.settled else [*scene.faults, f"is still {scene.state}"]:
            yield f"{scene.role.service} at {scene.car.vin}, which {scene.play.shown}: {fault}"
    asked = {scene.command["id"] for scene in scenes}
    known = {command["id"] for command in listed}
    yield from (f"the platform has no command {lost} any more" for lost in sorted(asked - known))
    yield from (f"the platform has a command {extra} that nobody asked for" for extra in sorted(known - asked))
    yield from (f"{vin} did {extra}, which nobody asked for" for vin, extra in deeds if extra not in asked)
    yield from (f"{vin} performed {command} more than once" for vin, command in twice(deeds))
    yield from untrue(listed, deeds)
