import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.domain.catalog import Risk
from outrider.domain.errors import (
    AlreadySettled,
    CommandUnknown,
    KeyReused,
    NotYourVehicle,
    OutriderError,
    ServiceUnknown,
    ServiceUnsupported,
    TemporarilyUnavailable,
    TooLateToCancel,
    VehicleUnknown,
    WrongParameter,
)
from outrider.domain.lane import Command
from outrider.domain.lifecycle import State
from outrider.domain.messages import Accepted, CancelAsked, StateReported, TimePassed
from outrider.services.creation import VERDICT_WITHIN, Request
from tests.domain.lanes import NOW, VIN, answer, birth, will
from tests.services.world import OTHER, TRACE, UNKNOWN, World, catalog, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def nothing_stored(here: World) -> bool:
    found = [c for vin in (VIN, OTHER) for c in await here.store.commands(vin, list(Risk), 2**62, 9, None, None)]
    return not found and not here.bus.told


async def sent(here: World, service: str = "horn-blow") -> Command:
    command = await here.ask(service)
    await here.happens(birth("session-1"), Accepted(vin=VIN, command_id=command.id))
    return await here.now(command)


# ---- asking


async def test_a_command_is_stored_before_it_is_told(here: World) -> None:
    """Whoever hears of it finds it on disk (law 3)."""
    found: list[Command | None] = []

    async def look(fact: Any) -> None:
        found.append(await here.store.command(fact.command_id))

    here.bus.hears = look
    command = await here.ask()

    assert found == [command]
    assert here.bus.told == {f"{command.id}-accepted": [Accepted(vin=VIN, command_id=command.id)]}


async def test_its_terms_are_fixed(here: World) -> None:
    """The command has the catalog's terms of this moment, the defaults filled in, and its two times (laws 2 and 11)."""
    command = await here.ask("climate-start", params={"temperature": 25})

    service = catalog().services["climate-start"]
    assert command.terms == service.terms
    assert command.params == {"temperature": 25, "duration": 600}
    assert (command.state, command.seq, command.version) == (State.ACCEPTED, 1, 1)
    assert (command.accepted_at, command.expires_at) == (NOW, NOW + service.ttl)
    assert command.deadline == command.expires_at + service.finish_within
    assert (command.asked_by, command.model, command.traceparent) == ("alice", "falcon-electric", TRACE)


async def test_the_caller_may_shorten_its_time(here: World) -> None:
    """And the deadline with it (law 2)."""
    command = await here.ask("climate-start", expires_in=120)

    assert (command.expires_at, command.deadline) == (NOW + 120, NOW + 140)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"vin": UNKNOWN, "service": "lunch-serve", "person": "bob"}, VehicleUnknown),
        ({"service": "lunch-serve", "person": "bob"}, ServiceUnknown),
        ({"person": "bob", "params": {"temperature": 99}}, NotYourVehicle),
        ({"vin": OTHER}, NotYourVehicle),
        ({"params": {"temperature": 99}}, WrongParameter),
        ({"params": {"colour": "red"}}, WrongParameter),
        ({"service": "charge-limit"}, WrongParameter),
        ({"expires_in": 0}, WrongParameter),
        ({"expires_in": -1}, WrongParameter),
        ({"expires_in": 301}, WrongParameter),
    ],
    ids=str,
)
async def test_what_is_refused(here: World, asked: dict[str, Any], error: type[OutriderError]) -> None:
    """In this order: vehicle, service, grant, support, parameters; and nothing is stored or told."""
    with pytest.raises(error):
        await here.ask(**asked)

    assert await nothing_stored(here)


async def test_a_vehicle_that_cannot(here: World) -> None:
    """The grant is looked at first: whoever may not use a vehicle learns nothing of it."""
    petrol = "0UTR1DERS00000003"
    await here.registry.add_vehicle(petrol, "kestrel-petrol")

    with pytest.raises(NotYourVehicle):
        await here.ask("charge-stop", vin=petrol)
    await here.registry.add_grant(petrol, "alice", list(Risk), None, "operator")
    with pytest.raises(ServiceUnsupported):
        await here.ask("charge-stop", vin=petrol)


async def test_everything_that_is_wrong_is_told_at_once(here: World) -> None:
    """With the place of each, and without the value."""
    with pytest.raises(WrongParameter) as refused:
        await here.ask(params={"temperature": 99, "duration": "long"}, expires_in=9999)

    assert {c.field for c in refused.value.errors} == {"params.temperature", "params.duration", "expires_in"}


