import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from outrider.adapters import wire
from outrider.domain.lane import Presence
from outrider.domain.messages import Answered, AnswerStatus, PresenceChanged, StateReported
from outrider.services.incoming import LETTERS_PER_VEHICLE, MESSAGES_PER_VEHICLE, Incoming
from tests.domain.lanes import NOW, VIN
from tests.fakes import Clock, FakeBus, FakeReader, Message, until
from tests.services.world import OTHER, catalog

ID = "019aa9f0-6c1e-7b6a-9d43-5c8f1e2d3a4b"
SESSION = "n4bQgYhMfWWaL-qg"
TIME, AT = "2026-11-22T10:00:00.250Z", 1_795_341_600.25
BIRTH = {"session": SESSION, "status": "online", "at": TIME}
WILL = {"session": SESSION, "status": "offline"}
STATE = {"session": SESSION, "at": TIME, "signals": {"Vehicle.Speed": 0.5}}
ANSWER = {"id": ID, "service": "vehicle-find", "status": "executed", "at": TIME, "session": SESSION}
FOUND = {"latitude": 47.1, "longitude": 8.5}


class Rig:
    """Incoming between the uplink and the bus."""

    def __init__(self) -> None:
        self.clock = Clock(NOW)
        self.bus = FakeBus(self.clock)
        self.reader = FakeReader()
        self.broken: Counter[str] = Counter()
        count = self.broken.update
        self.incoming = Incoming(
            self.bus, self.reader, wire.read_said, catalog, lambda reason: count([reason]), self.clock
        )
        self.said = 0

    def message(self, kind: str, said: Any, vin: str = VIN) -> Message:
        self.said += 1
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        return Message(f"outrider.v1.{vin}.{kind}", data, NOW - 1, self.said)

    async def say(self, kind: str, said: Any, vin: str = VIN) -> None:
        await self.reader.put(self.message(kind, said, vin))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    running = asyncio.create_task(rig.incoming.run())
    yield rig
    assert not running.done(), "incoming ended by itself"
    running.cancel()


HEARD: dict[str, Any] = {"vin": VIN, "session": SESSION, "arrived_at": NOW - 1}


@pytest.mark.parametrize(
    ("kind", "said", "fact"),
    [
        ("presence", BIRTH, PresenceChanged(**HEARD, vehicle_at=AT, presence=Presence.ONLINE)),
        ("presence", WILL, PresenceChanged(**HEARD, presence=Presence.OFFLINE)),
        ("state", STATE, StateReported(**HEARD, vehicle_at=AT, signals={"Vehicle.Speed": 0.5})),
        (
            "answer",
            ANSWER | {"status": "rejected", "reason": "doors_open"},
            Answered(
                **HEARD,
                vehicle_at=AT,
                command_id=ID,
                service="vehicle-find",
                status=AnswerStatus.REJECTED,
                reason="doors_open",
            ),
        ),
        (
            "answer",
            ANSWER | {"result": FOUND},
            Answered(
                **HEARD,
                vehicle_at=AT,
                command_id=ID,
                service="vehicle-find",
                status=AnswerStatus.EXECUTED,
                result=FOUND,
            ),
        ),
    ],
    ids=["birth", "will", "state", "rejection", "result"],
)
async def test_what_a_vehicle_says_becomes_a_fact(rig: Rig, kind: str, said: Any, fact: Any) -> None:
    """The vehicle is the topic's, the time of arrival the broker's, the vehicle's time its own."""
    await rig.say(kind, said)

    assert rig.bus.facts == [fact]
    assert rig.bus.buried == []


async def test_facts_keep_their_order(rig: Rig) -> None:
    """A batch goes on as it came."""
    said = [rig.message("presence", BIRTH), rig.message("state", STATE), rig.message("presence", WILL)]

    await rig.reader.put(*said)

    assert [type(fact) for fact in rig.bus.facts] == [PresenceChanged, StateReported, PresenceChanged]


