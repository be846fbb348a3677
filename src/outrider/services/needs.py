"""What the services need from outside, as they see it. The adapters fulfil it; wiring hands them over."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from outrider.domain.deciding import Decision
from outrider.domain.lane import Command, Lane
from outrider.domain.messages import AnyFact, Change, DeadLetter, Dispatch, Fact, Hop
from outrider.domain.registry import Credential, Grant, VehicleRecord

Judge = Callable[[Lane, Sequence[AnyFact]], Decision]


class CommandStore(Protocol):
    """What creation asks of the store. Every change is on disk when the call returns."""

    async def vehicle(self, vin: str) -> VehicleRecord | None: ...

    async def vehicles(self, person: str | None, now: float, after: str, limit: int) -> list[VehicleRecord]:
        """Vehicles in order of VIN after `after`: those that a person may use, or with None all."""
        ...

    async def grants(self, person: str, vin: str, now: float) -> list[Grant]:
        """What this person may do with this vehicle now."""
        ...

    async def accept(self, command: Command, key: str | None, fingerprint: str | None) -> Command:
        """Give the command its place in the lane and keep it; with a key that was used before, return that command.

        Raises VehicleUnknown, KeyReused, LaneFull.
        """
        ...

    async def asked_before(self, person: str, key: str, fingerprint: str) -> Command | None:
        """The command that this person's idempotency key belongs to. Raises KeyReused if the request was another."""
        ...

    async def command(self, command_id: str) -> Command | None: ...

    async def history(self, command_id: str) -> list[Hop]: ...

    async def commands(
        self,
        vin: str,
        risks: Collection[str],
        before: int,
        limit: int,
        states: Sequence[str] | None,
        service: str | None,
    ) -> list[Command]:
        """A vehicle's commands of these risk classes, newest first, those below the place `before`."""
        ...

    async def wish_cancel(self, command_id: str, at: float) -> None: ...


class LaneStore(Protocol):
    """What processing asks of the store."""

    async def decide(self, facts: Mapping[str, Sequence[AnyFact]], judge: Judge, now: float) -> dict[str, Decision]:
        """Lock the lanes of these VINs, let `judge` decide on each, and keep all that follows, in one transaction.

        A VIN that is missing from the answer is not registered.
        """
        ...

    async def due(self, now: float, limit: int) -> list[str]: ...

    async def look_later(self, vin: str, at: float) -> None: ...

    async def forget_presence(self) -> None: ...

    async def latest_changes(self, margin: float) -> list[Change]:
        """What changed last: within `margin` seconds before the latest change."""
        ...

    async def purge(self, before: float, limit: int) -> int: ...

    async def get_meta(self, key: str) -> str | None: ...

    async def put_meta(self, key: str, value: str) -> None: ...


class RegistryStore(Protocol):
    """What the registry of vehicles asks of the store."""

    async def vehicle(self, vin: str) -> VehicleRecord | None: ...

    async def vehicles(self, person: str | None, now: float, after: str, limit: int) -> list[VehicleRecord]: ...

    async def add_vehicle(self, vin: str, model: str, at: float) -> bool: ...

    async def add_credential(self, credential: Credential, secret_hash: str) -> None: ...

    async def revoke_credential(self, vin: str, credential_id: str, at: float) -> Credential | None: ...

    async def credentials(self, vin: str, after: str, limit: int) -> list[Credential]: ...

    async def add_grant(self, grant: Grant) -> None: ...

    async def end_grant(self, grant_id: str, at: float) -> Grant | None: ...

    async def grants_of_vehicle(self, vin: str, after: str, limit: int) -> list[Grant]: ...


class Bus(Protocol):
    """What the services ask of the streams between them."""

    @property
    def connected(self) -> bool:
        """Is the bus there right now?"""
        ...

    async def tell(self, message_id: str, facts: Sequence[Fact]) -> None:
        """Put facts on the stream that processing reads, in their order; told twice under one id, they arrive once."""
        ...

    async def hint(self, message_id: str, fact: Fact) -> None:
        """Tell processing of what is stored already, without asking whether it arrived: it would find it by its age."""
        ...

    async def dispatch(self, dispatches: Iterable[Dispatch]) -> None:
        """Put dispatches on the stream that outgoing reads."""
        ...

    async def announce(self, changes: Iterable[Change]) -> None:
        """Tell whoever listens what became of commands."""
        ...

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Keep what was not believed, with the reason."""
        ...


class Received(Protocol):
    """A message from a stream: `at` is when the broker had it, `seq` its place in the stream."""

    @property
    def subject(self) -> str: ...
    @property
    def data(self) -> bytes: ...
    @property
    def at(self) -> float: ...
    @property
    def seq(self) -> int: ...


class Reader(Protocol):
    """A service's stream, in batches of what is there now; what is not acknowledged comes again."""

    def batches(self) -> AsyncIterator[Sequence[Any]]: ...

    async def ack(self, messages: Iterable[Any]) -> None: ...


class Link(Protocol):
    """The way to vehicles."""

    async def start(self, not_reachable: Callable[[str, str, int], Awaitable[None]]) -> None: ...

    async def send(self, dispatch: Dispatch) -> None: ...


class StoreUnavailable(Exception):
    """The store can't answer now (locked, disk full, unreachable): nothing was changed, try again."""
