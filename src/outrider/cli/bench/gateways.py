"""Many gateways on one machine: how long until all answer, what they take while nothing happens, and what becomes of
the others when one of them dies under load.
"""

import asyncio
import os
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from outrider.cli.bench.death import Death, kill
from outrider.cli.bench.figures import cpu_seconds, versions
from outrider.cli.bench.gateways_figures import judged
from outrider.cli.bench.generated import Generated
from outrider.cli.bench.http_load import Traffic, traffic
from outrider.cli.shown import say
from outrider.cli.stage import temporary_folder

UP_WITHIN = 180.0
"""Seconds after which it is given up that all come up."""
BACK_WITHIN = 30.0
BESIDE = 19
"""Gateways under load beside the one that is killed, at most."""
RATE, RATE_OF_THE_KILLED = 25.0, 200.0
"""Requests per second to each; more to the killed one, for they tell when it is back."""
AROUND = 1.0
"""Seconds of load before the death and after the return."""


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. idle: seconds for which the gateways are watched while nothing happens."""

    count: int
    idle: float
    one_user: bool


async def measure(bench: Bench) -> dict[str, Any]:
    """Measure, with everything in a temporary folder: the figures, with what was asked for and on what machine.

    Raises NotStarted.
    """
    async with temporary_folder("bench") as folder:
        generated = Generated(folder.path, bench.count)
        async with generated.answering():
            say(f"Publishing {bench.count} products ...")
            began = monotonic()
            await generated.publish()
            published = monotonic() - began
            say("Starting their gateways ...")
            began = monotonic()
            async with generated.own.up(*(("--one-user",) if bench.one_user else ())) as watcher:
                await generated.own.until_answered(watcher, generated.requests(), UP_WITHIN)
                up = monotonic() - began
                figures = await _figures(generated, watcher.pid, bench.idle)
        timed = {"publish_seconds": round(published, 2), "up_seconds": round(up, 2)}
        machine = {"cpus": os.cpu_count(), "versions": versions()}
        return judged({"count": bench.count, **timed, **figures, **machine})


async def _figures(generated: Generated, watcher: int, idle: float) -> dict[str, Any]:
    pids = generated.own.pids()
    say(f"All answer. Watching them idle for {idle:g} s ...")
    everyone = {**pids, "watcher": watcher}
    before = cpu_seconds(everyone)
    await asyncio.sleep(idle)
    after = cpu_seconds(everyone)
    used = {name: (after[name] - before[name]) / idle for name in before if name in after}
    memory = {"memory_bytes": pss(pids.values()), "watcher_memory_bytes": pss([watcher])}
    cpu = {
        "idle_cpu_percent": round(100 * sum(share for name, share in used.items() if name != "watcher"), 1),
        "watcher_idle_cpu_percent": round(100 * used.get("watcher", 0.0), 1),
    }
    say("Killing one of them under load ...")
    return {**memory, **(cpu if used else {}), "death": await _death(generated, pids)}


async def _death(generated: Generated, pids: Mapping[str, int]) -> dict[str, Any]:
    """One is killed; it and a sample of the others are under load."""
    killed, *others = list(generated.listens)
    asked = {name: generated.request(generated.listens[name]) for name in (killed, *others[:BESIDE])}
    async with AsyncExitStack() as stack:
        loads: dict[str, Traffic] = {}
        for name, request in asked.items():
            rate, connections = (RATE_OF_THE_KILLED, 8) if name == killed else (RATE, 2)
            loads[name] = await stack.enter_async_context(traffic(request, rate, connections=connections))
        await asyncio.sleep(AROUND)
        death = await kill(pids[killed], loads[killed], BACK_WITHIN)
        await asyncio.sleep(AROUND)
    own = loads.pop(killed)
    return {
        "back_seconds": None if death.seconds is None else round(death.seconds, 3),
        "failed": own.failed,
        "failed_before_or_after": _not_excused(own, death),
        "others": len(loads),
        "others_requests": sum(load.asked for load in loads.values()),
        "others_failed": sum(load.failed for load in loads.values()),
    }


def _not_excused(load: Traffic, death: Death) -> int:
    return sum(failure.at < death.killed or not death.excuses(failure.due) for failure in load.failures)


def pss(pids: Iterable[int]) -> int | None:
    """The memory of these processes in bytes, what they share counted once; None where that can't be told."""
    total = 0
    try:
        for pid in pids:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return None
    return 1024 * total
