"""A platform that accepts one command after the other and says which, for a test that kills it."""

import asyncio
import sys
from pathlib import Path

from outrider.adapters.store.sqlite import SqliteStore
from tests.adapters.test_store import asked


async def main(database: Path) -> None:
    store = SqliteStore(database)

    async def accept() -> None:
        while True:
            print((await store.accept(asked(), None, None)).id, flush=True)

    await asyncio.gather(*(accept() for _ in range(20)))


asyncio.run(main(Path(sys.argv[1])))
