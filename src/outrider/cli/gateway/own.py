"""Gateways of one's own: `outrider gateway` as a person would use it, on a state folder that nothing else uses.

Only this module knows how such gateways are started for a demo or a measurement, when they can be used, and how they
are ended so that nothing of them stays behind.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from outrider.cli.bench.http_load import Request, until_answered
from outrider.cli.stage import NotStarted, program
from outrider.common.child import last_words
from outrider.common.processes import end
from outrider.gateway import generations
from outrider.gateway.store import Instance, State

STOPS_WITHIN = 60.0
"""Seconds for all gateways to end what they have under way and stop."""
_POLL_EVERY = 0.2
"""Seconds between two questions to a gateway that does not answer yet."""


class Said(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class Own:
    """A folder of products, the environment in which they run, and the state folder."""

    def __init__(self, products: Path, environment: Path, state: Path, log: Path) -> None:
        self.products = products
        self.environment = environment
        self.state = State(state)
        self.log = log

    async def command(self, *words: str | Path, placed: bool = False) -> Said:
        """Run one `outrider gateway` command to its end, beside the products. placed: it asks for an environment."""
        where = ("--state", str(self.state.folder), *(("--environment", str(self.environment)) if placed else ()))
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "outrider", "gateway", *map(str, words), *where),
            cwd=self.products.parent,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            out, err = await running.communicate()
        finally:
            await running.wait()  # also when we are told to stop: what it changes it changes whole
        return Said(running.returncode or 0, out.decode(), err.decode())

    @asynccontextmanager
    async def up(self, *options: str) -> AsyncIterator[Process]:
        """`outrider gateway up` on all products until the block ends; they are not ready yet."""
        where = ("--state", str(self.state.folder), "--environment", str(self.environment))
        words = ("gateway", "up", str(self.products), *where, "--parent", str(os.getpid()), *options)
        try:
            async with program(
                (sys.executable, "-m", "outrider", *words), self.log, stops_within=STOPS_WITHIN
            ) as process:
                yield process
        finally:
            for left in generations.find(self._instances()).values():  # what a killed watcher leaves behind
                for one in left:
                    await end(one.process)

    def pids(self) -> dict[str, int]:
        """The process of each gateway, by product; those that were not started are left out."""
        found = {name: self.state.product(name).instance().process() for name in self.state.products()}
        return {name: started.process.pid for name, started in found.items() if started is not None}

    def _instances(self) -> list[Instance]:
        return [one for name in self.state.products() for one in self.state.product(name).instances()]

    async def until_answered(self, watcher: Process, requests: Iterable[Request], within: float) -> None:
        """Until each of them has got an answer that it expects, and each gateway is on record. Raises NotStarted."""
        each = (until_answered(request, within, _POLL_EVERY) for request in requests)
        all_of_them, ended = asyncio.ensure_future(asyncio.gather(*each)), asyncio.ensure_future(watcher.wait())
        try:
            await asyncio.wait((all_of_them, ended), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise self._not_started(f"`outrider gateway up` ended with exit code {ended.result()}")
            all_of_them.result()
            async with asyncio.timeout(within):
                while len(self.pids()) < len(self.state.products()):  # one answers a moment before it is written down
                    await asyncio.sleep(_POLL_EVERY)
        except TimeoutError as error:
            raise self._not_started(error) from None
        finally:
            all_of_them.cancel()
            ended.cancel()
            await asyncio.gather(all_of_them, ended, return_exceptions=True)

    def _not_started(self, why: object) -> NotStarted:
        return NotStarted(f"The gateways did not start: {why}\n{last_words(self.log)}\nTheir log is {self.log}")
