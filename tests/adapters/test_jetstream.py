"""The bus on a real nats-server: what is stored, what comes again, and what must never come again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from outrider.adapters import jetstream, wire
from outrider.adapters.callout import flushed
from outrider.adapters.jetstream import BusUnavailable, JetStream
from outrider.adapters.nats_server import NatsServer
from outrider.adapters.reading import Pull, Received
from outrider.adapters.streams import CONSUMERS
from outrider.domain.lifecycle import State
from outrider.domain.messages import Accepted, Change, DeadLetter, Dispatch, Hop
from tests.domain.lanes import NOW, VIN, command
from tests.engines import bus_on, connect, kill, nats_server
from tests.fakes import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
OTHER = "0UTR1DERS00000002"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[NatsServer]:
    async with nats_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def bus(server: NatsServer) -> AsyncIterator[JetStream]:
    async with bus_on(server) as bus:
        yield bus


class Reading:
    """Reads a service's stream beside the test; acknowledges or not."""

    def __init__(self, pull: Pull, acks: bool = True) -> None:
        self.pull = pull
        self.acks = acks
        self.batches: list[list[Received]] = []
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for batch in self.pull.batches():
            self.batches.append(batch)
            if self.acks:
                await self.pull.ack(batch)

    @property
    def messages(self) -> list[Received]:
        return [message for batch in self.batches for message in batch]

    @property
    def ids(self) -> list[str]:
        """The commands that the facts or dispatches speak of."""
        return [msgspec.json.decode(message.data)["command_id"] for message in self.messages]


@pytest_asyncio.fixture(loop_scope="module")
async def reading(bus: JetStream) -> AsyncIterator[Callable[..., Reading]]:
    """Starts readers, and ends them after the test."""
    readers: list[Reading] = []

    def start(consumer: str, acks: bool = True, on: JetStream = bus) -> Reading:
        readers.append(Reading(on.pull(consumer), acks))
        return readers[-1]

    yield start
    for reader in readers:
        reader.task.cancel()
    await asyncio.gather(*(reader.task for reader in readers), return_exceptions=True)


def told(name: str, vin: str = VIN) -> tuple[str, Accepted]:
    return f"{name}-accepted", Accepted(vin=vin, command_id=name)


async def tell(bus: JetStream, *names: str) -> None:
    for name in names:
        message_id, fact = told(name)
        await bus.tell(message_id, [fact])


def dispatch(name: str, attempt: int = 1) -> Dispatch:
    return Dispatch(
        command_id=name,
        vin=VIN,
        service="horn-blow",
        model="falcon-electric",
        params={},
        issued_at=NOW,
        expires_at=NOW + 20,
        attempt=attempt,
        clock_offset=0.0,
        traceparent="",
    )


def change(name: str, version: int = 2, vin: str = VIN) -> Change:
    changed = command(name, state=State.SENT, version=version, vin=vin)
    return Change(command=changed, hop=Hop(command_id=name, version=version, what="sent", state=State.SENT, at=NOW))


def letter(detail: str, at: float = NOW, reason: str = "bad_answer", vin: str = VIN) -> DeadLetter:
    return DeadLetter(vin=vin, reason=reason, detail=detail, source="answer", at=at)


async def stored(bus: JetStream, stream: str) -> int:
    info = await bus.client.jetstream().stream_info(stream)
    return int(info.state.messages)


async def kill_and_wait(server: NatsServer, *buses: JetStream) -> None:
    """The nats-server is killed; returns when another runs and these are connected to it."""
    before = [bus.server_id for bus in buses]
    pid = kill(server)
    await until(lambda: server.pid not in (None, pid), 10)
    await until(lambda: all(b.connected and b.server_id != old for b, old in zip(buses, before, strict=True)), 10)


# ---- streams


@pytest.mark.parametrize(
    ("stream", "retention", "storage", "discard", "per_subject"),
    [
        ("UPLINK", "workqueue", "file", "old", 1000),
        ("FACTS", "workqueue", "file", "new", -1),
        ("DISPATCH", "workqueue", "memory", "old", -1),
        ("EVENTS", "limits", "file", "old", -1),
        ("DEADLETTER", "limits", "file", "old", 20),
    ],
)
async def test_streams(
    bus: JetStream, stream: str, retention: str, storage: str, discard: str, per_subject: int
) -> None:
    """Each stream exists with its limits; all are bounded, and only dispatches live in memory (law 6)."""
    config = (await bus.client.jetstream().stream_info(stream)).config

    assert (config.retention, config.storage, config.discard) == (retention, storage, discard)
    assert config.max_msgs_per_subject == per_subject
    assert 0 < config.max_bytes <= 2 * 1024**3


