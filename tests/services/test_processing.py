import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.adapters import wire
from outrider.domain.catalog import Risk
from outrider.domain.lane import Command, Presence
from outrider.domain.lifecycle import State
from outrider.domain.messages import Accepted, AnyFact, CancelAsked
from outrider.services import processing
from outrider.services.processing import Processing
from tests.domain.lanes import NOW, VIN, answer, birth, did_not_leave, will
from tests.fakes import FakeReader, FakeStream, Message, until
from tests.services.world import OTHER, UNKNOWN, World, catalog, world

A_DAY = 86_400.0


class Rig:
    """Processing in a small world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock, self.store, self.bus = world.clock, world.store, world.bus
        self.reader, self.stream = FakeReader(), FakeStream()
        self.settled: list[Command] = []
        self.processing = Processing(
            world.store,
            world.bus,
            self.stream,
            self.reader,
            wire.read_facts,
            catalog,
            self.settled.append,
            world.clock,
            keep_for=A_DAY,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.processing.run())
        yield
        assert not task.done(), "processing ended by itself"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def hear(self, *facts: AnyFact) -> None:
        """One batch of facts, dealt with."""
        await self.reader.put(*map(message, facts))

    async def became(self, command: Command, state: State) -> Command:
        """Wait until a command is in a state."""
        async with asyncio.timeout(3):
            while (found := await self.world.now(command)).state is not state:
                await asyncio.sleep(0.01)
        return found

    async def ticks(self, times: int = 3) -> None:
        """Let the clock loop look a few times."""
        await asyncio.sleep(processing.LOOK_EVERY * times)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often, so that tests are short."""
    monkeypatch.setattr(processing, "LOOK_EVERY", 0.01)


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Rig]:
    """Not running yet."""
    async with world(tmp_path) as made:
        yield Rig(made)


@pytest.fixture
async def rig(still: Rig) -> AsyncIterator[Rig]:
    """Running."""
    async with still.running():
        yield still


def message(fact: Any) -> Message:
    return Message(f"facts.{fact.vin}", wire.fact_message("id", fact).data)


def poison(rig: Rig, command: Command) -> None:
    """Damage its row, so that its lane can't be read."""
    with closing(sqlite3.connect(rig.store.path, isolation_level=None)) as db:
        db.execute("update commands set terms = 'not json' where id = ?", (command.id,))


def accepted(command: Command) -> Accepted:
    return Accepted(vin=command.vin, command_id=command.id)


def said(status: str, command: Command, **news: Any) -> Any:
    return answer(status, command.id, **{"service": command.service, "arrived_at": NOW, **news})


# ---- facts


async def test_a_command_goes_out(rig: Rig) -> None:
    """An accepted command is recorded as sent, announced and dispatched, and its news acknowledged (laws 4 and 6)."""
    command = await rig.world.ask("door-lock")

    await rig.hear(accepted(command))

    sent = await rig.world.now(command)
    assert (sent.state, sent.attempt) == (State.SENT, 1)
    [dispatch] = rig.bus.dispatched
    assert (dispatch.command_id, dispatch.attempt, dispatch.expires_at) == (command.id, 1, command.expires_at)
    assert [(c.command.id, c.hop.what) for c in rig.bus.announced[-1:]] == [(command.id, "sent")]
    assert rig.settled == []


async def test_the_whole_way(rig: Rig) -> None:
    """Facts of one batch are folded in their order; every step is in the timeline, and the end is counted once."""
    command = await rig.world.ask()
    await rig.hear(birth("session-1"), accepted(command))

    await rig.hear(said("received", command), said("executing", command), said("executed", command))

    assert (await rig.world.now(command)).state is State.EXECUTED
    hops = await rig.store.history(command.id)
    assert [hop.what for hop in hops] == ["accepted", "sent", "delivered", "executing", "executed"]
    assert [c.id for c in rig.settled] == [command.id]


async def test_a_fact_read_twice_changes_nothing(rig: Rig) -> None:
    """A repeat costs time and never correctness (laws 3 and 5)."""
    command = await rig.world.ask()
    for _ in range(2):
        await rig.hear(accepted(command))
    for _ in range(2):
        await rig.hear(said("executed", command))

    assert len(rig.bus.dispatched) == 1
    assert len(await rig.store.history(command.id)) == 3
    assert len(rig.settled) == 1


