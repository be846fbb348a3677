"""An open-loop load: every request has its time, whatever became of those before it.

It speaks HTTP/1.1 by itself, one request at a time on each of many connections that are kept: httpx needs more than a
millisecond of CPU for a request, this a tenth of that, and what measures must weigh less than what it measures.
"""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from time import time
from typing import NamedTuple, Self, cast
from urllib.parse import urlsplit

import httptools
import msgspec

ACCEPTED = 202
MOST_CONNECTIONS = 512
STALE_AFTER = 3.0
"""Seconds of rest after which a connection is not used again: the server may be about to close it (uvicorn: 5 s)."""
GIVES_UP_AFTER = 30.0
"""Seconds to wait for the last answers."""


class Endpoint(NamedTuple):
    """Where the API is."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, url: str) -> Self:
        """From `http://HOST:PORT`."""
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        return cls(parts.hostname or "127.0.0.1", parts.port or (443 if tls else 80), tls)


class Shot(msgspec.Struct, gc=False):
    """One request: when it had to be made, was made and was answered (seconds since 1970), and the answer.

    status 0: there was none. id: of the accepted command; code: of the problem. waits: it asked to be answered when
    the command is settled, and `state` is what it then was told.
    """

    due: float
    vin: str
    waits: bool = False
    made: float = 0.0
    answered: float = 0.0
    status: int = 0
    id: str = ""
    code: str = "no_answer"
    state: str = ""


class _Body(msgspec.Struct):
    id: str = ""
    code: str = ""
    state: str = ""


_body = msgspec.json.Decoder(_Body).decode


def times(rate: float, seconds: float) -> list[float]:
    """When to make each request, in seconds from the start: evenly spaced, `rate` in each second."""
    return [number / rate for number in range(round(rate * seconds))]


def request(endpoint: Endpoint, path: str, token: str, body: bytes, *, wait: float = 0) -> bytes:
    """A POST as it goes on the wire. wait: seconds for which the answer may wait for the command's end."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {endpoint.host}:{endpoint.port}",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    if wait:
        lines.append(f"Prefer: wait={wait:g}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection(asyncio.Protocol):
    """One kept connection, with one request under way or none."""

    def __init__(self, rests: "Callable[[_Connection], None]") -> None:
        self.rested_since = 0.0
        self.transport: asyncio.Transport | None = None
        self._rests = rests
        self._shot: Shot | None = None
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by name

    @property
    def usable(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, shot: Shot, message: bytes) -> None:
        assert self.transport is not None
        self._shot, self._body, shot.made = shot, b"", time()
        self.transport.write(message)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        shot, self._shot = self._shot, None
        if shot is None:
            return self.close()
        shot.answered, shot.status = time(), self._parser.get_status_code()
        try:
            body = _body(self._body)
        except msgspec.MsgspecError:
            body = _Body(code="not_understood")
        shot.id, shot.code, shot.state = body.id, body.code, body.state
        if not self._parser.should_keep_alive():
            self.close()
        return self._rests(self)

    def connection_lost(self, error: Exception | None) -> None:
        shot, self._shot = self._shot, None
        if shot is not None:
            shot.answered = time()
            self._rests(self)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class Load:
    """The connections, and the requests that wait for one of them."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._tls = ssl.create_default_context() if endpoint.tls else None
        self._resting: list[_Connection] = []
        self._waiting: deque[tuple[Shot, bytes]] = deque()
        self._open = 0
        self._under_way = 0
        self._opening: set[asyncio.Task[None]] = set()

    async def run(self, shots: Sequence[tuple[Shot, bytes]]) -> None:
        """Make every request at its time; returns when all are answered, or have had time enough."""
        for shot, message in shots:
            # Rounded up, for timers count milliseconds: never too early. Behind schedule, answers get in all the same.
            await asyncio.sleep(max(0.0, math.ceil(1000 * (shot.due - time())) / 1000))
            self._make(shot, message)
        ends = time() + GIVES_UP_AFTER
        while self._under_way and time() < ends:
            await asyncio.sleep(0.01)
        for connection in self._resting:
            connection.close()

    def _make(self, shot: Shot, message: bytes) -> None:
        self._under_way += 1
        if connection := next(self._rested(), None):
            connection.ask(shot, message)
            return
        self._waiting.append((shot, message))
        if self._open < MOST_CONNECTIONS:
            self._open += 1
            task = asyncio.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _rested(self) -> Iterator[_Connection]:
        """Connections at rest that can be used, the last used first."""
        while self._resting:
            connection = self._resting.pop()
            if connection.usable and time() - connection.rested_since < STALE_AFTER:
                yield connection
            else:
                self._open -= 1
                connection.close()

    async def _connect(self) -> None:
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self._rests), self._endpoint.host, self._endpoint.port, ssl=self._tls
            )
        except OSError:
            self._open -= 1
            if self._waiting:  # it stays unanswered: this is a measurement, not a delivery
                shot, _ = self._waiting.popleft()
                shot.answered = time()
                self._under_way -= 1
        else:
            self._next(connection)

    def _rests(self, connection: _Connection) -> None:
        self._under_way -= 1
        self._next(connection)

    def _next(self, connection: _Connection) -> None:
        if not connection.usable:
            self._open -= 1
        elif self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            connection.rested_since = time()
            self._resting.append(connection)
