"""A stream of a minute and an answer that takes half a minute, through a gateway that is published anew meanwhile."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from outrider.common.ports import LOOPBACK, Address, free_ports, is_listening

STREAM, WAIT = 60, 30
"""Seconds."""

OPENAPI = """
openapi: 3.1.0
info: {title: Long answers, version: 1.0.0, contact: {name: A team, email: team@example.com}}
paths:
  /events:
    get: {operationId: watch, security: [], responses: {'200': {description: Ticks, content: {text/event-stream: {}}}}}
  /wait:
    get: {operationId: wait, security: [], responses: {'200': {description: At last}}}
"""
ADDED = """
  /added:
    get: {operationId: added, security: [], responses: {'200': {description: New}}}
"""
PRODUCT = """
name: long
owner: tests
versions: [v1]
audiences: [long]
timeouts: {wait: 40}
"""
LISTENER_CHANGE = "limits: {client: {requests: 777}, product: {requests: 7777}}\n"


class Seen(msgspec.Struct, kw_only=True):
    """What the callers saw. ticks: numbers of the stream in order; ended: it came to its own end."""

    ticks: list[int] = msgspec.field(default_factory=list)
    ended: bool = False
    waited: bytes = b""
    added: bytes = b""
    releases: int = 0


async def long_way(folder: Path) -> Seen:
    """The whole journey, with a gateway, an upstream and files of its own in the folder."""
    seen = Seen()
    async with _upstream() as upstream:
        here = _product(folder, upstream)
        async with _gateway(folder, here):
            stream, wait = asyncio.create_task(_watch(here, seen)), asyncio.create_task(_ask(here, "/wait"))
            await asyncio.sleep(2)
            (folder / "products/long/openapi.yaml").write_text(OPENAPI + ADDED)
            await _outrider(folder, "publish", "products/long", "--reason", "an operation more")
            await asyncio.sleep(2)
            (folder / "products/long/product.yaml").write_text(PRODUCT + LISTENER_CHANGE)
            await _outrider(folder, "publish", "products/long", "--reason", "the listener changes")
            seen.added = await _ask(here, "/added")
            seen.waited = await wait
            await stream
            seen.releases = len(msgspec.json.decode(await _outrider(folder, "releases", "long", "--json")))
    return seen


def _product(folder: Path, upstream: Address) -> Address:
    here = Address(LOOPBACK, free_ports(1)[0])
    (folder / "products/long").mkdir(parents=True)
    (folder / "environments").mkdir()
    (folder / "products/long/openapi.yaml").write_text(OPENAPI)
    (folder / "products/long/product.yaml").write_text(PRODUCT)
    placed = f"products:\n  long:\n    listen: {here}\n    versions: {{v1: {{upstreams: ['http://{upstream}']}}}}\n"
    (folder / "environments/local.yaml").write_text(placed)
    return here


@asynccontextmanager
async def _gateway(folder: Path, here: Address) -> AsyncIterator[None]:
    argv = [sys.executable, "-m", "outrider", "gateway", "up", "products", "--state", "state", "--parent"]
    with (folder / "up.log").open("wb") as log:
        up = await asyncio.create_subprocess_exec(
            *argv, str(os.getpid()), cwd=folder, stdin=DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        async with asyncio.timeout(60):
            while not await is_listening(here):
                assert up.returncode is None, (folder / "up.log").read_text()
                await asyncio.sleep(0.1)
        yield
    finally:
        if up.returncode is None:
            up.terminate()
        await up.wait()


async def _outrider(folder: Path, *words: str) -> bytes:
    argv = [sys.executable, "-m", "outrider", "gateway", *words, "--state", "state"]
    asked = await asyncio.create_subprocess_exec(*argv, cwd=folder, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    told, complaint = await asked.communicate()
    assert asked.returncode == 0, complaint.decode()
    return told


async def _ask(where: Address, path: str) -> bytes:
    """The body of the answer."""
    return b"".join([line async for line in _lines(where, path)])


async def _watch(where: Address, seen: Seen) -> None:
    async for line in _lines(where, "/events"):
        if line.startswith(b"data: "):
            seen.ticks.append(int(line[6:]))
        seen.ended = seen.ended or line.startswith(b": end")


async def _lines(where: Address, path: str) -> AsyncIterator[bytes]:
    """What an HTTP/1.1 answer holds, until it ends in order; raises if it was cut short."""
    reader, writer = await asyncio.open_connection(where.host, where.port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: {where}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    assert b"transfer-encoding: chunked" in head.lower(), head
    while size := int(await reader.readline(), 16):
        for line in (await reader.readexactly(size + 2)).splitlines():
            yield line
    writer.close()


@asynccontextmanager
async def _upstream() -> AsyncIterator[Address]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n")
        writer.write(b"content-type: " + (b"text/event-stream" if path == b"/events" else b"text/plain") + b"\r\n\r\n")
        if path == b"/events":
            for number in range(STREAM * 2):
                _chunk(writer, b"data: %d\n\n" % number)
                await writer.drain()
                await asyncio.sleep(0.5)
            _chunk(writer, b": end\n\n")
        else:
            await asyncio.sleep(WAIT if path == b"/wait" else 0)
            _chunk(writer, b"here I am")
        writer.write(b"0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    try:
        yield Address(LOOPBACK, server.sockets[0].getsockname()[1])
    finally:
        server.close()


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))
