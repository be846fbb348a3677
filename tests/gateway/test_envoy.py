"""Envoy as a program: found, asked, talked to."""

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from outrider.gateway import envoy
from outrider.gateway.envoy import Admin, NotAnswering, NotRunning
from outrider.gateway.faults import Refused
from outrider.gateway.generations import LIVE, state

BOOTSTRAP = {"admin": {"address": {"pipe": {"path": "./admin.sock"}}}, "node": {"id": "x", "cluster": "x"}}


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Path]:
    """An Envoy with nothing to do in this folder; its admin socket."""
    (folder / "bootstrap.json").write_bytes(msgspec.json.encode(BOOTSTRAP))
    process = await asyncio.create_subprocess_exec(
        *envoy.argv(folder, 7), cwd=folder, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield folder / envoy.admin_socket(7)
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def says(socket: Path, answer: bytes | None) -> AsyncIterator[Admin]:
    """Somebody who listens at a socket and says this to everything, or nothing ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await reader.read()
        writer.write(answer or b"")
        writer.close()

    async with await asyncio.start_unix_server(talk, socket):
        yield Admin(socket, within=0.3)


def test_it_is_here_and_says_its_version() -> None:
    """The program comes with a package, and runs on this machine."""
    assert re.fullmatch(r"1\.\d+\.\d+", envoy.version())


async def test_it_is_talked_to_over_a_socket_of_its_own_that_only_its_user_may_open(tmp_path: Path) -> None:
    """Each start has its own; a path that is too long for a socket is none here; figures come by name."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    async with running(folder) as socket:
        admin = Admin(socket)
        async with asyncio.timeout(10):
            while await state(admin) != LIVE:
                await asyncio.sleep(0.01)

        assert len(str(socket)) > 108
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        assert await admin.stats(r"^server\.(live|state)$") == {"server.live": "1", "server.state": "0"}
        assert await admin.post("/healthcheck/fail") == "OK\n"
        with pytest.raises(NotAnswering, match="404"):
            await admin.post("/no-such-thing")


async def test_where_nobody_listens_it_is_not_running(tmp_path: Path) -> None:
    """There is no socket, or one that a dead process left behind."""
    async with says(tmp_path / "dead", b""):
        pass
    (tmp_path / "dead").touch()

    for name in ("none", "dead"):
        admin = Admin(tmp_path / name)
        assert (await admin.live(), await state(admin)) == (False, "")
        with pytest.raises(NotRunning):
            await admin.get("/stats")


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"])
async def test_one_that_says_nothing_or_half_an_answer_is_not_answering(tmp_path: Path, answer: bytes | None) -> None:
    """It hangs, or it ended in the middle: that is not the same as nobody being there."""
    async with says(tmp_path / "socket", answer) as admin:
        assert not await admin.live()
        with pytest.raises(NotAnswering):
            await admin.get("/stats")


async def test_texts_and_figures_come_without_quotes(tmp_path: Path) -> None:
    """The body may come in chunks."""
    body = b'4\r\na.b:\r\n8\r\n "x: y"\n\r\n5\r\nc: 1\n\r\n0\r\n\r\n'
    async with says(tmp_path / "socket", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + body) as admin:
        assert await admin.stats("") == {"a.b": "x: y", "c": "1"}


async def test_it_would_take_a_good_configuration() -> None:
    """Nothing is raised, nothing is started."""
    await envoy.validate(msgspec.json.encode(BOOTSTRAP))


@pytest.mark.parametrize(
    ("cluster", "reason"),
    [
        ({"name": "a", "lb_polixy": 1}, "no such field: 'lb_polixy'"),
        ({"name": "a", "connect_timeout": "-1s"}, "Invalid duration: Expected positive duration"),
        ({"name": "a", "type": "EDS"}, "cannot create an EDS cluster"),
    ],
)
async def test_it_says_why_it_would_not_take_one(cluster: dict[str, object], reason: str) -> None:
    """In one line, and without dates and places in its source."""
    with pytest.raises(Refused, match=re.escape(reason)) as refused:
        await envoy.validate(msgspec.json.encode({**BOOTSTRAP, "static_resources": {"clusters": [cluster]}}))

    assert "\n" not in str(refused.value)
    assert "[critical]" not in str(refused.value)


def test_the_reason_is_its_last_word() -> None:
    """What it warned of before is not; an error of several lines is told in one."""
    log = (
        "[2026-11-22 05:21:42.286][18335][warning][main] [source/server/server.cc:1059] no limit\n"
        "[2026-11-22 05:21:42.286][18335][critical][main] [source/x.cc:76] error initializing configuration 'a.json': "
        "Invalid duration   \n  seconds: -1\n\n"
    )
    assert envoy.reason(log) == "Invalid duration seconds: -1"
    assert envoy.reason("") == "it said nothing"
