"""What a gateway adds to a request: the same load straight to the upstream, through a gateway, and through others.

All stand ready during the whole measurement and take turns, a few seconds each, round after round, so that whatever
else happens on the machine hits all alike. A figure is the median of the rounds. Load, upstream and proxies are
processes of their own.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from outrider.cli.bench.figures import cpu_seconds, versions
from outrider.cli.bench.gateway_figures import DIRECT, GATEWAY, Turn, added
from outrider.cli.bench.generated import Generated
from outrider.cli.bench.http_load import Request, fire
from outrider.cli.bench.rivals import RIVALS
from outrider.cli.shown import say
from outrider.cli.stage import program, temporary_folder
from outrider.common.ports import LOOPBACK, Address, free_ports

WARM_UP = 1.0
"""Seconds of load on each before the first round, at most."""
READY_WITHIN = 30.0


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. seconds: of one turn."""

    rates: tuple[float, ...]
    rounds: int
    seconds: float


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One way to the upstream. pid: of the proxy; None: there is none."""

    name: str
    request: Request
    pid: int | None


async def measure(bench: Bench) -> dict[str, Any]:
    """Measure, with everything in a temporary folder: the figures, with what was asked for and on what machine."""
    async with temporary_folder("bench") as folder, _targets(folder.path) as targets:
        for target in targets:
            await fire(target.request, max(bench.rates), min(WARM_UP, bench.seconds))
        turns: list[Turn] = []
        for number in range(bench.rounds):
            say(f"Round {number + 1} of {bench.rounds} ...")
            first = number % len(targets)
            for rate in bench.rates:
                turns += [await _turn(target, rate, bench.seconds) for target in targets[first:] + targets[:first]]
        absent = {rival.name: rival.install for rival in RIVALS if rival.binary() is None}
        if not all(turn.failed == 0 for turn in turns):
            folder.keep()
        asked_for = {"rounds": bench.rounds, "seconds": bench.seconds}
        return {**asked_for, **added(turns), "absent": absent, "cpus": os.cpu_count(), "versions": versions()}


async def _turn(target: Target, rate: float, seconds: float) -> Turn:
    pids = {} if target.pid is None else {target.name: target.pid}
    before = cpu_seconds(pids)
    made = await fire(target.request, rate, seconds)
    used = sum(cpu_seconds(pids).values()) - sum(before.values())
    return Turn(
        name=target.name,
        rate=rate,
        asked=made.asked,
        failed=made.failed,
        latencies=tuple(sorted(made.latencies)),
        late=made.late,
        cpu=used if pids else None,
    )


@asynccontextmanager
async def _targets(folder: Path) -> AsyncIterator[list[Target]]:
    """All ways to one upstream, ready. Raises NotStarted."""
    generated = Generated(folder, 1)
    [(product, listen)] = generated.listens.items()
    rivals = [rival for rival in RIVALS if rival.binary() is not None]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(generated.answering())
        targets = [Target(name=DIRECT, request=generated.request(generated.upstream), pid=None)]
        await generated.publish()
        watcher = await stack.enter_async_context(generated.own.up())
        targets.append(Target(name=GATEWAY, request=generated.request(listen), pid=None))
        for rival, port in zip(rivals, free_ports(len(rivals)), strict=True):
            at = Address(LOOPBACK, port)
            argv = rival.command(at, generated.upstream, folder)
            process = await stack.enter_async_context(program(argv, folder / f"{rival.name}-output.log"))
            targets.append(Target(name=rival.name, request=generated.request(at), pid=process.pid))
        await generated.own.until_answered(watcher, [target.request for target in targets], READY_WITHIN)
        pids = {GATEWAY: generated.own.pids()[product]}
        yield [msgspec.structs.replace(target, pid=pids.get(target.name, target.pid)) for target in targets]