async def test_a_vehicle_that_is_not_there(rig: Rig) -> None:
    """Its command waits, and leaves when the vehicle comes (law 9)."""
    command = await rig.world.ask()
    await rig.hear(accepted(command))
    await rig.hear(did_not_leave(1, command.id))
    waiting = await rig.world.now(command)
    assert (waiting.state, waiting.reason) == (State.QUEUED, "vehicle_offline")

    await rig.hear(birth("session-1"))

    assert (await rig.world.now(command)).state is State.SENT
    assert [d.attempt for d in rig.bus.dispatched] == [1, 2]


async def test_a_poisoned_lane_is_tried_alone_and_buried(rig: Rig) -> None:
    """A fact that raises goes to dead letter; its batch goes on and is not tried again (law 4)."""
    command = await rig.world.ask()
    await rig.world.registry.add_grant(OTHER, "alice", list(Risk), None, "operator")
    broken = await rig.world.ask(vin=OTHER)
    poison(rig, broken)

    await rig.hear(birth("session-1"), accepted(broken), accepted(command))

    assert (await rig.world.now(command)).state is State.SENT
    assert [(x.vin, x.reason, x.source) for x in rig.bus.buried] == [(OTHER, "fact_failed", "processing")]
    assert broken.id in rig.bus.buried[0].payload
    assert len(rig.reader.acked) == 3
    assert rig.reader.given == 1


async def test_facts_wait_for_the_store(rig: Rig) -> None:
    """While it can't answer nothing is acknowledged or buried; afterwards everything is dealt with (law 1)."""
    command = await rig.world.ask()
    assert rig.store._writer
    rig.store._writer.patience = 0.01
    lock = sqlite3.connect(rig.store.path, isolation_level=None)
    lock.execute("begin immediate")
    hearing = asyncio.create_task(rig.hear(accepted(command)))
    await until(lambda: rig.reader.given >= 2)
    assert rig.reader.acked == []

    lock.execute("rollback")
    lock.close()
    await hearing

    assert (await rig.world.now(command)).state is State.SENT
    assert rig.bus.buried == []


async def test_a_bus_that_fails_makes_facts_come_again(rig: Rig) -> None:
    """What was stored but not told is not acknowledged; the second time nothing is done twice (law 6)."""
    command = await rig.world.ask("horn-blow")
    rig.bus.fails = True
    hearing = asyncio.create_task(rig.hear(accepted(command)))
    await until(lambda: rig.reader.given >= 2)
    rig.bus.fails = False
    await hearing

    assert len(await rig.store.history(command.id)) == 2
    assert rig.bus.dispatched == []  # it may never be repeated: it will be unconfirmed, which is true


async def test_an_unknown_vehicle_is_buried(rig: Rig) -> None:
    """What it says changes nothing."""
    await rig.hear(msgspec.structs.replace(birth("session-1"), vin=UNKNOWN))

    assert [(letter.vin, letter.reason) for letter in rig.bus.buried] == [(UNKNOWN, "unknown_vehicle")]


async def test_what_is_not_believed_is_buried(rig: Rig) -> None:
    """An answer for a command that was never sent changes nothing and goes to dead letter (law 5)."""
    await rig.hear(birth("s"), will("s"))
    command = await rig.world.ask()

    await rig.hear(said("executed", command), answer("executed", "nobody's"))

    assert [letter.reason for letter in rig.bus.buried] == ["never_sent", "unknown_command"]
    assert (await rig.world.now(command)).state is State.QUEUED


async def test_an_unreadable_fact_stops_nothing(rig: Rig) -> None:
    """It is passed over, for it can never be read; its batch goes on."""
    command = await rig.world.ask()

    await rig.reader.put(Message("facts", b"hello"), message(accepted(command)))

    assert (await rig.world.now(command)).state is State.SENT


# ---- the clock


