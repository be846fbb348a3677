"""The HTTP server on a real port: the heads that it refuses, and those that it must not; and behind a gateway."""

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from outrider.adapters import http_protocol, http_server
from outrider.adapters.http_protocol import LARGEST_HEAD
from outrider.adapters.http_server import HttpServer
from outrider.common.ports import LOOPBACK, Address

ANYWHERE = Address(LOOPBACK, 0)
GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


class Echo:
    """An application that answers with what it got: the path and the size of the body. `/slow` waits for `go`."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.gone = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return
            size, more = size + len(message["body"]), message["more_body"]
        if scope["path"] == "/slow":
            await self.go.wait()
        body = f"{scope['path'][:9]} {size} {len(scope['headers'])};".encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


class Connection:
    """A client that sends what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *packets: bytes, pause: float = 0.0) -> None:
        for packet in packets:
            self._writer.write(packet)
            await self._writer.drain()
            await asyncio.sleep(pause)

    async def answers(self, end: bytes) -> str:
        """What comes until `end` came."""
        async with asyncio.timeout(5):
            return (await self._reader.readuntil(end)).decode()

    async def last_words(self) -> str:
        """What comes until the server closes."""
        async with asyncio.timeout(5):
            return (await self._reader.read()).decode()

    async def flood(self, chunk: bytes) -> tuple[int, str]:
        """Send without end, until the server has said its last word; how much was sent, and the word."""
        sent, reading = 0, asyncio.create_task(self.last_words())
        while not reading.done() and sent < 100 * LARGEST_HEAD:
            await self.send(chunk)
            sent += len(chunk)
        return sent, await reading

    async def close(self) -> None:
        self._writer.close()


class Served:
    """A server, its application, and connections to it."""

    def __init__(self, listen: Address | Path = ANYWHERE, *, for_gateway: bool = False) -> None:
        self.echo = Echo()
        self._server = HttpServer(self.echo, listen, for_gateway=for_gateway)
        self._connections: list[Connection] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Served"]:
        serving = asyncio.create_task(self._server.run_here())
        yield self
        self.echo.go.set()
        for connection in self._connections:
            await connection.close()
        await self._server.leave(serving)

    async def connect(self) -> Connection:
        address = self._server.address
        if isinstance(address, Path):
            streams = await asyncio.open_unix_connection(address)
        else:
            streams = await asyncio.open_connection(address.host, address.port)
        self._connections.append(Connection(*streams))
        return self._connections[-1]


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with Served().running() as served:
        yield served


def problem(response: str) -> dict[str, Any]:
    """The problem document of a response that ends its connection."""
    head, _, body = response.partition("\r\n\r\n")
    assert {"content-type: application/problem+json", "connection: close"} <= set(head.split("\r\n"))
    assert f"content-length: {len(body)}" in head
    document: dict[str, Any] = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {document['status']} ")
    return document


# too large


@pytest.mark.parametrize(
    ("start", "chunk"),
    [
        (b"GET / HTTP/1.1\r\nX: ", b"a" * 4096),
        (b"GET / HTTP/1.1\r\nX", b"a" * 4096),
        (b"GET / HTTP/1.1\r\n", b"X-B: 1\r\n" * 512),
        (b"GET /", b"a" * 4096),
        (b"", b"\r\n" * 2048),
        (GET % b"" + b"GET /", b"a" * 4096),
    ],
    ids=["endless header", "endless name", "many headers", "endless URL", "nothing but line ends", "second request"],
)
async def test_an_endless_head_is_refused_at_its_limit(
    served: Served, monkeypatch: pytest.MonkeyPatch, start: bytes, chunk: bytes
) -> None:
    """Whatever part of a head is without end: 431, and the connection ends when hardly more than the limit was sent."""
    monkeypatch.setattr(http_protocol, "HEARD_WITHIN", 0.1)
    connection = await served.connect()
    await connection.send(start)
    if b"\r\n\r\n" in start:
        await connection.answers(b";")

    sent, last_words = await connection.flood(chunk)
    refusal = problem(last_words)

    assert (refusal["status"], refusal["code"]) == (431, "head_too_large")
    assert (refusal["retryable"], refusal["may_have_happened"], refusal["errors"]) == (False, False, [])
    assert sent <= 4 * LARGEST_HEAD
    with pytest.raises(ConnectionError):
        await connection.send(*[chunk] * 500, pause=0.005)