@pytest.mark.parametrize(
    ("kind", "said", "vin", "reason", "detail"),
    [
        ("state", STATE, "not-a-vin", "not_a_vin", "no valid VIN"),
        ("state", STATE, f"{VIN}X", "not_a_vin", "no valid VIN"),
        ("state", STATE, VIN.lower(), "not_a_vin", "no valid VIN"),
        ("state", b"hello", VIN, "bad_state", "malformed"),
        ("state", b"\xff\xfe", VIN, "bad_state", ""),
        ("state", STATE | {"x": "x" * 17_000}, VIN, "bad_state", "at most 16384"),
        ("state", b'{"x":' + b"[" * 6000 + b"]" * 6000 + b"}", VIN, "bad_state", "too deeply"),
        ("state", STATE | {"at": "2026-02-30T00:00:00Z"}, VIN, "bad_state", "datetime"),
        ("answer", STATE, VIN, "bad_answer", "missing"),
        ("presence", WILL | {"status": "online"}, VIN, "bad_presence", "at is required"),
        ("answer", ANSWER | {"result": {"latitude": 91}}, VIN, "bad_result", "result"),
        ("answer", ANSWER | {"service": "door-lock", "result": {}}, VIN, "bad_result", "result"),
        ("answer", ANSWER | {"service": "lunch-serve", "result": {}}, VIN, "unknown_service", "lunch-serve"),
    ],
)
async def test_what_breaks_the_contract_is_buried(
    rig: Rig, kind: str, said: Any, vin: str, reason: str, detail: str
) -> None:
    """With the reason and the beginning of what was said; it is counted, acknowledged and becomes no fact."""
    message = rig.message(kind, said, vin)

    await rig.reader.put(message)

    [letter] = rig.bus.buried
    assert (letter.vin, letter.reason, letter.source, letter.at) == (vin, reason, kind, NOW - 1)
    assert detail in letter.detail
    assert letter.payload == message.data[:1000].decode("utf-8", "replace")
    assert rig.broken == {reason: 1}
    assert rig.bus.told == {}
    assert rig.reader.acked == [message]


async def test_a_position_stays_out_of_the_reason(rig: Rig) -> None:
    """What is wrong with a result is told without its value: it may say where a person is."""
    await rig.say("answer", ANSWER | {"result": {"latitude": 123.456, "longitude": 8.5}})

    assert "123.456" not in rig.bus.buried[0].detail


async def test_a_broken_message_harms_no_other(rig: Rig) -> None:
    """The rest of its batch goes on."""
    await rig.reader.put(rig.message("state", b"hello"), rig.message("state", STATE, OTHER))

    assert [fact.vin for fact in rig.bus.facts] == [OTHER]
    assert [letter.vin for letter in rig.bus.buried] == [VIN]


async def test_a_vehicle_that_has_gone_mad_fills_nothing(rig: Rig) -> None:
    """It causes 20 dead letters a minute; the rest is counted, and other vehicles have their own 20."""
    await rig.reader.put(*(rig.message("state", b"hello") for _ in range(100)))
    await rig.say("state", b"hello", OTHER)
    assert Counter(letter.vin for letter in rig.bus.buried) == {VIN: LETTERS_PER_VEHICLE, OTHER: 1}
    assert rig.broken == {"bad_state": 101}

    rig.clock.now += 60
    await rig.say("state", b"hello")

    assert Counter(letter.vin for letter in rig.bus.buried) == {VIN: LETTERS_PER_VEHICLE + 1, OTHER: 1}


async def test_a_vehicle_that_never_stops_talking(rig: Rig) -> None:
    """Beyond so many messages in a minute it is not listened to, however right they are; others are."""
    for _ in range(MESSAGES_PER_VEHICLE // 500):
        await rig.reader.put(*(rig.message("presence", WILL) for _ in range(500)))
    assert len(rig.bus.facts) == MESSAGES_PER_VEHICLE

    await rig.say("presence", WILL)
    await rig.say("presence", WILL, OTHER)
    assert len(rig.bus.facts) == MESSAGES_PER_VEHICLE + 1
    assert rig.broken == {"too_many": 1}

    rig.clock.now += 60
    await rig.say("presence", WILL)
    assert len(rig.bus.facts) == MESSAGES_PER_VEHICLE + 2


async def test_a_failing_bus_loses_nothing(rig: Rig) -> None:
    """The batch is not acknowledged; when it comes again, each fact is told once (law 3)."""
    rig.bus.fails = True
    waiting = asyncio.create_task(rig.reader.put(rig.message("presence", BIRTH), rig.message("state", STATE)))
    await until(lambda: rig.reader.given > 2)
    assert rig.reader.acked == []

    rig.bus.fails = False
    await waiting

    assert len(rig.bus.facts) == 2
    assert len(rig.reader.acked) == 2


async def test_a_batch_read_twice_is_told_once(rig: Rig) -> None:
    """If its acknowledgement got lost, its copy vanishes (law 3)."""
    batch = [rig.message("state", STATE), rig.message("state", STATE)]

    await rig.reader.put(*batch)
    await rig.reader.put(*batch)

    assert len(rig.bus.facts) == 2


async def test_another_batch_is_never_taken_for_a_copy(rig: Rig) -> None:
    """What comes again may come with what another reader held in between: none of it may vanish (law 3)."""
    first, between, last = (
        rig.message("answer", ANSWER | {"status": s}) for s in ("received", "executing", "executed")
    )
    await rig.reader.put(first, last)

    await rig.reader.put(first, between, last)

    assert AnswerStatus.EXECUTING in [fact.status for fact in rig.bus.facts if isinstance(fact, Answered)]
