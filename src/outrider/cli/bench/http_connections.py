"""The kept connections of an HTTP load: a schedule hands out requests, the connections at rest take them in turn.

It speaks HTTP/1.1 by itself, one request at a time on each connection.
"""

import asyncio
import os
import random
import ssl
from collections import deque
from collections.abc import Coroutine, Iterator, Sequence
from itertools import cycle
from time import monotonic
from typing import TYPE_CHECKING, cast

import httptools

from outrider.cli.bench.alarm import Alarm

if TYPE_CHECKING:
    from outrider.cli.bench.http_load import Request, Traffic

_LOOK_EVERY = 0.1
"""Seconds between two looks for requests that have had time enough."""


class Load:
    """The schedule, the connections at rest and those closed, and the requests that wait for one."""

    def __init__(
        self,
        requests: "Sequence[Request]",
        told: "Traffic",
        connections: int,
        within: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.endpoint = requests[0].endpoint
        self.within = within
        self.tls = tls or (ssl.create_default_context() if self.endpoint.tls else None)
        self._told = told
        self._turns = cycle(requests)
        self._all = [Connection(self) for _ in range(connections)]
        self._closed = deque(self._all)
        self._resting: deque[Connection] = deque()
        self._waiting: deque[tuple[float, Request]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._due = 0.0
        self._gaps: Iterator[float] = iter(())
        self._alarm: Alarm | None = None

    async def open(self) -> None:
        """Open all connections; those that can't be are tried again when a request needs them."""
        await asyncio.gather(*(self._closed.popleft().open() for _ in self._all))

    def start(self, rate: float, even: bool) -> None:
        """Begin with the schedule."""
        chance = random.Random(1)  # noqa: S311 - the same arrivals each time
        self._gaps = iter((lambda: 1 / rate) if even else (lambda: chance.expovariate(rate)), None)
        self._alarm = Alarm(self._make_those_due)
        self._spawn(self._give_up_late_ones())
        self._due = monotonic() + next(self._gaps)
        self._alarm.set(self._due)

    def stop(self) -> None:
        """Make no more requests."""
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None

    async def settled(self) -> None:
        """Until no request is under way; none is for longer than it may."""
        while self._under_way:
            await asyncio.sleep(0.005)

    def close(self) -> None:
        """End everything at once."""
        self.stop()
        for task in self._tasks:
            task.cancel()
        for connection in self._all:
            connection.close()

    def answered(self, due: float, request: "Request", status: int) -> None:
        """The answer to a request is complete."""
        self._under_way -= 1
        self._told.answer(due, request, status)

    def unanswered(self, due: float, request: "Request", why: str) -> None:
        """There will be no answer."""
        self._under_way -= 1
        self._told.fail(due, request, why)

    def rests(self, connection: "Connection") -> None:
        """A connection can take a request."""
        if self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            self._resting.append(connection)

    def closed(self, connection: "Connection") -> None:
        """A connection is gone."""
        if connection in self._resting:
            self._resting.remove(connection)
        self._closed.append(connection)
        if self._waiting:
            self._open_for(*self._waiting.popleft())

    def _make_those_due(self) -> None:
        now = monotonic()
        self._told.late = max(self._told.late, now - self._due)
        while self._due <= now:
            self._make(self._due, next(self._turns))
            self._due += next(self._gaps)
        if self._alarm is not None:
            self._alarm.set(self._due)

    def _make(self, due: float, request: "Request") -> None:
        self._told.asked += 1
        self._under_way += 1
        if self._resting:
            self._resting.popleft().ask(due, request)
        elif self._closed:
            self._open_for(due, request)
        else:
            self._waiting.append((due, request))

    def _open_for(self, due: float, request: "Request") -> None:
        self._spawn(self._closed.popleft().open((due, request)))

    async def _give_up_late_ones(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            limit = monotonic() - self.within
            while self._waiting and self._waiting[0][0] < limit:
                self.unanswered(*self._waiting.popleft(), "no connection was free in time")
            for connection in self._all:
                connection.give_up_before(limit)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Connection(asyncio.Protocol):
    """One kept connection, with one request under way or none."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._asked: tuple[float, Request] | None = None
        self._begun = False
        self._why = ""
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    async def open(self, first: "tuple[float, Request] | None" = None) -> None:
        """Connect, and make that request, which has failed if this does."""
        load, loop = self._load, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(load.within):
                await loop.create_connection(lambda: self, load.endpoint.host, load.endpoint.port, ssl=load.tls)
        except OSError as error:
            if first is not None:
                load.unanswered(*first, f"not connected: {_reason(error)}")
            load.closed(self)
            return
        if self._transport is None:  # closed at once
            if first is not None:
                load.unanswered(*first, "connection closed before the request")
        elif first is not None:
            self.ask(*first)
        else:
            load.rests(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self._parser, self._why = httptools.HttpResponseParser(self), ""

    def ask(self, due: float, request: "Request") -> None:
        """Make a request now."""
        assert self._transport is not None
        self._asked, self._begun = (due, request), False
        self._transport.write(request.message)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._why = "an answer that is not HTTP"
            self.close()

    def on_message_begin(self) -> None:
        self._begun = True

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # 100 Continue and the like announce the answer
            return
        asked, self._asked = self._asked, None
        if asked is None:  # an answer that nobody asked for
            self.close()
            return
        self._load.answered(*asked, status)
        if self._parser.should_keep_alive():
            self._load.rests(self)
        else:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        asked, self._asked, self._transport = self._asked, None, None
        if asked is not None:
            moment = "in the middle of the answer" if self._begun else "before the answer"
            self._load.unanswered(*asked, self._why or f"connection closed {moment}")
        self._load.closed(self)

    def give_up_before(self, limit: float) -> None:
        """End the request under way if it was due before that moment."""
        if self._asked is not None and self._asked[0] < limit:
            self._why = "no answer in time"
            self.close()

    def close(self) -> None:
        """End the connection, and a request with it."""
        if self._transport is not None:
            self._transport.abort()


def _reason(error: OSError) -> str:
    """Why there is no connection; asyncio's own words name the address each time."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error.strerror) if isinstance(error, ssl.SSLError) else os.strerror(error.errno or 0)
