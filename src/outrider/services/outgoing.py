"""Outgoing: turns a dispatch into the message that the vehicle understands, and gives it to the link. Keeps nothing.

Its stream delivers a dispatch once and it is acknowledged before it is given to the link, so that no crash sends one
twice (law 6). What is past its expiry is dropped here, and processing is told that it did not leave (law 2).
"""

import asyncio
from collections.abc import Callable

import structlog

from outrider.domain.messages import DidNotLeave, Dispatch
from outrider.services.needs import Bus, Link, Reader

log = structlog.get_logger()


class Outgoing:
    """`run` until cancelled. `read` turns a message's bytes into a dispatch."""

    def __init__(
        self,
        bus: Bus,
        reader: Reader,
        link: Link,
        read: Callable[[bytes], Dispatch],
        clock: Callable[[], float],
    ) -> None:
        self._bus = bus
        self._reader = reader
        self._link = link
        self._read = read
        self._clock = clock
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await self._link.start(self._not_reachable)
        async for batch in self._reader.batches():
            await self._reader.ack(batch)
            for message in batch:
                await self._send(message.data)

    async def _send(self, data: bytes) -> None:
        try:
            dispatch = self._read(data)
        except ValueError as error:
            log.error("dispatch_unreadable", error=str(error))
            return
        if self._clock() >= dispatch.expires_at:
            self._tell(dispatch.vin, dispatch.command_id, dispatch.attempt, "expired")
            return
        try:
            await self._link.send(dispatch)
        except Exception as error:  # did it leave? then the command stays `sent`: unknown, which is never untrue
            log.error("link_failed", command_id=dispatch.command_id, error=repr(error))

    async def _not_reachable(self, vin: str, command_id: str, attempt: int) -> None:
        self._tell(vin, command_id, attempt, "not_reachable")

    def _tell(self, vin: str, command_id: str, attempt: int, reason: str) -> None:
        """Tell processing without holding up the next dispatch."""
        fact = DidNotLeave(vin=vin, command_id=command_id, attempt=attempt, reason=reason)
        task = asyncio.create_task(self._announce(f"{command_id}-unsent-{attempt}", fact))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _announce(self, message_id: str, fact: DidNotLeave) -> None:
        try:
            await self._bus.tell(message_id, [fact])
        except Exception as error:  # then the command stays `sent`: unknown, which is never untrue
            log.warning("did_not_leave_lost", message_id=message_id, error=repr(error))
