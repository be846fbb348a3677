"""A small world for the services: the real store and catalog, two vehicles, and alice who may use one of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from outrider.adapters.catalog_files import load
from outrider.adapters.store.sqlite import SqliteStore
from outrider.domain.catalog import Catalog, Risk
from outrider.domain.deciding import fold
from outrider.domain.lane import Command
from outrider.domain.messages import AnyFact
from outrider.services.creation import Creation, Request
from outrider.services.registry import Registry
from tests.domain.lanes import NOW, VIN
from tests.fakes import Clock, FakeBus

OTHER = "0UTR1DERS00000002"
UNKNOWN = "0UTR1DERS00000009"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@cache
def catalog() -> Catalog:
    """The shipped one."""
    return load()


class World:
    """What the services share, and the two of them that are called directly."""

    def __init__(self, store: SqliteStore) -> None:
        self.clock = Clock(NOW)
        self.store = store
        self.bus = FakeBus(self.clock)
        self.revoked: list[str] = []
        self.revoking_fails = False
        self.creation = Creation(store, self.bus, catalog, self.bus.watch, self.clock)
        self.registry = Registry(store, catalog, self._end_connection, self.clock)

    async def _end_connection(self, vin: str) -> None:
        if self.revoking_fails:
            raise ConnectionError("admission is down")
        self.revoked.append(vin)

    async def ask(self, service: str = "climate-start", person: str = "alice", vin: str = VIN, **news: Any) -> Command:
        """A command as a person asks for it."""
        key = news.pop("key", None)
        command, _ = await self.creation.ask(person, vin, Request(service=service, **news), key, TRACE)
        return command

    async def happens(self, *facts: AnyFact) -> None:
        """What processing makes of facts about one vehicle."""
        decided = await self.store.decide(
            {facts[0].vin: list(facts)}, lambda lane, heard: fold(lane, heard, self.clock.now), self.clock.now
        )
        await self.bus.announce(change for decision in decided.values() for change in decision.changes)

    async def now(self, command: Command) -> Command:
        """The command as it is now."""
        found = await self.store.command(command.id)
        assert found
        return found


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    store = SqliteStore(folder / "outrider.db")
    world = World(store)
    for vin in (VIN, OTHER):
        await world.registry.add_vehicle(vin, "falcon-electric")
    await world.registry.add_grant(VIN, "alice", list(Risk), None, "operator")
    try:
        yield world
    finally:
        store.close()