@pytest.mark.parametrize(("consumer", "deliveries"), [("incoming", -1), ("processing", -1), ("outgoing", 1)])
async def test_consumers(bus: JetStream, consumer: str, deliveries: int) -> None:
    """One per service, each message acknowledged by itself (law 13); a dispatch is delivered once (law 6)."""
    config = (await bus.client.jetstream().consumer_info(CONSUMERS[consumer][0], consumer)).config

    assert (config.ack_policy, config.ack_wait, config.max_deliver) == ("explicit", 2.0, deliveries)


async def test_a_second_service_finds_the_streams_made(server: NatsServer, bus: JetStream) -> None:
    """Connecting again changes nothing that is there."""
    await tell(bus, "c1")

    other = await connect(server)
    await other.close()

    assert await stored(bus, "FACTS") == 1


async def test_uplink_is_bounded_per_vehicle(bus: JetStream) -> None:
    """A vehicle that has gone mad loses its own oldest words and nobody else's."""
    mad = [wire.Message(f"outrider.v1.{VIN}.state", b"%d" % number, {}) for number in range(1200)]
    await bus._publish([wire.Message(f"outrider.v1.{OTHER}.state", b"calm", {}), *mad])

    assert await stored(bus, "UPLINK") == 1001


# ---- telling and reading