async def test_news_that_got_lost(rig: Rig) -> None:
    """A command whose announcement nobody heard is found by its age (law 3)."""
    command = await rig.world.ask()

    rig.clock.now += 2
    await rig.became(command, State.SENT)

    assert [d.command_id for d in rig.bus.dispatched] == [command.id]


async def test_a_wish_that_got_lost(rig: Rig) -> None:
    """A wish to cancel that nobody heard of is found by its age too (law 3)."""
    await rig.hear(birth("s"), will("s"))
    command = await rig.world.ask("charge-stop")
    await rig.hear(accepted(command))
    await rig.store.wish_cancel(command.id, NOW)

    rig.clock.now += 2

    await rig.became(command, State.CANCELLED)


async def test_a_command_that_never_left_expires(rig: Rig) -> None:
    """At its expiry, by itself (laws 1 and 2)."""
    await rig.hear(birth("s"), will("s"))
    command = await rig.world.ask()
    await rig.hear(accepted(command))

    rig.clock.now = command.expires_at
    expired = await rig.became(command, State.EXPIRED)

    assert expired.reason == "vehicle_offline"
    await until(lambda: rig.settled)


async def test_a_vehicle_that_stays_silent(rig: Rig) -> None:
    """At the deadline we say that we do not know (law 1)."""
    command = await rig.world.ask("horn-blow")
    await rig.hear(accepted(command))

    rig.clock.now = command.deadline - 0.1
    await rig.ticks()
    assert (await rig.world.now(command)).state is State.SENT
    rig.clock.now = command.deadline

    await rig.became(command, State.UNCONFIRMED)
    assert len(rig.bus.dispatched) == 1  # never repeated (law 6)


async def test_an_unanswered_command_is_repeated(rig: Rig) -> None:
    """Where the vehicle de-duplicates, after `ack_within` of silence."""
    command = await rig.world.ask()
    await rig.hear(birth("session-1"), accepted(command))

    rig.clock.now += command.terms.ack_within

    await until(lambda: len(rig.bus.dispatched) == 2)
    assert [d.attempt for d in rig.bus.dispatched] == [1, 2]


async def test_a_poisoned_lane_is_not_looked_at_again_and_again(rig: Rig) -> None:
    """A lane that can't be decided when its time comes is buried once a minute, and harms no other (law 4)."""
    poison(rig, await rig.world.ask())

    rig.clock.now += 2
    await until(lambda: rig.bus.buried)
    await rig.ticks(10)
    assert [letter.reason for letter in rig.bus.buried] == ["fact_failed"]
    rig.clock.now += processing.LEFT_ALONE_FOR

    await until(lambda: len(rig.bus.buried) == 2)


async def test_without_the_bus_no_deadline_counts(rig: Rig) -> None:
    """Answers may be waiting where we can't read them (law 8)."""
    command = await rig.world.ask("horn-blow")
    await rig.hear(accepted(command))
    rig.bus.connected = False

    rig.clock.now = command.deadline
    await rig.ticks()

    assert (await rig.world.now(command)).state is State.SENT


# ---- after a start, after a reconnect


async def asleep(rig: Rig) -> Command:
    """A command that was sent, and whose deadline passed while nobody looked."""
    command = await rig.world.ask("horn-blow")
    await rig.world.happens(birth("session-1"), accepted(command))
    rig.clock.now = command.deadline + 1
    return command


@pytest.mark.parametrize(("stream", "consumer"), [("UPLINK", "incoming"), ("FACTS", "processing")])
async def test_answers_before_timers(still: Rig, stream: str, consumer: str) -> None:
    """After a start, no deadline counts before what vehicles had said by then is read (law 8)."""
    command = await asleep(still)
    still.stream.ends[stream] = 7

    async with still.running():
        await until(lambda: still.stream.asked > 1)
        await still.ticks()
        assert (await still.world.now(command)).state is State.SENT
        await still.hear(said("executed", command))
        still.stream.read[consumer] = 7
        await still.ticks()

    assert (await still.world.now(command)).state is State.EXECUTED
    assert [hop.what for hop in await still.store.history(command.id)] == ["accepted", "sent", "executed"]


