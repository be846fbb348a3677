"""The only place that builds anything: settings in, running services out.

What is started first is stopped last: the lock on the data folder, NATS, the store, the bus, the services, admission,
the API, the gateway in front of it.
"""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from outrider import flow
from outrider.adapters import callout, wire
from outrider.adapters.api import build_app
from outrider.adapters.catalog_files import LiveCatalog
from outrider.adapters.data_folder import Note, locked, told, where
from outrider.adapters.dev_key import make_dev_key
from outrider.adapters.figures import Figures
from outrider.adapters.http_server import LEAVE_WITHIN, HttpServer
from outrider.adapters.jetstream import JetStream
from outrider.adapters.links import NatsLink
from outrider.adapters.nats_config import REVOKED, NatsKeys, Tls, keys_of
from outrider.adapters.nats_server import NatsOptions, NatsServer
from outrider.adapters.store.sqlite import SqliteStore
from outrider.adapters.tokens import Fetch, Keys, Tokens, jwks_file, jwks_url
from outrider.common.child import Child
from outrider.common.ports import Address
from outrider.common.processes import Process
from outrider.domain.catalog import Catalog
from outrider.front import Front, front_of
from outrider.services.creation import Creation
from outrider.services.incoming import Incoming
from outrider.services.outgoing import Outgoing
from outrider.services.processing import Processing
from outrider.services.registry import Registry
from outrider.settings import Settings

log = structlog.get_logger()


FULL = 8 * 1024**2
"""Bytes of free disk below which nothing can be promised any more."""
FAILS_FOR = 10.0
"""Seconds in which nothing could be stored on the bus, before it counts as not there and our own NATS is restarted."""


class NoPlatform(Exception):
    """A service was to run beside a platform that is not there."""


class Running:
    """What runs: where people and vehicles connect, and `failed`, which is done when a part ended by itself.

    http: where people connect. behind: where the API itself listens if that is a gateway's address; if it is not and
    was to be, `no_gateway` says why.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.http: Address | None = None
        self.behind: str | None = None
        self.no_gateway: str | None = None
        self.mqtt: Address | None = None
        self.nats_url = ""
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def url(self) -> str:
        """Where people and apps reach the API."""
        return f"{'http' if self.settings.tls_cert is None else 'https'}://{self.http}"

    def task(self, stack: AsyncExitStack, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a part until the stack unwinds; should it ever end by itself, everything ends."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        stack.push_async_callback(_cancelled, task)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and not self.failed.done():
            self.failed.set_exception(task.exception() or RuntimeError(f"{task.get_name()} ended"))


class Parts(Running):
    """What the services share."""

    def __init__(self, settings: Settings, store: SqliteStore, bus: JetStream, catalog: LiveCatalog) -> None:
        super().__init__(settings)
        self.store = store
        self.bus = bus
        self.catalog = catalog
        self.figures = Figures()
        self.creation = Creation(store, bus, self.catalog_now, bus.watch, time.time)
        self.registry = Registry(store, self.catalog_now, self._revoked, time.time)

    def catalog_now(self) -> Catalog:
        """The catalog in force."""
        return self.catalog.current

    def ready(self) -> dict[str, bool]:
        """Is everything there that a command needs?"""
        works = self.bus.connected and self.bus.failing_for < FAILS_FOR
        return {"database": self.store.usable(), "bus": works, "disk": free(self.settings.data) > FULL}

    async def admission_answers(self) -> bool:
        """Is someone there who lets vehicles in?"""
        with suppress(Exception):
            await self.bus.client.request(f"{REVOKED}.nobody", b"", timeout=0.5)
            return True
        return False

    async def _revoked(self, vin: str) -> None:
        """Ask admission to end this vehicle's connection; what it raises says that it may still be open."""
        await self.bus.client.request(f"{REVOKED}.{vin}", b"", timeout=3)