@pytest.mark.parametrize(("risks", "until_", "may"), [([Risk.COMFORT], None, True), ([Risk.ACCESS], None, False)])
async def test_a_grant_covers_risks(here: World, risks: list[Risk], until_: float | None, may: bool) -> None:
    """A person may ask for what is at stake in the grant, and for nothing else."""
    await here.registry.add_grant(VIN, "bob", risks, until_, "operator")

    if may:
        assert await here.ask(person="bob")
    else:
        with pytest.raises(NotYourVehicle):
            await here.ask(person="bob")


async def test_a_grant_that_is_over(here: World) -> None:
    """Its end is the first moment at which it does not count."""
    await here.registry.add_grant(VIN, "bob", [Risk.COMFORT], NOW + 5, "operator")
    assert await here.ask(person="bob")

    here.clock.now += 5

    with pytest.raises(NotYourVehicle):
        await here.ask(person="bob")


# ---- the same request again


async def test_a_repeated_request_is_one_command(here: World) -> None:
    """The second is told of the first, whatever has become of bus and grant's service since (law 3)."""
    request = Request(service="horn-blow")
    first, replayed = await here.creation.ask("alice", VIN, request, "key", TRACE)
    assert not replayed
    here.bus.connected = False
    here.clock.now += 10

    again, replayed = await here.creation.ask("alice", VIN, request, "key", TRACE)

    assert (again, replayed) == (first, True)
    assert len(here.bus.told) == 1


@pytest.mark.parametrize(
    "other", [{"service": "horn-blow"}, {"params": {"temperature": 22}}, {"expires_in": 9}], ids=str
)
async def test_a_key_belongs_to_one_request(here: World, other: dict[str, Any]) -> None:
    """With another service, parameter or time it is refused."""
    await here.ask(key="key")

    with pytest.raises(KeyReused):
        await here.ask(**{"key": "key", **other})


async def test_the_order_of_parameters_makes_no_other_request(here: World) -> None:
    """Two ways to write one request are one request."""
    one = await here.ask(key="key", params={"temperature": 22, "duration": 60})

    assert await here.ask(key="key", params={"duration": 60, "temperature": 22}) == one


async def test_one_key_at_the_same_time(here: World) -> None:
    """All are told of the one command, and it is announced once."""
    commands = await asyncio.gather(*(here.ask(key="key") for _ in range(8)))

    assert len({c.id for c in commands}) == 1
    assert len(here.bus.told) == 1


async def test_a_key_opens_nothing(here: World) -> None:
    """Whoever lost the grant does not see the command by repeating the request."""
    [grant] = await here.registry.grants(VIN, "", 9)
    await here.ask(key="key")
    await here.registry.end_grant(grant.id)

    with pytest.raises(NotYourVehicle):
        await here.ask(key="key")


# ---- without the bus


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({"service": "door-lock"}, True),
        ({"service": "door-lock", "expires_in": 61}, True),
        ({"service": "door-lock", "expires_in": 60}, False),
        ({"service": "horn-blow"}, False),
    ],
    ids=str,
)
async def test_while_the_bus_is_down(here: World, asked: dict[str, Any], taken: bool) -> None:
    """What can wait longer than a minute is accepted; what can't is refused, and when to try again is told (law 3)."""
    here.bus.connected, here.bus.fails = False, True

    if taken:
        command = await here.ask(**asked)
        assert await here.now(command) == command
    else:
        with pytest.raises(TemporarilyUnavailable) as refused:
            await here.ask(**asked)
        assert (refused.value.retry_after, refused.value.retryable, refused.value.may_have_happened) == (2, True, False)
        assert await nothing_stored(here)


async def test_an_announcement_that_gets_lost(here: World) -> None:
    """The command is there all the same, and its lane is looked at soon (law 3)."""
    here.bus.fails = True

    command = await here.ask()

    assert await here.now(command) == command
    assert await here.store.due(NOW + 2, 9) == [VIN]


# ---- withdrawing


def with_processing(here: World) -> None:
    """Let processing hear what is told."""
    here.bus.hears = here.happens


async def test_a_command_that_waits_is_withdrawn(here: World) -> None:
    """The wish is stored and told, the verdict is awaited: cancelled."""
    await here.happens(birth("s"), will("s"))
    command = await here.ask()
    with_processing(here)

    cancelled = await here.creation.cancel("alice", command.id)

    assert (cancelled.state, cancelled.reason) == (State.CANCELLED, "asked")
    assert here.bus.told[f"{command.id}-cancel"] == [CancelAsked(vin=VIN, command_id=command.id)]
    assert here.clock.now == NOW
    assert await here.creation.cancel("alice", command.id) == cancelled  # a second wish changes nothing


