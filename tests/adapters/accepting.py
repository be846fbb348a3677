"""A platform that accepts one command after the other and says which, for a test that kills it."""

import asyncio
import sys
from pathlib import Path

from outrider.adapters.store.sqlite import SqliteStore
from outrider.domain.messages import TimePassed
from tests.adapters.test_store import asked, decide
from tests.domain.lanes import NOW, VIN


async def main(database: Path) -> None:
    store = SqliteStore(database)

    async def accept() -> None:
        while True:
            print((await store.accept(asked(), None, None)).id, flush=True)
            await decide(store, TimePassed(vin=VIN), now=NOW + 1e4)  # or its lane would soon be full

    await asyncio.gather(*(accept() for _ in range(20)))


asyncio.run(main(Path(sys.argv[1])))
