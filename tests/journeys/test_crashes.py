"""The operator's worst night: something is killed in the middle of the load. Nothing is lost or done twice.

Three sides are asked: the client (what got its 202?), the database (what became of it?), the cars' own records (what
did they do, and how often?).
"""

import asyncio
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from outrider.simulator.driver import Car
from outrider.simulator.fleet import vins
from tests.beside import beside
from tests.journeys.world import CERTAINLY_NOT, SETTLED, World, quicker, world

RATE, LOAD = 100, 5.0
KILL_AFTER = 150
"""Commands that have their 202: there is a load to speak of, however slow the machine is."""
CREW = ("alice", "bob", "carol", "dave")
"""Who asks; more than one, for the gateway limits each person."""
INSISTS_FOR = 60.0
"""Seconds for which an insistent client repeats a request that got no 202."""
TTL, FINISH_WITHIN, ACK_WITHIN = 6.0, 2.0, 1.0
SERVICES = ("door-lock", "horn-blow")
"""The second must never be repeated."""
PACE = 0.3
"""Cars so slow that at any moment many commands are on their way, and some wait until their time runs out."""
PROMISE = 5.0
"""Seconds after everything is up again in which what is overdue is settled (law 1)."""
MODELS = ("falcon-electric", "sparrow-van", "merlin-classic")
"""One that de-duplicates, one that does not, one that forgets: the last two perform twice if anyone sends twice."""


class Morning(NamedTuple):
    """What the three sides say: all commands that got a 202, and how often each car performed each command."""

    commands: list[dict[str, Any]]
    performed: dict[tuple[str, str], int]


async def load(w: World, cars: list[str], accepted: list[str]) -> None:
    """Commands in an open loop; `accepted` gets the ids of those that got their 202. What gets none is not asked for
    again.
    """

    async def one(vin: str, service: str, headers: dict[str, str]) -> None:
        try:
            answer = await w.ask(vin, service, headers=headers)
        except httpx.TransportError:
            return  # no answer: no promise
        if answer.status_code == 202:
            accepted.append(answer.json()["id"])

    await in_an_open_loop(w, cars, one)


async def insistent_load(w: World, cars: list[str], accepted: list[str]) -> None:
    """The same by clients that repeat a request under its Idempotency-Key until they get their 202, and then once more:
    however often it was asked for, it is one command.
    """

    async def one(vin: str, service: str, headers: dict[str, str]) -> None:
        keyed = {**headers, "Idempotency-Key": str(uuid4())}
        ends, ids = time.time() + INSISTS_FOR, list[str]()
        while len(ids) < 2:
            assert time.time() < ends, "never got its 202"
            try:
                answer = await w.ask(vin, service, headers=keyed)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 202:
                ids.append(answer.json()["id"])
            else:
                assert answer.json()["retryable"], answer.text
                await asyncio.sleep(0.1)
        assert len(set(ids)) == 1, "asked twice, and two commands came of it"
        accepted.append(ids[0])

    await in_an_open_loop(w, cars, one)
    assert len(accepted) == RATE * LOAD, "one got no 202"


async def in_an_open_loop(w: World, cars: list[str], one: Callable[[str, str, dict[str, str]], Any]) -> None:
    """Each request at its time, whatever became of the others; cars, services and persons take turns."""
    targets = itertools.cycle(itertools.product(cars, SERVICES))
    persons = itertools.cycle(map(w.as_person, CREW))
    begins, tasks = time.time(), []
    for n in range(int(RATE * LOAD)):
        await asyncio.sleep(max(0.0, begins + n / RATE - time.time()))
        tasks.append(asyncio.create_task(one(*next(targets), next(persons))))
    await asyncio.gather(*tasks)


async def night(
    folder: Path,
    disaster: Callable[[World], Awaitable[None]],
    load: Callable[[World, list[str], list[str]], Coroutine[Any, Any, None]] = load,
    pace: float = PACE,
) -> Morning:
    """Load, the disaster in its middle, and what the three sides say in the morning; raises if one command does not
    settle in time.
    """
    hasty = quicker(folder / "catalog", SERVICES, ttl=TTL, ack_within=ACK_WITHIN, finish_within=FINISH_WITHIN)
    async with world(folder, catalog=hasty) as w:
        cars = [
            Car(vin=vin, model=model, credential=await w.add(vin, model, CREW))
            for vin, model in zip(vins(15), itertools.cycle(MODELS))
        ]
        w.readers = itertools.cycle(CREW)
        await w.drive(cars, pace=pace)
        accepted: list[str] = []
        loading = asyncio.create_task(load(w, [car.vin for car in cars], accepted))
        while len(accepted) < KILL_AFTER:
            assert not loading.done(), "there was no load to speak of"
            await asyncio.sleep(0.01)
        await disaster(w)
        up_again = time.time()
        await loading
        morning = max(time.time() + TTL + FINISH_WITHIN, up_again + PROMISE) + 1
        commands = [await w.until(one, within=max(morning - time.time(), 0.1)) for one in accepted]
        return Morning(commands, w.performed())


def judge(after: Morning) -> None:
    """Nothing is lost, done twice, or told untruly."""
    for command in after.commands:
        times = after.performed.get((command["vin"], command["id"]), 0)
        assert times <= 1, f"performed {times} times: {command}"
        if command["state"] == "executed":
            assert times == 1, f"not performed: {command}"
        if command["state"] in CERTAINLY_NOT:
            assert times == 0, f"performed: {command}"
        assert command["state"] in SETTLED
    assert Counter(one["state"] for one in after.commands)["executed"] > len(after.commands) / 2


@beside
def without_platform(folder: Path) -> Morning:
    async def disaster(w: World) -> None:
        w.platform.kill()
        await w.platform.start()

    return asyncio.run(night(folder, disaster))


@beside
def without_nats(folder: Path) -> Morning:
    async def disaster(w: World) -> None:
        os.kill(w.platform.nats_pid, signal.SIGKILL)

    return asyncio.run(night(folder, disaster))


@beside
def without_both(folder: Path) -> Morning:
    async def disaster(w: World) -> None:
        os.kill(w.platform.nats_pid, signal.SIGKILL)
        w.platform.kill()
        await w.platform.start()

    return asyncio.run(night(folder, disaster))


@beside
def without_gateway(folder: Path) -> Morning:
    async def disaster(w: World) -> None:
        before, killed = w.platform.gateway_pid, time.time()
        os.kill(before, signal.SIGKILL)
        while not await w.platform.is_ready() or w.platform.gateway_pid == before:
            assert time.time() < killed + 15
            await asyncio.sleep(0.02)

    return asyncio.run(night(folder, disaster, insistent_load, pace=PACE / 3))


def test_the_platform_is_killed(without_platform: Morning) -> None:
    """kill -9 of the platform under load, then a start: each 202 settles truthfully, no car does it twice (law 1)."""
    judge(without_platform)


def test_nats_is_killed(without_nats: Morning) -> None:
    """kill -9 of NATS under load: it is started again, each 202 settles truthfully, no car does it twice (law 1)."""
    judge(without_nats)


def test_both_are_killed(without_both: Morning) -> None:
    """Power fails for platform and NATS at once: the same holds (law 1)."""
    judge(without_both)


def test_the_gateway_is_killed(without_gateway: Morning) -> None:
    """kill -9 of the Envoy under load: it is back at once, and who repeats with a key gets the one command (law 1)."""
    judge(without_gateway)