@pytest.mark.parametrize("state", ["sent", "delivered", "executing", "unconfirmed"])
async def test_what_was_sent_can_not_be_withdrawn(here: World, state: str) -> None:
    """It may have happened: the caller is told so, at once."""
    command = await sent(here)
    if state == "delivered":
        await here.happens(answer("received", command.id, service="horn-blow"))
    elif state == "executing":
        await here.happens(answer("executing", command.id, service="horn-blow"))
    elif state == "unconfirmed":
        here.clock.now = command.deadline
        await here.happens(TimePassed(vin=VIN))
    assert (await here.now(command)).state == state

    with pytest.raises(TooLateToCancel) as refused:
        await here.creation.cancel("alice", command.id)

    assert refused.value.may_have_happened


@pytest.mark.parametrize(("status", "happened"), [("executed", True), ("failed", True), ("rejected", False)])
async def test_what_ended_stays_so(here: World, status: str, happened: bool) -> None:
    """The caller learns whether it may have happened."""
    command = await sent(here)
    await here.happens(answer(status, command.id, service="horn-blow"))

    with pytest.raises(AlreadySettled) as refused:
        await here.creation.cancel("alice", command.id)

    assert refused.value.may_have_happened == happened
    assert (await here.now(command)).cancel_asked_at is None


async def test_a_verdict_that_does_not_come(here: World) -> None:
    """After 2 s the command is given as it is; the wish is kept (law 3)."""
    here.bus.fails = True
    command = await here.ask()

    asked = await here.creation.cancel("alice", command.id)

    assert (asked.state, asked.cancel_asked_at) == (State.ACCEPTED, NOW)
    assert here.clock.now == NOW + VERDICT_WITHIN
    here.bus.fails = False
    await here.happens(TimePassed(vin=VIN))
    assert (await here.now(command)).state is State.CANCELLED


async def test_only_who_may_ask_may_withdraw(here: World) -> None:
    """Nobody else, and nothing that there is not."""
    command = await here.ask()

    with pytest.raises(NotYourVehicle):
        await here.creation.cancel("bob", command.id)
    with pytest.raises(CommandUnknown):
        await here.creation.cancel("alice", "nobody's")

    assert (await here.now(command)).cancel_asked_at is None


# ---- looking


async def test_waiting_until_it_is_settled(here: World) -> None:
    """The command is given once it is settled, or as it is when the time is over."""
    command = await sent(here)
    assert (await here.creation.settled(command, 10)).state is State.SENT
    assert here.clock.now == NOW + 10

    waiting = asyncio.create_task(here.creation.settled(command, 10))
    await asyncio.sleep(0.01)
    await here.happens(answer("executed", command.id, service="horn-blow"))

    assert (await waiting).state is State.EXECUTED
    assert here.clock.now == NOW + 10


async def test_the_timeline(here: World) -> None:
    """What happened to a command, in order."""
    command = await sent(here)

    assert [hop.what for hop in await here.creation.timeline(command)] == ["accepted", "sent"]


async def test_what_a_person_sees(here: World) -> None:
    """Vehicles, services and commands of the risks that the grant covers; positions only with `location`."""
    signals = {"Vehicle.Speed": 0.5, "Vehicle.CurrentLocation.Latitude": 47.1}
    await here.happens(StateReported(vin=VIN, session="session-1", arrived_at=NOW, signals=signals))
    await here.registry.add_grant(VIN, "bob", [Risk.COMFORT], None, "operator")
    comfort, access = await here.ask("climate-start"), await here.ask("door-lock")

    record, services = await here.creation.vehicle("bob", VIN)
    assert dict(record.signals) == {"Vehicle.Speed": 0.5}
    assert {s.risk for s in services} == {Risk.COMFORT}
    assert [dict(r.signals) for r in await here.creation.vehicles("bob", "", 9)] == [{"Vehicle.Speed": 0.5}]
    assert await here.creation.commands("bob", VIN, 2**62, 9, None, None) == [comfort]
    assert await here.creation.command("bob", comfort.id) == comfort
    with pytest.raises(NotYourVehicle):
        await here.creation.command("bob", access.id)

    assert (await here.creation.vehicle("alice", VIN))[0].signals == signals
    assert await here.creation.commands("alice", VIN, 2**62, 9, None, None) == [access, comfort]


@pytest.mark.parametrize("person", ["bob", ""])
async def test_what_a_stranger_sees(here: World, person: str) -> None:
    """Nothing."""
    assert await here.creation.vehicles(person, "", 9) == []
    with pytest.raises(NotYourVehicle):
        await here.creation.vehicle(person, VIN)
    with pytest.raises(NotYourVehicle):
        await here.creation.commands(person, VIN, 2**62, 9, None, None)
    with pytest.raises(VehicleUnknown):
        await here.creation.vehicle(person, UNKNOWN)


def test_a_request_tolerates_no_unknown_member() -> None:
    """A misspelt `expires_in` would otherwise be a command with another time than was meant."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"service": "door-lock", "expires": 5}', type=Request)