async def test_what_comes_later_is_not_waited_for(still: Rig) -> None:
    """The end is the one seen at the start: new facts put off no deadline (laws 1 and 8)."""
    command = await asleep(still)
    still.stream.ends["FACTS"] = 7

    async with still.running():
        await until(lambda: still.stream.asked > 1)
        still.stream.ends["FACTS"] = 1000
        still.stream.read["processing"] = 7

        await still.became(command, State.UNCONFIRMED)


async def test_nobody_is_waited_for_for_ever(still: Rig) -> None:
    """Where incoming is not there, deadlines count again soon: the promise is 5 s (law 1)."""
    command = await asleep(still)
    still.stream.ends["UPLINK"] = 7

    async with still.running():
        await until(lambda: still.stream.asked > 1)
        still.clock.now += processing.STANDS_STILL_AFTER + 0.1

        await still.became(command, State.UNCONFIRMED)


async def test_after_a_reconnect_answers_come_first_again(rig: Rig) -> None:
    """Whenever the bus comes back, facts are read before deadlines count (law 8)."""
    command = await rig.world.ask("horn-blow")
    await rig.hear(accepted(command))
    await rig.ticks()

    rig.stream.ends["FACTS"] = 9
    await rig.processing.resume()
    await until(lambda: rig.stream.asked > 2)
    rig.clock.now = command.deadline
    await rig.ticks()
    assert (await rig.world.now(command)).state is State.SENT

    rig.stream.read["processing"] = 9
    await rig.became(command, State.UNCONFIRMED)


@pytest.mark.parametrize(
    ("broker", "presence"), [("broker-1", Presence.ONLINE), ("broker-2", Presence.UNKNOWN)], ids=["same", "another"]
)
async def test_presence_after_a_start(still: Rig, broker: str, presence: Presence) -> None:
    """Another broker knows nothing of wills: then presence is unknown, and unknown means try (law 9)."""
    await still.store.put_meta("broker", "broker-1")
    await still.world.happens(birth("session-1"))
    still.stream.server_id = broker

    async with still.running():
        await until(lambda: still.stream.asked >= 2)

    assert (await still.world.registry.vehicle(VIN)).presence is presence
    assert await still.store.get_meta("broker") == broker


async def test_the_latest_news_are_told_again(still: Rig) -> None:
    """What changed just before a crash is announced once more; a copy vanishes on the stream (law 3)."""
    command = await still.world.ask()
    still.bus.announced.clear()

    async with still.running():
        await until(lambda: still.bus.announced)

    assert [(c.command.id, c.hop.version) for c in still.bus.announced] == [(command.id, 1)]


async def test_a_poisoned_lane_does_not_stop_the_clock(still: Rig) -> None:
    """A row that can't be read leaves the other vehicles their deadlines, after a start too (law 1)."""
    await still.world.registry.add_grant(OTHER, "alice", list(Risk), None, "operator")
    command = await asleep(still)
    poison(still, await still.world.ask(vin=OTHER))

    async with still.running():
        await still.became(command, State.UNCONFIRMED)


async def test_a_stream_that_does_not_answer_is_asked_again(still: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start while NATS comes up succeeds a moment later."""
    answers: list[Callable[[], int]] = [lambda: 1 // 0, lambda: 0]

    async def end_of(stream: str) -> int:
        return (answers.pop(0) if len(answers) > 1 else answers[0])()

    monkeypatch.setattr(still.stream, "end_of", end_of)
    command = await asleep(still)

    async with still.running():
        await still.became(command, State.UNCONFIRMED)


# ---- keeping house


async def test_old_commands_are_forgotten(still: Rig) -> None:
    """Those that are settled and older than they are kept; open ones stay."""
    await still.world.happens(birth("s"), will("s"))
    old = await still.world.ask()
    await still.store.wish_cancel(old.id, NOW)
    await still.world.happens(CancelAsked(vin=VIN, command_id=old.id))
    open_one = await still.world.ask("charge-stop")
    still.clock.now += A_DAY + 1
    still.bus.connected = False  # the clock stands still, so nothing else is settled

    async with still.running():
        async with asyncio.timeout(3):
            while await still.store.command(old.id):
                await asyncio.sleep(0.01)

    assert await still.world.now(open_one)
