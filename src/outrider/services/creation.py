"""Creation: takes what a person asks for, checks it, stores it before it says so, then announces it.

It never changes a command's state: that is processing's alone.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import structlog

from outrider.common.ids import uuid7
from outrider.domain.catalog import Catalog, Complaint, Risk, Service
from outrider.domain.errors import (
    AlreadySettled,
    CommandUnknown,
    NotYourVehicle,
    ServiceUnknown,
    ServiceUnsupported,
    TemporarilyUnavailable,
    TooLateToCancel,
    VehicleUnknown,
    WrongParameter,
)
from outrider.domain.lane import Command
from outrider.domain.lifecycle import CERTAINLY_NOT, IN_FLIGHT, SETTLED, TERMINAL, State
from outrider.domain.messages import Accepted, CancelAsked, Fact, Hop
from outrider.domain.registry import Grant, VehicleRecord
from outrider.services.needs import Bus, CommandStore

log = structlog.get_logger()

WAITS_OUT_AN_OUTAGE = 60.0
"""Seconds of ttl above which a command is accepted while the bus is down: it has time to wait."""
VERDICT_WITHIN = 2.0
"""Seconds for which a cancel waits for processing's verdict."""
POSITION = "Vehicle.CurrentLocation."
"""How the signals begin that say where a vehicle is."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person asks for: the body of the request.

    `expires_in` (seconds) may shorten the service's ttl, never lengthen it.
    """

    service: str
    params: dict[str, Any] = {}
    expires_in: float | None = None


class Watch(Protocol):
    """Tells of changes to one vehicle's commands while it is entered."""

    async def __aenter__(self) -> "Watch": ...
    async def __aexit__(self, *error: object) -> None: ...
    async def next(self, timeout: float) -> None:
        """Return when something changed, or after `timeout` seconds."""
        ...


