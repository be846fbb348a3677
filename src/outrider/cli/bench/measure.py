"""The measurement: a platform, cars that answer at once, a load, and what all three know of it.

The load is open loop: each request has its time, and its latency counts from then, whatever was slow before. It ends
when the platform recorded the command as executed, as its API tells afterwards.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import typer

from outrider.cli.bench.crew import Crew, crew
from outrider.cli.bench.figures import cpu_seconds, figures, good, used_since, versions
from outrider.cli.bench.load import Endpoint, Load, Shot, request, times
from outrider.cli.cars import Common, simulated
from outrider.cli.client import Target, path, side_by_side
from outrider.cli.command import SETTLES_WITHIN
from outrider.cli.demo.cast import example_params
from outrider.cli.shown import complain, say
from outrider.cli.stage import own_platform, temporary_folder
from outrider.common.ports import Address
from outrider.common.processes import ours
from outrider.domain.lifecycle import OPEN
from outrider.simulator.fleet import vins
from outrider.simulator.record import performed, read_record

WARM_UP = 2.0
"""Seconds of the same load before the measured ones."""
EXPIRES_IN = 30.0
"""Seconds, at most: what is lost is then known soon."""
SEEN_EVERY = 20
"""Every so manieth request asks to be answered when the command is settled: what a client sees, as a check."""


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    rate: float
    seconds: float
    vehicles: int
    models: tuple[str, ...]


class There(msgspec.Struct, frozen=True, kw_only=True):
    """The platform to measure, and where its vehicles connect. `pid`: its process, if it is on this machine."""

    target: Target
    mqtt: Address
    pid: int | None = None


async def measure(bench: Bench, there: There | None) -> dict[str, Any]:
    """Measure this platform, or (None) one of our own: the figures, with what was asked for and on what machine."""
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(temporary_folder("bench"))
        if there is None:
            there = await stack.enter_async_context(_own(folder.path))
        driven = vins(bench.vehicles, 1)
        asking = await stack.enter_async_context(crew(there.target, bench.rate, driven))
        record = folder.path / "cars.jsonl"
        driving = simulated(Common(mqtt=there.mqtt, record=record, pace=0.0), folder.path / "cars.log")
        cars = await stack.enter_async_context(driving)
        catalog = await asking.members[0].get("/v1/catalog")
        models = bench.models or tuple(entry["name"] for entry in catalog["models"])
        say(f"Registering and connecting {bench.vehicles} cars ...")
        registered = await asking.register(dict(zip(driven, cycle(models), strict=False)))
        await cars.join(registered)
        asks = _asks(catalog, {car.vin: car.model for car in registered})
        say(f"Sending {bench.rate:g} commands/s for {bench.seconds:g} s, after {WARM_UP:g} s of warm-up ...")
        shots, cpu = await _shoot(bench, there, asking, asks, _pids(there, cars.pid))
        begin = shots[0].due
        await _settle(asking)
        told = await _told(asking, begin)
        result = figures(shots, told, performed(read_record(record)))
        asked = {"rate": bench.rate, "seconds": bench.seconds, "vehicles": bench.vehicles}
        machine = {"cpus": os.cpu_count(), "versions": versions()}
        if not good(result):
            folder.keep()
            complain(f"The folder is kept: {folder.path}")
        return {**asked, **result, "cpu_seconds": cpu, **machine}


@asynccontextmanager
async def _own(data: Path) -> AsyncIterator[There]:
    say("Starting a platform ...")
    async with own_platform(data) as own:
        yield There(target=own.target, mqtt=own.mqtt, pid=own.pid)


Ask = tuple[str, str, float]
"""A VIN, a service, and for how many seconds the command may wait."""


def _asks(catalog: Mapping[str, Any], models: Mapping[str, str]) -> list[list[Ask]]:
    """For each vehicle what it is asked for in turn: what its model can, needs no parameters, and conflicts with none.

    Raises a BadParameter if that is nothing.
    """
    chosen: list[Mapping[str, Any]] = []
    for service in catalog["services"]:
        names = {service["name"], *(one["name"] for one in chosen)}
        if not example_params(service["params"]) and not names & {*service["conflicts"]}:
            chosen.append(service)
    can = {model["name"]: set(model["services"]) for model in catalog["models"]}
    asks = [
        [(vin, s["name"], min(EXPIRES_IN, s["ttl"])) for s in chosen if s["name"] in can.get(model, ())]
        for vin, model in models.items()
    ]
    if not all(asks):
        raise typer.BadParameter("a model has no service that needs no parameters", param_hint="--model")
    return asks


def turns(vehicles: Sequence[Sequence[Ask]]) -> Iterator[Ask]:
    """Without end: one vehicle after the other, each with its next service."""
    rounds = [cycle(asks) for asks in vehicles]
    while True:
        yield from map(next, rounds)


async def _shoot(
    bench: Bench, there: There, asking: Crew, asks: Sequence[Sequence[Ask]], pids: Mapping[str, int]
) -> tuple[list[Shot], dict[str, float]]:
    """Send everything: the measured requests with their answers, and the CPU time that each process used for them."""
    endpoint = Endpoint.of(there.target.address())
    bearers = {vin: cycle([member.target.bearer() for member in members]) for vin, members in asking.of.items()}
    begin = time.time() + WARM_UP + 0.5
    planned: list[tuple[Shot, bytes]] = []
    for number, (after, (vin, service, wait)) in enumerate(
        zip(times(bench.rate, WARM_UP + bench.seconds), turns(asks), strict=False)
    ):
        shot = Shot(due=begin - WARM_UP + after, vin=vin, waits=number % SEEN_EVERY == 0)
        body = msgspec.json.encode({"service": service, "expires_in": wait})
        to = path("/v1/vehicles/{}/commands", vin)
        planned.append((shot, request(endpoint, to, next(bearers[vin]), body, wait=10 if shot.waits else 0)))
    load = asyncio.create_task(Load(endpoint).run(planned))
    await asyncio.sleep(max(0.0, begin - time.time()))
    before = cpu_seconds(pids)
    await load
    cpu = used_since(before, cpu_seconds(pids))
    return [shot for shot, _ in planned if shot.due >= begin], cpu


def _pids(there: There, cars: int) -> dict[str, int]:
    """The processes whose CPU time is told, by name: those of the platform only if it runs on this machine."""
    data = there.target.data.resolve()
    pids = {} if there.pid is None else {"platform": there.pid}
    for process in ours() if there.pid is not None else ():
        if "run admission" in process.command and process.command.endswith(f"--parent {there.pid}"):
            pids["admission"] = process.pid
        elif process.command.endswith(f"{data}/nats/nats.conf"):
            pids["nats"] = process.pid
        elif f" {data}/gateway/" in process.command:
            pids["gateway"] = process.pid
    return {**pids, "cars": cars, "load": os.getpid()}


async def _settle(asking: Crew) -> None:
    """Wait until no vehicle has an open command, or it is certain that one is lost."""
    longest = max(service["finish_within"] for service in (await asking.members[0].get("/v1/catalog"))["services"])
    ends = time.monotonic() + EXPIRES_IN + longest + SETTLES_WITHIN
    unsettled: list[str] = list(asking.of)

    async def look(vin: str) -> None:
        page = await asking.of[vin][0].get(path("/v1/vehicles/{}/commands", vin), state=sorted(OPEN), limit=1)
        if page["items"]:
            unsettled.append(vin)

    while unsettled and time.monotonic() < ends:
        asked, unsettled = unsettled, []
        await side_by_side(look, asked)
        await asyncio.sleep(0.2 if unsettled else 0)


async def _told(asking: Crew, begin: float) -> dict[str, Mapping[str, Any]]:
    """What the platform tells of every command accepted since, by id."""
    told: dict[str, Mapping[str, Any]] = {}

    async def read(vin: str) -> None:
        async for command in asking.of[vin][0].items(path("/v1/vehicles/{}/commands", vin)):
            if datetime.fromisoformat(command["accepted_at"]).timestamp() < begin - 1:
                return
            told[command["id"]] = command

    await side_by_side(read, asking.of)
    return told
