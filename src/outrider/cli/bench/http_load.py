"""An open-loop HTTP/1.1 load against any URL: every request has its time, whatever became of those before it.

A latency counts from the moment at which the request was due, so a server that stalls pays for all who had to wait.
Nothing is made a second time: a request that gets no answer has failed, and it is said when and how. It weighs little
beside what it measures: some 70 microseconds of CPU for a request on uvloop.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

from outrider.cli.bench.http_connections import Load
from outrider.cli.bench.load import Endpoint

CONNECTIONS = 32
WITHIN = 10.0
"""Seconds after which a request without an answer has failed."""


class Request:
    """One kind of request. name: of the operation, for the counts. expects: the statuses that are no failure."""

    def __init__(
        self,
        url: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        expects: Iterable[int] = (200,),
        name: str = "",
    ) -> None:
        parts = urlsplit(url)
        self.name = name or f"{method} {parts.path}"
        self.expects = frozenset(expects)
        self.endpoint = Endpoint.of(url)
        told = {"host": parts.netloc, **{name.lower(): value for name, value in (headers or {}).items()}}
        if body or method in ("POST", "PUT", "PATCH"):
            told["content-length"] = str(len(body))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        self.message = "\r\n".join(lines).encode() + body


class Failure(NamedTuple):
    """A request that failed. due, at: when it had to be made, and when it had failed (`monotonic()`)."""

    due: float
    at: float
    name: str
    why: str


class Traffic:
    """What became of the load so far.

    latencies: of the expected answers, seconds from when a request was due to the end of its answer; due: when each of
    these was due (`monotonic()`). late: by how many seconds at most the generator itself fell behind its schedule.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.statuses: Counter[int] = Counter()
        self.operations: Counter[tuple[str, int]] = Counter()
        self.due: list[float] = []
        self.latencies: list[float] = []
        self.failures: list[Failure] = []
        self.late = 0.0

    @property
    def failed(self) -> int:
        """How many got no answer, or one that was not expected."""
        return len(self.failures)

    def __str__(self) -> str:
        why = ", ".join(f"{count} x {text}" for text, count in Counter(f.why for f in self.failures).most_common(5))
        return f"{self.asked} requests, {self.failed} failed" + (f": {why}" if why else "")

    def answer(self, due: float, request: Request, status: int) -> None:
        """Note an answer that is complete."""
        self.statuses[status] += 1
        self.operations[request.name, status] += 1
        if status in request.expects:
            self.due.append(due)
            self.latencies.append(monotonic() - due)
        else:
            self.fail(due, request, f"status {status}")

    def fail(self, due: float, request: Request, why: str) -> None:
        """Note a failure."""
        self.failures.append(Failure(due, monotonic(), request.name, why))


@asynccontextmanager
async def traffic(
    requests: Request | Sequence[Request],
    rate: float,
    *,
    connections: int = CONNECTIONS,
    even: bool = False,
    within: float = WITHIN,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Traffic]:
    """`rate` requests in each second for as long as the block runs; at its end those under way are waited for.

    Where there are several requests they take turns, all to the server of the first. Arrivals are a Poisson process, or
    evenly spaced if `even`. All connections are opened before the first request, kept, and used in turn; one that
    breaks is opened anew by the next request that needs it.
    """
    told = Traffic()
    load = Load([requests] if isinstance(requests, Request) else requests, told, connections, within, tls)
    try:
        await load.open()
        load.start(rate, even)
        yield told
        load.stop()
        await load.settled()
    finally:
        load.close()


async def fire(
    requests: Request | Sequence[Request], rate: float, seconds: float, *, connections: int = CONNECTIONS
) -> Traffic:
    """Such a load for so many seconds, and what became of it."""
    async with traffic(requests, rate, connections=connections) as made:
        await asyncio.sleep(seconds)
    return made


async def ask(request: Request, within: float = WITHIN) -> int:
    """Make one request on a connection of its own; the status of its answer, 0 if there was none."""
    tls = ssl.create_default_context() if request.endpoint.tls else None
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection(request.endpoint.host, request.endpoint.port, ssl=tls)
            try:
                writer.write(request.message)
                words = (await reader.readline()).split()
            finally:
                writer.close()
    except OSError:  # a TimeoutError is one too
        return 0
    return int(words[1]) if len(words) > 1 else 0


async def until_answered(request: Request, within: float, every: float = 0.05) -> None:
    """Make it again and again until the answer is one that it expects. TimeoutError says what came last."""
    ends = monotonic() + within
    while (status := await ask(request)) not in request.expects:
        if monotonic() > ends:
            came = f"its last answer was {status}" if status else "it did not answer"
            raise TimeoutError(f"{request.name} at {request.endpoint.host}:{request.endpoint.port}: {came}")
        await asyncio.sleep(every)