class Creation:
    """Commands as people see them. `watch(vin)` tells of changes; `catalog()` is the one in force now."""

    def __init__(
        self,
        store: CommandStore,
        bus: Bus,
        catalog: Callable[[], Catalog],
        watch: Callable[[str], Watch],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._bus = bus
        self._catalog = catalog
        self._watch = watch
        self._clock = clock

    async def ask(
        self, person: str, vin: str, request: Request, key: str | None, traceparent: str
    ) -> tuple[Command, bool]:
        """Accept a command: when this returns it is on disk.

        With an idempotency key that this person used before for the same request, the command of that time is
        returned, and True: whatever has become of catalog and bus since, it was accepted then.
        """
        now = self._clock()
        fingerprint = None if key is None else _fingerprint(vin, request)
        if key is not None and fingerprint is not None:
            earlier = await self._store.asked_before(person, key, fingerprint)
            if earlier is not None:
                await self._may_see(person, earlier)
                return earlier, True
        catalog = self._catalog()  # one for the whole request: it may be replaced at any moment
        vehicle = await self._vehicle(vin)
        service = _service(catalog, request.service)
        await self._may(person, vin, service, now)
        if not catalog.supports(vehicle.model, service.name):
            raise ServiceUnsupported(
                f"A {vehicle.model} can't {service.name}; GET /v1/vehicles/{vin} lists what it can."
            )
        params = _checked(catalog, service, request)
        command = _command(person, vehicle, service, params, request.expires_in, traceparent, now)
        if not self._bus.connected and command.expires_at - now <= WAITS_OUT_AN_OUTAGE:
            raise TemporarilyUnavailable(
                "The way to the vehicles is down, and this command could not wait for it. Nothing was stored.",
                retry_after=2,
            )
        stored = await self._store.accept(command, key, fingerprint)
        replayed = stored.id != command.id  # two with the same key at the same time
        if not replayed:
            await self._hint(f"{stored.id}-accepted", Accepted(vin=vin, command_id=stored.id))
        return stored, replayed

    async def cancel(self, person: str, command_id: str) -> Command:
        """Ask to withdraw a command: the wish is stored, the verdict awaited for a moment.

        Returns the command, cancelled or (no verdict yet) still open. Raises TooLateToCancel if it may have happened,
        AlreadySettled if it ended otherwise.
        """
        command = await self.command(person, command_id)
        if command.state in TERMINAL:
            return _verdict(command)
        async with self._watch(command.vin) as watch:
            await self._store.wish_cancel(command_id, self._clock())
            await self._hint(f"{command_id}-cancel", CancelAsked(vin=command.vin, command_id=command_id))
            command = await self._until(watch, command, lambda c: c.state in IN_FLIGHT | SETTLED, VERDICT_WITHIN)
        return _verdict(command)

    async def command(self, person: str, command_id: str) -> Command:
        """A command, for someone with a grant for its risk. Raises CommandUnknown, NotYourVehicle."""
        command = await self._store.command(command_id)
        if command is None:
            raise CommandUnknown(f"There is no command {command_id}; it may have been purged.")
        await self._may_see(person, command)
        return command

    async def settled(self, command: Command, timeout: float) -> Command:
        """The command once it is settled, or as it is after `timeout` seconds."""
        async with self._watch(command.vin) as watch:
            return await self._until(watch, command, lambda c: c.state in SETTLED, timeout)

    async def timeline(self, command: Command) -> list[Hop]:
        """What happened to it, in order."""
        return await self._store.history(command.id)

    async def commands(
        self, person: str, vin: str, before: int, limit: int, states: Sequence[State] | None, service: str | None
    ) -> list[Command]:
        """A vehicle's commands, newest first, those below the place `before`: what this person's grants cover."""
        await self._vehicle(vin)
        covered = _risks(await self._grants(person, vin))
        return await self._store.commands(vin, covered, before, limit, states, service)

    async def vehicles(self, person: str, after: str, limit: int) -> list[VehicleRecord]:
        """The vehicles that this person may use, by VIN; each with its position only where the grant covers it."""
        now = self._clock()
        found = await self._store.vehicles(person, now, after, limit)
        return [_shown(record, _risks(await self._store.grants(person, record.vin, now))) for record in found]

    async def vehicle(self, person: str, vin: str) -> tuple[VehicleRecord, list[Service]]:
        """A vehicle (its position only where the grant covers it), and the services that this person may ask it for."""
        record = await self._vehicle(vin)
        covered = _risks(await self._grants(person, vin))
        catalog = self._catalog()
        names = [name for name in catalog.services if catalog.supports(record.model, name)]
        return _shown(record, covered), [s for name in names if (s := catalog.services[name]).risk in covered]

    # ---- the checks

    async def _vehicle(self, vin: str) -> VehicleRecord:
        vehicle = await self._store.vehicle(vin)
        if vehicle is None:
            raise VehicleUnknown(f"{vin} is not registered. Check the VIN; an administrator can add it.")
        return vehicle

    async def _grants(self, person: str, vin: str) -> list[Grant]:
        grants = await self._store.grants(person, vin, self._clock())
        if not grants:
            raise NotYourVehicle(f"You may not use {vin}; ask its owner or an administrator for a grant.")
        return grants

    async def _may(self, person: str, vin: str, service: Service, now: float) -> None:
        if not any(grant.covers(service.risk, now) for grant in await self._grants(person, vin)):
            raise NotYourVehicle(f"Your grant for {vin} does not cover {service.risk}, which {service.name} needs.")

    async def _may_see(self, person: str, command: Command) -> None:
        if command.terms.risk not in _risks(await self._grants(person, command.vin)):
            raise NotYourVehicle(f"Your grant for {command.vin} does not cover {command.terms.risk}.")

    # ---- waiting and telling

    async def _until(
        self, watch: Watch, command: Command, enough: Callable[[Command], bool], timeout: float
    ) -> Command:
        ends = self._clock() + timeout
        while True:
            command = await self._store.command(command.id) or command
            left = ends - self._clock()
            if enough(command) or left <= 0:
                return command
            await watch.next(left)

    async def _hint(self, message_id: str, fact: Fact) -> None:
        """Announce what is stored. Should that get lost, processing finds the command by its age (law 3)."""
        try:
            await self._bus.hint(message_id, fact)
        except Exception as error:
            log.warning("announcement_lost", message_id=message_id, error=repr(error))


def _service(catalog: Catalog, name: str) -> Service:
    if name not in catalog.services:
        raise ServiceUnknown(f"There is no service {name!r}; GET /v1/catalog lists them.")
    return catalog.services[name]


def _checked(catalog: Catalog, service: Service, request: Request) -> dict[str, Any]:
    """The whole parameters, defaults filled in. Raises WrongParameter with everything that is wrong."""
    params = catalog.complete_params(service.name, request.params)
    complaints = catalog.check_params(service.name, params)
    if request.expires_in is not None and not 0 < request.expires_in <= service.ttl:
        message = f"must be more than 0 and at most {service.ttl:g} seconds, the ttl of {service.name}"
        complaints.append(Complaint(field="expires_in", message=message))
    if complaints:
        raise WrongParameter(f"{service.name} can't be asked for like this; see errors.", errors=complaints)
    return params


def _command(
    person: str,
    vehicle: VehicleRecord,
    service: Service,
    params: Mapping[str, Any],
    expires_in: float | None,
    traceparent: str,
    now: float,
) -> Command:
    """The command with its terms fixed (law 11) and its two times (law 2)."""
    expires_at = now + (service.ttl if expires_in is None else expires_in)
    return Command(
        id=uuid7(now),
        vin=vehicle.vin,
        seq=0,
        service=service.name,
        model=vehicle.model,
        params=params,
        terms=service.terms,
        asked_by=person,
        traceparent=traceparent,
        accepted_at=now,
        expires_at=expires_at,
        deadline=expires_at + service.finish_within,
    )


def _fingerprint(vin: str, request: Request) -> str:
    """What makes two requests the same one, for an idempotency key."""
    return hashlib.sha256(msgspec.json.encode((vin, request), order="sorted")).hexdigest()


def _risks(grants: Sequence[Grant]) -> set[Risk]:
    return {risk for grant in grants for risk in grant.risks}


def _shown(record: VehicleRecord, covered: set[Risk]) -> VehicleRecord:
    """The vehicle without what only a grant for `location` shows."""
    if Risk.LOCATION in covered:
        return record
    signals = {name: value for name, value in record.signals.items() if not name.startswith(POSITION)}
    return msgspec.structs.replace(record, signals=signals)


def _verdict(command: Command) -> Command:
    if command.state in IN_FLIGHT or command.state is State.UNCONFIRMED:
        raise TooLateToCancel(
            f"It is {command.state}: it was sent and may have happened. GET /v1/commands/{command.id} tells its end."
        )
    if command.state in TERMINAL and command.state is not State.CANCELLED:
        raise AlreadySettled(
            f"It is {command.state} already, and stays so.", may_have_happened=command.state not in CERTAINLY_NOT
        )
    return command
