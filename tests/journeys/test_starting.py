"""A start that can't succeed: one line that says why and what to do, exit code 1; and Ctrl-C ends any start."""

import asyncio
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from outrider.adapters.jetstream import JetStream
from outrider.adapters.nats_config import new_keys
from outrider.common.ports import free_ports
from tests.engines import nats_server
from tests.journeys.test_operating import of_folder, outrider
from tests.journeys.world import Platform

UP = ("--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0")


def garbage_database(data: Path) -> None:
    data.mkdir()
    (data / "outrider.db").write_bytes(b"no database at all " * 500)


def database_that_is_a_folder(data: Path) -> None:
    (data / "outrider.db").mkdir(parents=True)


def newer_database(data: Path) -> None:
    data.mkdir()
    with closing(sqlite3.connect(data / "outrider.db")) as db:
        db.execute("pragma user_version = 99")


def garbage_keys(data: Path) -> None:
    (data / "keys").mkdir(parents=True)
    (data / "keys" / "nats.json").write_text("{ half a fi")


def keys_of_something_else(data: Path) -> None:
    (data / "keys").mkdir(parents=True)
    keys = {"issuer_seed": "not a seed", "outrider": "a", "admission": "b", "system": "c"}
    (data / "keys" / "nats.json").write_text(json.dumps(keys))


def data_that_is_a_file(data: Path) -> None:
    data.write_text("a file")


FOLDERS: list[tuple[Callable[[Path], None], str, str]] = [
    (garbage_database, "outrider.db", "restore a backup"),
    (database_that_is_a_folder, "outrider.db", "restore a backup"),
    (newer_database, "outrider.db", "use a matching version"),
    (garbage_keys, "nats.json", "remove it"),
    (keys_of_something_else, "nats.json", "remove it"),
    (data_that_is_a_file, "data", "--data"),
]


@pytest.mark.parametrize(("make", "named", "advice"), FOLDERS, ids=[make.__name__ for make, _, _ in FOLDERS])
def test_a_folder_that_is_broken(tmp_path: Path, make: Callable[[Path], None], named: str, advice: str) -> None:
    """What is wrong with the data folder is said in one line that names the file, and nothing stays behind."""
    data = tmp_path / "data"
    make(data)

    refused(outrider("up", "--data", str(data), *UP), named, advice)

    assert of_folder(data) == []


KEYLESS = {
    "absent": None,
    "no-json": "{ half",
    "no-jwks": "[]",
    "empty": '{"keys": []}',
    "symmetric": '{"keys": [{"kty": "oct", "k": "AAAA", "kid": "1"}]}',
}


@pytest.mark.parametrize("content", KEYLESS.values(), ids=KEYLESS.keys())
def test_a_jwks_file_without_keys(tmp_path: Path, content: str | None) -> None:
    """With such a file everybody would be refused, so the start is."""
    file = tmp_path / "jwks.json"
    if content is not None:
        file.write_text(content)

    refused(outrider("up", "--data", str(tmp_path / "data"), "--jwks", str(file), *UP), "--jwks", str(file))

    assert of_folder(tmp_path) == []


@pytest.mark.parametrize("url", ["nats://ada:hush@127.0.0.1:port", "http://ada:hush@127.0.0.1:4222", "nats://:4222"])
def test_a_url_that_is_none(tmp_path: Path, url: str) -> None:
    """A malformed URL is refused at once, and a password in it is not shown."""
    answer = outrider("up", "--data", str(tmp_path / "data"), "--nats", url, *UP)

    refused(answer, "no NATS to use at", "outrider nats-config")
    assert "hush" not in answer.stderr


async def test_no_nats_there() -> None:
    """The first connection is tried for so long and no longer, and the error says where and why."""
    (port,) = free_ports(1)
    began = time.monotonic()

    with pytest.raises(
        ConnectionError, match=rf"nats://127\.0\.0\.1:{port}: .*Connect call failed.*outrider nats-config"
    ) as told:
        await JetStream.connect(f"nats://ada:hush@127.0.0.1:{port}", "secret", "test", within=0.5)

    assert 0.4 < time.monotonic() - began < 5
    assert "hush" not in str(told.value)
    assert "secret" not in str(told.value)


async def test_a_wrong_password() -> None:
    """That NATS does not know this data folder's password is the reason given."""
    async with nats_server() as server:
        with pytest.raises(ConnectionError, match=r"Authorization Violation.*outrider nats-config"):
            await JetStream.connect(server.url, new_keys().outrider, "test", within=1.0)


async def test_a_nats_that_says_nothing() -> None:
    """A server that takes the connection and stays silent holds nobody up for longer, and is let go of."""
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionError, match="no NATS to use"):
            await JetStream.connect(f"nats://127.0.0.1:{port}", "secret", "test", within=0.5)
        await asyncio.wait_for(gone.wait(), 5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_while_starting(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C ends a start that waits for its NATS: a normal end, nothing said, nothing left."""
    (port,) = free_ports(1)
    data = tmp_path / "data"
    argv = ("up", "--data", str(data), "--nats", f"nats://127.0.0.1:{port}", *UP)
    with started(*argv) as process:
        wait_for(data / "outrider.db-wal")  # what it opens last before it connects
        time.sleep(0.3)
        process.send_signal(number)
        said, _ = process.communicate(timeout=10)

    assert (process.returncode, said) == (0, "")
    assert of_folder(data) == []


@pytest.mark.parametrize("file", ["nats/nats-server.out", "nats/nats-server.json", "admission.log"])
def test_told_to_stop_while_its_children_start(tmp_path: Path, file: str) -> None:
    """Wherever in its start a platform is told to stop, even twice, it takes with it what it started already."""
    data = tmp_path / "data"
    with started("up", "--data", str(data), "--quiet", *UP) as process:
        wait_for(data / file)
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)

        assert process.wait(20) == 0
    assert of_folder(data) == []
    assert not (data / "platform.json").exists()


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="limits of another process are read from /proc")
async def test_as_many_open_files_as_allowed(tmp_path: Path) -> None:
    """A shell's low limit does not bound how many vehicles can connect: the allowed one is taken, for NATS too."""
    platform = Platform(tmp_path / "data")
    ours = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, ours[1]), ours[1]))
    try:
        await platform.start()
        assert platform.process is not None
        for pid in (platform.process.pid, platform.nats_pid):
            soft, hard = open_files(pid)
            assert soft == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, ours)
        platform.clear()


@contextmanager
def started(*args: str) -> Iterator[subprocess.Popen[str]]:
    """The command line in the background; ended at the end, whatever happened."""
    argv = [sys.executable, "-m", "outrider", *args]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def refused(answer: subprocess.CompletedProcess[str], *texts: str) -> None:
    """It ended with 1 and one line."""
    assert answer.returncode == 1, answer.stderr
    (line,) = [line for line in answer.stderr.splitlines() if not line.startswith("{")]  # what it logged
    assert line.startswith("outrider: ")
    assert all(text in line for text in texts), line


def wait_for(file: Path, within: float = 20.0) -> None:
    ends = time.monotonic() + within
    while not file.exists():
        assert time.monotonic() < ends, os.listdir(file.parent.parent)
        time.sleep(0.01)


def open_files(pid: int) -> tuple[str, str]:
    """The soft and the hard limit of a process."""
    (line,) = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max open")]
    soft, hard = line.split()[3:5]
    return soft, hard
