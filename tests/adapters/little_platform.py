"""The API on a real store, without streams and cars: what is announced is decided at once, and the test is the car."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from outrider.adapters.api import build_app
from outrider.adapters.catalog_files import load
from outrider.adapters.dev_key import make_dev_key, mint
from outrider.adapters.store.sqlite import SqliteStore
from outrider.adapters.tokens import Keys, Tokens, jwks_file
from outrider.domain.catalog import Risk
from outrider.domain.deciding import fold
from outrider.domain.lane import Presence
from outrider.domain.messages import (
    Answered,
    AnswerStatus,
    AnyFact,
    DeadLetter,
    Dispatch,
    Fact,
    PresenceChanged,
    StateReported,
)
from outrider.services.creation import Creation
from outrider.services.registry import Registry

VIN = "W0UTR1DER00000001"
STRANGERS_VIN = "W0UTR1DER00000002"
OLD_CARS_VIN = "W0UTR1DER00000003"
SESSION = "session-1"


class Watch:
    """Looks every few milliseconds: bound to no event loop, and the test's clock may jump."""

    async def __aenter__(self) -> "Watch":
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    async def next(self, timeout: float) -> None:
        await asyncio.sleep(min(timeout, 0.005))


class LittlePlatform:
    """`ahead` moves its clock; `connected` and `deciding` switch off the bus and processing; with `obedient` cars do at
    once what they are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SqliteStore(folder / "outrider.db")
        self.shipped = load()
        self.ahead = 0.0
        self.connected = True
        self.deciding = True
        self.obedient = False
        self.works = {"database": True, "bus": True}
        self.letters: list[DeadLetter] = []
        self.dispatched: list[Dispatch] = []
        self.disconnected: list[str] = []
        make_dev_key(folder / "keys")
        self.registry = Registry(self.store, lambda: self.shipped, self._disconnect, self.now)
        self.creation = Creation(self.store, self, lambda: self.shipped, lambda vin: Watch(), self.now)
        self.tokens = Tokens(Keys(jwks_file(folder / "keys" / "jwks.json"), self.now), clock=self.now)
        self.app = self.build()

    def build(self, **other: Any) -> Starlette:
        """The application, with some of its parts replaced."""
        parts: dict[str, Any] = {
            "creation": self.creation,
            "registry": self.registry,
            "tokens": self.tokens,
            "catalog": lambda: self.shipped,
            "letters": self._find_letters,
            "ready": lambda: self.works,
            "clock": self.now,
        }
        return build_app(**parts | other)

    async def furnish(self) -> "LittlePlatform":
        """Three cars: ada uses one for everything and an old one for some of it, the third is a stranger's."""
        for vin, model in (
            (VIN, "falcon-electric"),
            (STRANGERS_VIN, "falcon-electric"),
            (OLD_CARS_VIN, "merlin-classic"),
        ):
            await self.registry.add_vehicle(vin, model)
        await self.registry.add_grant(VIN, "ada", list(Risk), None, "test")
        await self.registry.add_grant(OLD_CARS_VIN, "ada", [Risk.ACCESS, Risk.COMFORT], None, "test")
        return self

    def now(self) -> float:
        return time.time() + self.ahead

    def token(self, person: str = "ada", scopes: str = "commands", ttl: float = 3600.0) -> str:
        return mint(self.folder / "keys", person, scopes, ttl)

    def client(self, app: Starlette | None = None, token: str | None = None) -> httpx.AsyncClient:
        """A client that sends ada's token, or this one; an empty one is not sent."""
        sent = self.token() if token is None else token
        headers = {"Authorization": f"Bearer {sent}"} if sent else {}
        transport = httpx.ASGITransport(app or self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)

    # what creation and processing would do with a bus

    async def hint(self, message_id: str, fact: Fact) -> None:
        if self.deciding:
            await self.happens(fact)

    async def happens(self, fact: Any) -> None:
        """A fact is decided on, at once."""
        now = self.now()
        facts: dict[str, list[AnyFact]] = {fact.vin: [fact]}
        decided = await self.store.decide(facts, lambda lane, heard: fold(lane, heard, now), now)
        sent = [dispatch for decision in decided.values() for dispatch in decision.dispatches]
        self.dispatched += sent
        if self.obedient:
            for dispatch in sent:
                await self.answers(dispatch.command_id, "executed", dispatch.vin)

    # what the car does

    async def answers(self, command_id: str, status: str, vin: str = VIN, service: str = "", **more: Any) -> None:
        command = await self.store.command(command_id)
        assert command is not None
        said = {"session": SESSION, "arrived_at": self.now(), "vehicle_at": self.now(), **more}
        about = {"vin": vin, "command_id": command_id, "service": service or command.service}
        await self.happens(Answered(status=AnswerStatus(status), **about, **said))

    async def goes(self, presence: str, vin: str = VIN) -> None:
        said = {"session": SESSION, "arrived_at": self.now()}
        if presence == "offline":
            await self.goes("online", vin)
        await self.happens(PresenceChanged(vin=vin, presence=Presence(presence), **said))

    async def reports(self, signals: dict[str, Any], vin: str = VIN) -> None:
        said = {"session": SESSION, "arrived_at": self.now(), "vehicle_at": self.now()}
        await self.happens(StateReported(vin=vin, signals=signals, **said))

    async def _disconnect(self, vin: str) -> None:
        if not self.connected:
            raise ConnectionError("the bus is down")
        self.disconnected.append(vin)

    async def _find_letters(self, vin: str | None, limit: int) -> list[DeadLetter]:
        return [letter for letter in self.letters if vin in (None, letter.vin)][:limit]
