"""Real engines for tests: a nats-server that is started once for a file of tests, with vehicles at its door."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from outrider.adapters.callout import answering
from outrider.adapters.jetstream import JetStream
from outrider.adapters.nats_server import NatsOptions, NatsServer
from outrider.adapters.streams import STREAMS
from outrider.services.admission import credential_hash

SECRET = "the-credential-of-every-vehicle"


@asynccontextmanager
async def nats_server() -> AsyncIterator[NatsServer]:
    """A supervised nats-server in a folder of its own; every VIN is let in with SECRET."""

    async def lookup(vin: str) -> list[str]:
        return [credential_hash(SECRET)]

    with TemporaryDirectory(prefix="outrider-nats-") as data:
        server = NatsServer(NatsOptions(data=Path(data)))
        await server.start()
        try:
            async with answering(server.url, server.keys, lookup):
                yield server
        finally:
            await server.stop()


@asynccontextmanager
async def bus_on(server: NatsServer) -> AsyncIterator[JetStream]:
    """A connection as the services have it; what other tests left on the streams is gone."""
    bus = await connect(server)
    for config in STREAMS:
        await bus.client.jetstream().purge_stream(str(config.name))
    try:
        yield bus
    finally:
        await bus.close()


async def connect(server: NatsServer) -> JetStream:
    """One more connection."""
    return await JetStream.connect(server.url, server.keys.outrider, "test")


def kill(server: NatsServer) -> int:
    """`kill -9`; its supervisor starts it again. The pid that was killed."""
    assert server.pid
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    return pid