@asynccontextmanager
async def platform(settings: Settings) -> AsyncIterator[Running]:
    """Everything that `outrider up` runs.

    Raises DataFolderInUse, DatabaseUnusable, KeysUnusable, NatsServerError, CatalogError, NoGateway, Refused, OSError.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(locked(settings.data))
        front, no_gateway = await front_of(settings)
        nats = await _nats(settings, stack)
        running = await _core(settings, nats.url, nats.keys, "up", stack, writes=True)
        running.nats_url, running.mqtt = nats.url, nats.mqtt
        if nats.server is not None:
            running.task(stack, _restart_when_stuck(nats.server, running.bus, settings.data), "watch of NATS")
        admission = asyncio.create_task(_start_admission(running, stack))
        stack.push_async_callback(_cancelled, admission)
        for service in flow.TOGETHER:
            _start(service, running, stack)
        running.no_gateway = no_gateway
        await _start_api(running, stack, front)
        await admission
        stack.enter_context(told(settings.data, _note(running)))
        stack.callback(running.failed.cancel)  # from here on, parts end because they are told to
        yield running


@asynccontextmanager
async def service(settings: Settings, name: str) -> AsyncIterator[Running]:
    """One service alone (`outrider run SERVICE`), on a NATS that runs already.

    Raises DataFolderInUse for one that writes while another process does: SQLite has one writer.
    """
    async with AsyncExitStack() as stack:
        if name in flow.WRITERS:
            stack.enter_context(locked(settings.data))
        url, keys = _nats_of(settings)
        running = await _core(settings, url, keys, name, stack, writes=name in flow.WRITERS)
        _start(name, running, stack)
        if name == "creation":
            await _start_api(running, stack)
        stack.callback(running.failed.cancel)
        yield running


@asynccontextmanager
async def admission(settings: Settings) -> AsyncIterator[Running]:
    """Answer NATS for vehicles that connect. It reads the database and nothing else of the platform."""
    async with AsyncExitStack() as stack:
        url, keys = _nats_of(settings)
        store = SqliteStore(settings.database, read_only=True)
        stack.callback(store.close)
        await stack.enter_async_context(callout.answering(url, keys, store.valid_hashes))
        yield Running(settings)


async def _core(
    settings: Settings, url: str, keys: NatsKeys, name: str, stack: AsyncExitStack, *, writes: bool
) -> Parts:
    catalog = LiveCatalog(settings.catalog)
    store = SqliteStore(settings.database, read_only=not writes)
    stack.callback(store.close)
    bus = await JetStream.connect(url, keys.outrider, name)
    stack.push_async_callback(bus.close)
    running = Parts(settings, store, bus, catalog)
    running.task(stack, catalog.follow(), "catalog")
    return running


def _start(name: str, running: Parts, stack: AsyncExitStack) -> None:
    """Start one stop of the flow."""
    bus, clock = running.bus, time.time
    match name:
        case "processing":
            reader = bus.pull("processing")
            processing = Processing(
                running.store,
                bus,
                bus,
                reader,
                wire.read_facts,
                running.catalog_now,
                running.figures.settled,
                clock,
                running.settings.keep_for,
            )
            bus.on_disconnect(processing.pause)
            bus.on_reconnect(processing.resume)
            running.task(stack, processing.run(), name)
        case "outgoing":
            link = NatsLink(bus.client)
            running.task(stack, Outgoing(bus, bus.pull(name), link, wire.read_dispatch, clock).run(), name)
        case "incoming":
            incoming = Incoming(bus, bus.pull(name), wire.read_said, running.catalog_now, running.figures.broken, clock)
            running.task(stack, incoming.run(), name)
        case "creation":
            pass  # works where it is asked: the API calls it
        case _:
            raise ValueError(f"there is no service {name!r}")


class _Nats(NamedTuple):
    url: str
    keys: NatsKeys
    mqtt: Address | None
    server: NatsServer | None


async def _nats(settings: Settings, stack: AsyncExitStack) -> _Nats:
    """The NATS that was named, or one of our own."""
    keys_file = settings.keys / "nats.json"
    if settings.nats_url is not None:
        return _Nats(settings.nats_url, keys_of(keys_file), None, None)
    tls = None
    if settings.mqtt_tls_cert is not None and settings.mqtt_tls_key is not None:
        tls = Tls(cert=settings.mqtt_tls_cert, key=settings.mqtt_tls_key)
    options = NatsOptions(
        data=settings.data, listen=settings.nats_listen, mqtt_listen=settings.mqtt_listen, mqtt_tls=tls
    )
    server = NatsServer(options)
    stack.push_async_callback(server.stop)
    await server.start()
    return _Nats(server.url, server.keys, server.mqtt_listen, server)


async def _restart_when_stuck(server: NatsServer, bus: JetStream, data: Path) -> None:
    """After its disk was full, nats-server writes to no stream that it failed on until it is restarted. Its supervisor
    starts it again.
    """
    was_full = False
    while True:
        await asyncio.sleep(1)
        room = free(data)
        if room < FULL and not was_full:
            log.error("disk_full", folder=str(data), free=room)
        was_full = was_full or room < FULL
        if server.pid is not None and (bus.failing_for > FAILS_FOR or (was_full and room > 4 * FULL)):
            log.error("nats_is_stuck", pid=server.pid, failing_for=round(bus.failing_for), disk_was_full=was_full)
            os.kill(server.pid, signal.SIGTERM)
            was_full = False
            await asyncio.sleep(FAILS_FOR)


def free(folder: Path) -> int:
    """Bytes that may still be written to a folder's disk."""
    return shutil.disk_usage(folder).free


