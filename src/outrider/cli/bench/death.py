"""Killing a gateway under load, and when it serves again as those see it who send the load."""

import asyncio
import os
import signal
from time import monotonic

import msgspec

from outrider.cli.bench.http_load import Traffic
from outrider.common.processes import look, until_gone

_LOOK_EVERY = 0.005


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """killed: when. gone: when its process had ended. back: when a request that was due afterwards got its answer; None
    if none did in time. Moments of `monotonic()`.
    """

    killed: float
    gone: float
    back: float | None

    @property
    def seconds(self) -> float | None:
        """How long nobody served."""
        return None if self.back is None else self.back - self.killed

    def excuses(self, due: float) -> bool:
        """May a request that was due then have failed? Those under way at the death, and those before the return."""
        return self.back is None or due < self.back


async def kill(pid: int, load: Traffic, within: float) -> Death:
    """`kill -9`, and wait until the load is answered again."""
    process, before = look(pid), len(load.due)
    killed = monotonic()
    os.kill(pid, signal.SIGKILL)
    if process is not None:
        await until_gone(process)
    gone = monotonic()
    while (back := _answered(load, before, gone)) is None and monotonic() < gone + within:
        await asyncio.sleep(_LOOK_EVERY)
    return Death(killed=killed, gone=gone, back=back)


def _answered(load: Traffic, before: int, moment: float) -> float | None:
    """When the first answer came to a request that was due after that moment; `before`: answers that are older."""
    answers = zip(load.due[before:], load.latencies[before:], strict=True)
    return min((due + seconds for due, seconds in answers if due > moment), default=None)
