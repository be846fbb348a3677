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
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from outrider.adapters.catalog_files import SHIPPED
from outrider.simulator.driver import Car
from outrider.simulator.fleet import vins
from tests.journeys.world import CERTAINLY_NOT, SETTLED, World, world

RATE, LOAD, KILL_AFTER = 100, 5.0, 2.0
CREW = ("alice", "bob", "carol", "dave")
"""Who asks; more than one, for the gateway limits each person."""
INSISTS_FOR = 20.0
"""Seconds for which an insistent client repeats a request that got no 202."""
TTL, FINISH_WITHIN, ACK_WITHIN = 6.0, 2.0, 1.0
PACE = 0.3
"""Cars so slow that at any moment many commands are on their way, and some wait until their time runs out."""
PROMISE = 5.0
"""Seconds after everything is up again in which what is overdue is settled (law 1)."""
MODELS = ("falcon-electric", "sparrow-van", "merlin-classic")
"""One that de-duplicates, one that does not, one that forgets: the last two perform twice if anyone sends twice."""


@pytest.fixture
def hasty(tmp_path: Path) -> Path:
    """A catalog whose promises are short, so that a night is short too. The horn must never be repeated."""
    folder = tmp_path / "catalog"
    (folder / "services").mkdir(parents=True)
    for service in ("door-lock", "horn-blow"):
        lines = (SHIPPED / "services" / f"{service}.yaml").read_text().splitlines()
        short = {"ttl": TTL, "ack_within": ACK_WITHIN, "finish_within": FINISH_WITHIN}
        hasty = [f"{key}: {short[key]}" if (key := line.split(":")[0]) in short else line for line in lines]
        (folder / "services" / f"{service}.yaml").write_text("\n".join(hasty) + "\n")
    return folder


async def load(w: World, cars: list[str]) -> list[str]:
    """Commands in an open loop; the ids of those that got their 202. What gets none is not asked for again."""
    accepted: list[str] = []

    async def one(vin: str, service: str, headers: dict[str, str]) -> None:
        try:
            answer = await w.ask(vin, service, headers=headers)
        except httpx.TransportError:
            return  # no answer: no promise
        if answer.status_code == 202:
            accepted.append(answer.json()["id"])

    await in_an_open_loop(w, cars, one)
    return accepted


async def insistent_load(w: World, cars: list[str]) -> list[str]:
    """The same by clients that repeat a request under its Idempotency-Key until they get their 202, and then once more:
    however often it was asked for, it is one command.
    """
    accepted: list[str] = []

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
    return accepted


async def in_an_open_loop(w: World, cars: list[str], one: Callable[[str, str, dict[str, str]], Any]) -> None:
    """Each request at its time, whatever became of the others; cars, services and persons take turns."""
    targets = itertools.cycle(itertools.product(cars, ("door-lock", "horn-blow")))
    persons = itertools.cycle(map(w.as_person, CREW))
    begins, tasks = time.time(), []
    for n in range(int(RATE * LOAD)):
        await asyncio.sleep(max(0.0, begins + n / RATE - time.time()))
        tasks.append(asyncio.create_task(one(*next(targets), next(persons))))
    await asyncio.gather(*tasks)


async def survives(
    w: World,
    disaster: Callable[[World], Any],
    load: Callable[[World, list[str]], Any] = load,
    pace: float = PACE,
) -> None:
    """Load, the disaster in its middle, and in the morning the three sides."""
    cars = [
        Car(vin=vin, model=model, credential=await w.add(vin, model, CREW))
        for vin, model in zip(vins(15), itertools.cycle(MODELS))
    ]
    w.readers = itertools.cycle(CREW)
    await w.drive(cars, pace=pace)
    loading = asyncio.create_task(load(w, [car.vin for car in cars]))
    await asyncio.sleep(KILL_AFTER)
    await disaster(w)
    up_again = time.time()
    accepted = await loading
    assert len(accepted) > RATE * LOAD / 4, "there was no load to speak of"

    morning = max(time.time() + TTL + FINISH_WITHIN, up_again + PROMISE) + 1
    commands = {}
    for command_id in accepted:
        commands[command_id] = await w.until(command_id, within=max(morning - time.time(), 0.1))

    performed = w.performed()
    print(Counter(c["state"] for c in commands.values()))
    for command_id, command in commands.items():
        times = performed.get((command["vin"], command_id), 0)
        assert times <= 1, f"performed {times} times: {command}"
        if command["state"] == "executed":
            assert times == 1, f"not performed: {command}"
        if command["state"] in CERTAINLY_NOT:
            assert times == 0, f"performed: {command}"
        assert command["state"] in SETTLED
    assert Counter(c["state"] for c in commands.values())["executed"] > len(commands) / 2


async def test_the_platform_is_killed(tmp_path: Path, hasty: Path) -> None:
    """kill -9 of the platform under load, then a start: each 202 settles truthfully, no car does it twice (law 1)."""
    async with world(tmp_path, catalog=hasty) as w:

        async def disaster(w: World) -> None:
            w.platform.kill()
            await w.platform.start()

        await survives(w, disaster)


async def test_nats_is_killed(tmp_path: Path, hasty: Path) -> None:
    """kill -9 of NATS under load: it is started again, each 202 settles truthfully, no car does it twice (law 1)."""
    async with world(tmp_path, catalog=hasty) as w:

        async def disaster(w: World) -> None:
            os.kill(w.platform.nats_pid, signal.SIGKILL)

        await survives(w, disaster)


async def test_both_are_killed(tmp_path: Path, hasty: Path) -> None:
    """Power fails for platform and NATS at once: the same holds (law 1)."""
    async with world(tmp_path, catalog=hasty) as w:

        async def disaster(w: World) -> None:
            os.kill(w.platform.nats_pid, signal.SIGKILL)
            w.platform.kill()
            await w.platform.start()

        await survives(w, disaster)


async def test_the_gateway_is_killed(tmp_path: Path, hasty: Path) -> None:
    """kill -9 of the Envoy under load: it is back at once, and who repeats with a key gets the one command (law 1)."""
    async with world(tmp_path, catalog=hasty) as w:

        async def disaster(w: World) -> None:
            before, killed = w.platform.gateway_pid, time.time()
            os.kill(before, signal.SIGKILL)
            while not await w.platform.is_ready() or w.platform.gateway_pid == before:
                assert time.time() < killed + 15
                await asyncio.sleep(0.02)
            print(f"the gateway was back after {time.time() - killed:.2f} s")

        await survives(w, disaster, insistent_load, pace=PACE / 3)