async def test_a_fact_told_twice_arrives_once(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """The id of a fact makes its second copy vanish (law 3)."""
    processing = reading("processing")

    await tell(bus, "twice", "twice")
    await tell(bus, "twice")
    await tell(bus, "last")

    await until(lambda: "last" in processing.ids)
    assert processing.ids == ["twice", "last"]


async def test_facts_told_together_arrive_together(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """As one message, in their order; its copy vanishes (laws 3 and 5)."""
    processing = reading("processing")
    facts = [told(name)[1] for name in ("first", "second", "third")]

    await bus.tell("batch", facts)
    await bus.tell("batch", facts)
    await tell(bus, "end")

    await until(lambda: len(processing.messages) == 2)
    assert wire.read_facts(processing.messages[0].data) == facts


async def test_a_hint_arrives(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """Nobody waits for it, but it is read like any other fact, and once."""
    processing = reading("processing")

    await bus.hint(*told("hint"))
    await bus.hint(*told("hint"))
    await tell(bus, "over")

    await until(lambda: "over" in processing.ids)
    assert processing.ids == ["hint", "over"]


async def test_a_message_knows_its_place_and_time(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """Subject, content, place in the stream, and when the broker had it."""
    processing = reading("processing")
    before = time.time()

    await tell(bus, "where")

    await until(lambda: processing.messages)
    [message] = processing.messages
    assert message.subject == f"facts.accepted.{VIN}"
    assert wire.read_facts(message.data) == [Accepted(vin=VIN, command_id="where")]
    assert message.seq == await bus.end_of("FACTS")
    assert before - 0.1 <= message.at <= time.time() + 0.1


async def test_a_lonely_message_goes_straight_through(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """Nobody waits for a batch to fill (law 4)."""
    processing = reading("processing")
    await asyncio.sleep(0.1)

    began = time.perf_counter()
    await tell(bus, "lonely")
    await until(lambda: processing.ids)

    assert time.perf_counter() - began < 0.25


async def test_a_batch_is_what_is_there(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """What gathered is read together, in order, and never more than 500 at once (law 4)."""
    names = [f"many-{number}" for number in range(1200)]
    await tell(bus, *names)

    processing = reading("processing")
    await until(lambda: len(processing.messages) == 1200)

    assert processing.ids == names
    assert max(map(len, processing.batches)) <= 500
    assert len(processing.batches) < 100
    async with asyncio.timeout(3):
        while await stored(bus, "FACTS"):  # the last batch is acknowledged after it was read
            await asyncio.sleep(0.02)


async def test_what_is_not_acknowledged_comes_again(
    server: NatsServer, bus: JetStream, reading: Callable[..., Reading]
) -> None:
    """Facts that a crashed reader held are there again after about 2 s, within the 5 s of the promise (law 1)."""
    crashed = await connect(server)
    holding = reading("processing", acks=False, on=crashed)
    await tell(bus, "held")
    await until(lambda: holding.ids)
    began = time.monotonic()
    await crashed.close()

    other = reading("processing")
    await until(lambda: other.ids)

    assert other.ids == ["held"]
    assert 1.0 < time.monotonic() - began < 4.0


async def test_a_service_knows_whether_it_has_read_to_the_end(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """Read means acknowledged: a fact in work still counts as unread (law 8)."""
    assert await bus.read_up_to("processing") >= await bus.end_of("FACTS")
    await tell(bus, "one", "two")
    end = await bus.end_of("FACTS")
    assert await bus.read_up_to("processing") < end

    processing = reading("processing", acks=False)
    await until(lambda: len(processing.messages) == 2)
    assert await bus.read_up_to("processing") < end
    await processing.pull.ack(processing.messages[:1])
    await flushed(bus.client)
    assert await bus.read_up_to("processing") == end - 1
    assert await bus.read_up_to("processing") < end

    await processing.pull.ack(processing.messages[1:])
    await flushed(bus.client)
    assert await bus.read_up_to("processing") >= end


# ---- at most once


async def test_a_dispatch_is_delivered_once(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """Even if outgoing dies before it acknowledges, the dispatch never comes again (law 6)."""
    outgoing = reading("outgoing", acks=False)

    await bus.dispatch([dispatch("once")])
    await until(lambda: outgoing.ids)
    await asyncio.sleep(jetstream.ACK_WAIT + 1)
    await bus.dispatch([dispatch("next")])

    await until(lambda: "next" in outgoing.ids)
    assert outgoing.ids == ["once", "next"]


async def test_an_attempt_is_dispatched_once(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """A second copy of one attempt vanishes, the next attempt does not (law 6)."""
    outgoing = reading("outgoing")

    await bus.dispatch([dispatch("a"), dispatch("a")])
    await bus.dispatch([dispatch("a"), dispatch("a", attempt=2)])

    await until(lambda: len(outgoing.messages) >= 2)
    assert [wire.read_dispatch(m.data).attempt for m in outgoing.messages] == [1, 2]


# ---- the server dies


async def test_after_the_death_of_the_server(
    server: NatsServer, bus: JetStream, reading: Callable[..., Reading]
) -> None:
    """After `kill -9`: facts are still there, no dispatch comes back (law 6), and publishing and pulling go on."""
    again: list[str] = []

    async def reconnected() -> None:
        again.append(bus.server_id)

    bus.on_reconnect(reconnected)
    processing, outgoing = reading("processing"), reading("outgoing", acks=False)
    await tell(bus, "before")
    await bus.dispatch([dispatch("taken")])
    await until(lambda: processing.ids and outgoing.ids)

    await kill_and_wait(server, bus)
    await until(lambda: again)
    await tell(bus, "after")
    await bus.dispatch([dispatch("fresh")])

    await until(lambda: "after" in processing.ids and "fresh" in outgoing.ids)
    await asyncio.sleep(jetstream.ACK_WAIT + 0.5)
    assert outgoing.ids == ["taken", "fresh"]
    assert processing.ids[-1] == "after"
    assert set(processing.ids) == {"before", "after"}
    assert again == [bus.server_id]


async def test_a_dispatch_that_waits_dies_with_the_server(
    server: NatsServer, bus: JetStream, reading: Callable[..., Reading]
) -> None:
    """What nobody had read yet is gone after `kill -9`: processing repeats it only where that is safe (law 6)."""
    await bus.dispatch([dispatch("lost")])
    await tell(bus, "kept")

    await kill_and_wait(server, bus)
    outgoing, processing = reading("outgoing"), reading("processing")
    await until(lambda: processing.ids)
    await asyncio.sleep(0.3)

    assert processing.ids == ["kept"]
    assert outgoing.ids == []


async def test_a_bus_that_is_down_says_so_in_time(
    server: NatsServer, bus: JetStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Publishing raises BusUnavailable within 5 s, and what was given is told once when it is back, if at all."""
    assert jetstream.STORED_WITHIN <= 5
    monkeypatch.setattr(jetstream, "STORED_WITHIN", 0.05)
    pid = kill(server)
    await until(lambda: not bus.connected)

    with pytest.raises(BusUnavailable):
        await tell(bus, "unsure")

    monkeypatch.undo()
    await until(lambda: server.pid not in (None, pid) and bus.connected, 10)
    await tell(bus, "unsure")
    assert await stored(bus, "FACTS") == 1


async def test_a_lost_connection_fails_at_once_what_waited_for_it(server: NatsServer, bus: JetStream) -> None:
    """Nobody waits 5 s for a confirmation that can't come any more: facts go on as soon as the bus is back (law 1)."""
    pid = kill(server)
    began = time.monotonic()

    with pytest.raises(BusUnavailable):
        await tell(bus, *(f"unsure-{number}" for number in range(10_000)))

    assert time.monotonic() - began < 3
    await until(lambda: server.pid not in (None, pid) and bus.connected, 10)


async def test_a_stream_that_vanishes_comes_back(bus: JetStream, reading: Callable[..., Reading]) -> None:
    """A cluster may lose what one server held in memory: the next failure makes sure of all streams and readers."""
    outgoing = reading("outgoing")
    await bus.client.jetstream().delete_stream("DISPATCH")
    with pytest.raises(BusUnavailable):
        await bus.dispatch([dispatch("lost")])
    assert bus.failing_for > 0

    async with asyncio.timeout(10):
        while not outgoing.messages:
            with suppress(BusUnavailable):
                await bus.dispatch([dispatch("later")])
            await asyncio.sleep(0.1)

    assert bus.failing_for == 0


async def test_a_stream_that_is_not_there_says_so(bus: JetStream) -> None:
    """A subject that no stream takes raises BusUnavailable at once."""
    began = time.monotonic()

    with pytest.raises(BusUnavailable):
        await bus._publish([wire.Message("nobody.listens", b"{}", {})])

    assert time.monotonic() - began < 1


async def test_a_message_too_large_says_so(bus: JetStream) -> None:
    """It can't be published, now or later, and nothing is left waiting for its confirmation."""
    with pytest.raises(Exception, match="maximum payload"):
        await bus.bury([letter("x" * 400_000)])

    assert not bus._waiting


# ---- news and letters


async def test_a_watch_wakes_up_for_its_vehicle(bus: JetStream) -> None:
    """And for no other; without news it returns after the time given."""
    async with bus.watch(VIN) as watch:
        await flushed(bus.client)
        await bus.announce([change("c1", vin=OTHER)])
        began = time.monotonic()
        await watch.next(0.2)
        assert time.monotonic() - began >= 0.19

        await bus.announce([change("c2")])
        began = time.monotonic()
        await watch.next(5)
        assert time.monotonic() - began < 1


async def test_an_announcement_told_again_is_there_once(bus: JetStream) -> None:
    """Its id is the command's id and version (law 3)."""
    await bus.announce([change("c3"), change("c3")])
    await bus.announce([change("c3"), change("c3", version=3)])

    assert await stored(bus, "EVENTS") == 2


async def test_letters_are_found_newest_first(bus: JetStream) -> None:
    """All, or those of one vehicle, and no more than asked for."""
    await bus.bury(
        [letter("old", NOW), letter("other", NOW + 1, vin=OTHER), letter("new", NOW + 2, reason="bad_state")]
    )

    async def found(vin: str | None, limit: int = 9) -> list[str]:
        return [one.detail for one in await bus.letters(vin, limit)]

    assert await found(None) == ["new", "other", "old"]
    assert await found(None, 1) == ["new"]
    assert await found(VIN) == ["new", "old"]
    assert await found("0UTR1DERS00000009") == []


async def test_dead_letters_are_few_per_reason_and_vehicle(bus: JetStream) -> None:
    """The latest 20 of each are enough to find out why."""
    await bus.bury(letter(str(number), NOW + number) for number in range(30))
    await bus.bury([letter("another reason", reason="bad_state"), letter("another vehicle", vin=OTHER)])

    details = [one.detail for one in await bus.letters(None, 99)]

    assert len(details) == 22
    assert {"another reason", "another vehicle", "29", "10"} <= set(details)
    assert "9" not in details


async def test_nothing_to_say_costs_nothing(bus: JetStream) -> None:
    """Empty calls return at once, even where the bus is down."""
    nothing: Any = []

    await asyncio.gather(bus.tell("nothing", nothing), bus.dispatch(nothing), bus.announce(nothing), bus.bury(nothing))
