"""Simulated vehicles in a process of their own: what they cost is then no one else's time.

Only this module knows how the two processes talk. Each is a line of JSON: first what all cars have in common, then one
group of cars after another, each of which comes online at once; the answer is an empty line when they are, or what kept
them. When the input ends, all say goodbye. So they also end when whoever started them was killed.
"""

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from outrider.cli.stage import NotStarted, child
from outrider.common.ports import Address
from outrider.simulator.driver import Car

_LONGEST_LINE = 2**26


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What all cars of a process have in common. `pace` as in `Fleet.start`; `record`: the file that tells of them."""

    mqtt: Address
    record: Path
    pace: float = 1.0
    catalog: tuple[Path, ...] = ()


class Cars:
    """The process, as those see it who started it."""

    def __init__(self, process: Process, log: Path) -> None:
        self.pid = process.pid
        self._process = process
        self._log = log

    async def join(self, cars: Sequence[Car]) -> None:
        """Let these cars come online, and wait until they are. Raises NotStarted."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            await _write(self._process.stdin, cars)
            answer = await self._process.stdout.readline()
        except ConnectionError:
            answer = b""
        if answer != b"\n":
            what = answer.decode().strip() or "the process ended"
            raise NotStarted(f"The simulated cars did not come online: {what}\nTheir log is {self._log}")


@asynccontextmanager
async def simulated(common: Common, log: Path) -> AsyncIterator[Cars]:
    """A process for cars, without any yet, until the block ends."""
    async with child(("-m", "outrider.cli.cars"), log, talks=True) as process:
        assert process.stdin is not None
        await _write(process.stdin, common)
        yield Cars(process, log)


async def _write(stdin: asyncio.StreamWriter, what: object) -> None:
    stdin.write(msgspec.json.encode(what, enc_hook=str) + b"\n")
    await stdin.drain()


async def _drive() -> None:
    """The other side: what the process does."""
    from outrider.adapters.catalog_files import load
    from outrider.simulator.fleet import Fleet, online_within
    from outrider.simulator.record import Record

    lines = asyncio.StreamReader(limit=_LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    common = msgspec.json.decode(await lines.readline(), type=Common, dec_hook=lambda kind, text: kind(text))
    catalog, record, fleets = load(common.catalog), Record(common.record), list[Fleet]()
    mqtt = common.mqtt
    try:
        while line := await lines.readline():
            cars = msgspec.json.decode(line, type=list[Car])
            fleets.append(await Fleet.start(mqtt.host, mqtt.port, cars, catalog, pace=common.pace, record=record))
            try:
                await fleets[-1].wait_online(online_within(len(cars)))
            except TimeoutError as error:
                print(error, flush=True)
            else:
                print(flush=True)
    finally:
        await asyncio.gather(*(fleet.stop() for fleet in fleets))
        record.close()


if __name__ == "__main__":
    from outrider.cli.foreground import loop_factory

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_drive())
