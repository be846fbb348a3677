"""Ending a gateway so that nobody's request is cut off: SIGTERM alone would do just that.

First it says farewell: every answer tells its caller to come back on another connection. Then it takes no new
connections, and ends when all that was asked is answered, or when the time for it is over; then streams end, too.
"""

import asyncio
import time

import msgspec

from outrider.gateway.envoy import Admin, NotAnswering, NotRunning

GRACE = 10.0
"""Seconds for what is under way when a gateway is stopped."""
HAND_OVER_GRACE = 60.0
"""Seconds for what is under way when its successor serves already: no one waits for its end."""
NOTICE = 1.0
"""Seconds in which one that has a successor still takes what callers far away were about to send it."""
_IDLE = 1.0
"""Seconds for connections that rest: whoever uses one now and then is told on it that it ends."""
_LOOK_EVERY = 0.05
_STATS = r"^http\.ingress\.downstream_(rq_active|cx_active|cx_tx_bytes_buffered)$"


class Remaining(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway still has to do: requests and streams under way, connections, bytes of answers not sent yet."""

    requests: int
    connections: int
    unsent: int = 0

    @property
    def answered(self) -> bool:
        """Has all that was asked its answer?"""
        return self.requests == 0 and self.unsent == 0


async def drain(admin: Admin, *, grace: float, succeeded: bool = False) -> Remaining:
    """Let a gateway finish. What is left of it when the time is over, or nothing; then it may be ended.

    succeeded: another serves at the same address already, so resting connections get all the time there is.
    """
    try:
        await admin.post("/healthcheck/fail")  # its answers say `connection: close`, or GOAWAY on HTTP/2
        if succeeded:
            await admin.post("/drain_listeners?graceful&skip_exit")
            await asyncio.sleep(NOTICE)
        await admin.post("/drain_listeners")
        return await _finished(admin, grace, grace if succeeded else min(_IDLE, grace))
    except (NotRunning, NotAnswering):  # it is gone, or hangs: there is nothing to wait for
        return Remaining(requests=0, connections=0)


async def _finished(admin: Admin, grace: float, idle: float) -> Remaining:
    began = time.monotonic()
    while True:
        remaining, waited = await _remaining(admin), time.monotonic() - began
        if remaining.connections == 0 or waited >= grace or (remaining.answered and waited >= idle):
            return remaining
        await asyncio.sleep(_LOOK_EVERY)


async def _remaining(admin: Admin) -> Remaining:
    figures = {name.rpartition(".downstream_")[2]: int(value) for name, value in (await admin.stats(_STATS)).items()}
    return Remaining(
        requests=figures.get("rq_active", 0),
        connections=figures.get("cx_active", 0),
        unsent=figures.get("cx_tx_bytes_buffered", 0),
    )