def _nats_of(settings: Settings) -> tuple[str, NatsKeys]:
    """Where the NATS is that a platform on this data folder uses, or that was named."""
    keys = keys_of(settings.keys / "nats.json")
    if settings.nats_url is not None:
        return settings.nats_url, keys
    if (note := where(settings.data)) is None or note.nats is None:
        raise NoPlatform(f"no platform runs on {settings.data}: start `outrider up`, or name a NATS with --nats")
    return note.nats, keys


async def _start_admission(running: Parts, stack: AsyncExitStack) -> None:
    """Admission is a process of its own; it ends by itself should this one die."""
    data = running.settings.data
    argv = [sys.executable, "-m", "outrider", "run", "admission", "--data", str(data), "--nats", running.nats_url]

    async def on_ready(process: Process) -> None:
        log.info("admission_ready", pid=process.pid)

    argv += ["--parent", str(os.getpid())]
    child = Child(argv, output=data / "admission.log", ready=running.admission_answers, on_ready=on_ready)
    stack.push_async_callback(child.stop)
    await child.start()


async def _start_api(running: Parts, stack: AsyncExitStack, front: Front | None = None) -> None:
    """The public HTTP API, on the event loop of the services; behind a gateway, if there is to be one."""
    settings = running.settings
    make_dev_key(settings.keys)
    tokens = Tokens(Keys(_jwks(settings)), issuer=settings.issuer, audience=settings.audience)
    app = build_app(
        creation=running.creation,
        registry=running.registry,
        tokens=tokens,
        catalog=running.catalog_now,
        letters=running.bus.letters,
        ready=running.ready,
        figures=running.figures.registry,
    )
    server = HttpServer(app, front.behind if front else settings.http_listen, for_gateway=front is not None)
    serving = running.task(stack, server.run_here(), "api")
    stack.push_async_callback(server.leave, serving)
    if front is None:
        assert isinstance(server.address, Address)
        running.http = server.address
        return
    stack.callback(running.failed.cancel)  # should the gateway not start, the API ends because it is told to
    running.http, running.behind = front.listen, front.way
    watch = await stack.enter_async_context(front.open(running.catalog_now(), grace=LEAVE_WITHIN))
    running.task(stack, _failing(watch.failed), "gateway")


async def _failing(failed: asyncio.Future[None]) -> None:
    await asyncio.shield(failed)


def _jwks(settings: Settings) -> Fetch:
    if settings.jwks is None:
        return jwks_file(settings.keys / "jwks.json")
    return jwks_url(settings.jwks) if "://" in settings.jwks else jwks_file(Path(settings.jwks))


def _note(running: Running) -> Note:
    return Note(
        pid=os.getpid(),
        api=running.url,
        behind=running.behind,
        no_gateway=running.no_gateway,
        mqtt=None if running.mqtt is None else str(running.mqtt.from_here()),
        nats=running.nats_url,
    )


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