@pytest.mark.parametrize(("size", "status"), [(LARGEST_HEAD, 200), (LARGEST_HEAD + 1, 431), (4 * LARGEST_HEAD, 431)])
@pytest.mark.parametrize("packet", [1000, 40_000, 1_000_000])
async def test_the_limit_is_the_same_in_any_packets(served: Served, size: int, status: int, packet: int) -> None:
    """A head of 64 KiB is served and a larger one is not, however it is cut; who sends it all reads the answer."""
    head = b"GET / HTTP/1.1\r\nX: %s\r\n\r\n"
    head %= b"a" * (size - len(head) + 2)
    connection = await served.connect()
    await connection.send(*(head[at : at + packet] for at in range(0, size, packet)))

    answer = await connection.answers(b"\r\n")

    assert answer.startswith(f"HTTP/1.1 {status} ")


async def test_endless_trailers_end_the_connection(served: Served) -> None:
    """What follows a chunked body is bounded like a head, and who reads the body learns that nobody is there."""
    connection = await served.connect()
    await connection.send(POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")

    with pytest.raises(ConnectionError):
        await connection.send(*[b"X-B: 1\r\n" * 512] * 500, pause=0.002)
    async with asyncio.timeout(1):
        await served.echo.gone.wait()


# too slow


@pytest.mark.parametrize("start", [b"G", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
@pytest.mark.parametrize("kept", [False, True])
async def test_a_slow_head_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch, start: bytes, kept: bool
) -> None:
    """A head that is not complete in time is answered 408, however busily it drips, also on a kept connection."""
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN", 0.2)
    connection = await served.connect()
    if kept:
        await connection.send(GET % b"first")
        await connection.answers(b";")
    await connection.send(start, *[b"a"] * (10 if start == b"GET / HTTP/1.1\r\nHost: x\r\n" else 0), pause=0.01)

    refusal = problem(await connection.last_words())

    assert (refusal["status"], refusal["code"], refusal["retryable"]) == (408, "head_too_slow", True)


async def test_who_says_nothing_is_not_kept(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without a first byte ends too, without an answer to what was not asked."""
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN", 0.1)

    assert await (await served.connect()).last_words() == ""


async def test_only_the_head_is_timed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body may take its time, an answer too, and a connection may rest between two requests."""
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN", 0.1)
    connection = await served.connect()
    chunks = b"1\r\na\r\n", b"2\r\nbc\r\n", b"0\r\n\r\n"
    await connection.send(POST + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, pause=0.15)
    assert "/ 3 2;" in await connection.answers(b";")

    await asyncio.sleep(0.2)
    await connection.send(GET % b"slow")
    await asyncio.sleep(0.2)
    served.echo.go.set()

    assert "/slow 0 1;" in await connection.answers(b";")


@pytest.mark.parametrize("rest", [b"a" * 2 * LARGEST_HEAD, b""], ids=["too large", "too slow"])
async def test_a_refused_head_does_not_speak_for_the_request_before(
    served: Served, monkeypatch: pytest.MonkeyPatch, rest: bytes
) -> None:
    """While a request is being answered a bad head behind it gets no answer of its own: it would be taken for that."""
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN", 0.1)
    connection = await served.connect()
    await connection.send(GET % b"slow" + b"GET /", rest)
    await asyncio.sleep(0.25)
    served.echo.go.set()

    answer = await connection.answers(b";")

    assert answer.startswith("HTTP/1.1 200 ")
    assert await connection.last_words() == "" if rest else "408" in await connection.last_words()


# as it should be


async def test_a_head_in_many_small_packets_is_served(served: Served) -> None:
    """A head may come byte by byte, again and again on one connection."""
    connection = await served.connect()
    for path in (b"one", b"two"):
        await connection.send(*(bytes([byte]) for byte in GET % path))
        assert f"/{path.decode()} 0 1;" in await connection.answers(b";")


async def test_pipelined_requests_are_answered_in_order(served: Served) -> None:
    """Many requests in one packet, more than the limit together and cut anywhere, are each answered once."""
    requests = b"".join(GET % b"%05d" % number for number in range(4000))
    connection = await served.connect()
    sending = asyncio.create_task(connection.send(requests[:100_001], requests[100_001:]))

    for number in range(4000):
        assert f"/{number:05} 0 1;" in await connection.answers(b";")
    await sending


@pytest.mark.parametrize("size", [60 * 1024, 3_000_000])
async def test_a_body_is_no_part_of_the_head(served: Served, size: int) -> None:
    """A body beside its head is not counted, nor for the head that begins right behind it."""
    second = GET % (b"b" * 20_000)
    connection = await served.connect()
    request = POST + b"Content-Length: %d\r\n\r\n" % size + b"a" * size + second[:10_000]
    sending = asyncio.create_task(connection.send(request, second[10_000:], pause=0.01))

    assert f"/ {size} 2;" in await connection.answers(b";")
    assert "/bbbbbbbb 0 1;" in await connection.answers(b";")
    await sending


async def test_a_chunked_body_with_trailers_is_served(served: Served) -> None:
    """Chunks in single bytes are progress, and a few trailers are allowed."""
    body = b"1\r\na\r\n" * 20_000 + b"0\r\nX-Sum: 1\r\n\r\n"
    connection = await served.connect()
    sending = asyncio.create_task(connection.send(POST + b"Transfer-Encoding: chunked\r\n\r\n", body))

    assert "/ 20000 " in await connection.answers(b";")
    await sending


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_any_kind_of_address_will_do(host: str) -> None:
    """IPv6 where this machine has it."""
    try:
        server = Served(Address(host, 0))
    except OSError:
        assert host == "::1"
        pytest.skip("no IPv6 here")
    async with server.running() as served:
        connection = await served.connect()
        await connection.send(GET % b"one")
        assert "/one 0 1;" in await connection.answers(b";")


# behind a gateway


async def test_at_a_unix_socket(tmp_path: Path) -> None:
    """It answers there, only its user can open it, and nothing is left of it afterwards."""
    file = tmp_path / "api.sock"
    async with Served(file, for_gateway=True).running() as served:
        connection = await served.connect()
        await connection.send(GET % b"one")
        assert "/one 0 1;" in await connection.answers(b";")

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.exists()


async def test_a_socket_that_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    """Nobody has to remove anything by hand."""
    file = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(file))

    async with Served(file, for_gateway=True).running() as served:
        connection = await served.connect()
        await connection.send(GET % b"one")
        assert "/one 0 1;" in await connection.answers(b";")


def test_where_no_socket_can_be() -> None:
    """The file is named."""
    with pytest.raises(OSError, match=r"can't listen on /nowhere/api\.sock: No such file"):
        HttpServer(Echo(), Path("/nowhere/api.sock"), for_gateway=True)


async def test_a_gateways_connections_are_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Used or not, they may rest: what a gateway sends just when its connection is closed would be lost."""
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN", 0.05)
    monkeypatch.setattr(http_server, "KEEPS_FOR", 0.05)
    async with Served(for_gateway=True).running() as served:
        fresh, used = await served.connect(), await served.connect()
        await used.send(GET % b"one")
        await used.answers(b";")
        await asyncio.sleep(0.2)

        for connection in (fresh, used):
            await connection.send(GET % b"two")
            assert "/two 0 1;" in await connection.answers(b";")
