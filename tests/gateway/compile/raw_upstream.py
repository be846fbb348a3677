"""An upstream down to its bytes: it keeps what it saw, and does what the last word of the path says.

`ok` and everything else: what it saw, as JSON. `slow`: answers after a second. `hang`: never. `cut`: reads the request
and breaks off. `cut-once`: only the first time. `503-once`: says 503 the first time. `error`: 500 with a body and a
header of its own. `ticks`: a stream of events, one every 0.3 s.
"""

import asyncio
import json
import ssl
import threading
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import msgspec

from outrider.common.ports import LOOPBACK, Address


class Seen(msgspec.Struct, frozen=True):
    """One request, as it came. body: how many bytes, as far as they came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: int


class RawUpstream:
    """It serves in a thread of its own, from the beginning to the end of a `with`."""

    def __init__(self, tls: ssl.SSLContext | None = None, socket: str | None = None) -> None:
        self.seen: list[Seen] = []
        self.spans: list[bytes] = []
        self.address = Address(LOOPBACK, 0)
        self.ticks = 4
        self.broken = False
        self._tls = tls
        self._socket = socket
        self._times: Counter[str] = Counter()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(5)

    def of(self, path: str) -> list[Seen]:
        """The requests for one path."""
        return [one for one in self.seen if one.path == path]

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._done = asyncio.Event()
        if self._socket:
            server = await asyncio.start_unix_server(self._connected, self._socket)
        else:
            server = await asyncio.start_server(self._connected, LOOPBACK, 0, ssl=self._tls)
            self.address = Address(LOOPBACK, server.sockets[0].getsockname()[1])
        self._ready.set()
        await self._done.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; is there to be another?"""
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip("\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        body = b""
        path = target.partition("?")[0]
        try:
            body = await _body(reader, headers)
        finally:
            self.seen.append(Seen(method, target, headers, len(body)))
        if path == "/v1/traces":
            self.spans.append(body)
        return await self._answer(path, self.seen[-1], writer)

    async def _answer(self, path: str, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        word = path.rpartition("/")[2]
        self._times[path] += 1
        if word == "hang":
            await asyncio.sleep(60)
        if word == "cut" or (word == "cut-once" and self._times[path] == 1):
            return False
        if word == "slow":
            await asyncio.sleep(1)
        if word == "ticks":
            await self._stream(writer)
            return True
        status = "500 Own" if word == "error" or self.broken else "200 OK"
        if word == "503-once" and self._times[path] == 1:
            status = "503 Own"
        document = json.dumps({"method": seen.method, "path": seen.path, "headers": dict(seen.headers)}).encode()
        head = f"HTTP/1.1 {status}\r\nserver: upstream\r\nx-own: yes\r\ncontent-length: {len(document)}\r\n\r\n"
        writer.write(head.encode() + (b"" if seen.method == "HEAD" else document))
        await writer.drain()
        return True

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(self.ticks):
            event = f"data: {number}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(0.3)
        writer.write(b"0\r\n\r\n")


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readexactly(2)
    return b"".join(parts)
