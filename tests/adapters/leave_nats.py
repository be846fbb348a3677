"""A platform that is nothing but its nats-server: `leave_nats.py DATA`. It says where vehicles connect, and waits."""

import asyncio
import sys
from pathlib import Path

from outrider.adapters.nats_server import NatsOptions, NatsServer


async def main(data: Path) -> None:
    server = NatsServer(NatsOptions(data=data))
    await server.start()
    print("nats-server", server.pid, flush=True)
    await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1])))
