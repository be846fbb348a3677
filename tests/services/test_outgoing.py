import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from outrider.adapters import wire
from outrider.domain.messages import DidNotLeave, Dispatch
from outrider.services.outgoing import Outgoing
from tests.domain.lanes import NOW, VIN
from tests.fakes import Clock, FakeBus, FakeLink, FakeReader, Message, until

OTHER = "0UTR1DERS00000002"


class Rig:
    """Outgoing between a stream and a link; `order` is what happened at its edges, in order."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.clock = Clock(NOW)
        self.bus = FakeBus(self.clock)
        self.reader = FakeReader(on_ack=lambda: self.order.append("acknowledged"))
        self.link = FakeLink(on_send=lambda: self.order.append("given to the link"))
        self.outgoing = Outgoing(self.bus, self.reader, self.link, wire.read_dispatch, self.clock)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    running = asyncio.create_task(rig.outgoing.run())
    yield rig
    assert not running.done(), "outgoing ended by itself"
    running.cancel()


def dispatch(name: str = "c1", **news: object) -> Dispatch:
    made = Dispatch(
        command_id=name,
        vin=VIN,
        service="horn-blow",
        model="falcon-electric",
        params={},
        issued_at=NOW,
        expires_at=NOW + 20,
        attempt=1,
        clock_offset=0.0,
        traceparent="",
    )
    return msgspec.structs.replace(made, **news)


def message(dispatch: Dispatch) -> Message:
    return Message("dispatch", wire.dispatch_message(dispatch).data)


async def test_it_acknowledges_before_it_gives_to_the_link(rig: Rig) -> None:
    """A crash in between loses the dispatch, and never sends it twice (law 6)."""
    await rig.reader.put(message(dispatch("c1")), message(dispatch("c2")))

    assert rig.order == ["acknowledged", "given to the link", "given to the link"]
    assert rig.link.sent == [dispatch("c1"), dispatch("c2")]
    assert rig.bus.told == {}


@pytest.mark.parametrize(("late", "leaves"), [(-0.001, True), (0.0, False), (60.0, False)])
async def test_what_is_past_its_expiry_is_dropped(rig: Rig, late: float, leaves: bool) -> None:
    """No vehicle begins after it; processing is told that it did not leave (laws 2 and 6)."""
    rig.clock.now = NOW + 20 + late

    await rig.reader.put(message(dispatch(attempt=2)))

    assert bool(rig.link.sent) == leaves
    if not leaves:
        await until(lambda: rig.bus.told)
        fact = DidNotLeave(vin=VIN, command_id="c1", attempt=2, reason="expired")
        assert rig.bus.told == {"c1-unsent-2": [fact]}


async def test_a_vehicle_that_is_not_there(rig: Rig) -> None:
    """The link's proof becomes a fact, and the next dispatch does not wait for it (law 9)."""
    rig.link.absent = {VIN}

    await rig.reader.put(message(dispatch("c1")), message(dispatch("c2", vin=OTHER)))

    await until(lambda: rig.bus.told)
    fact = DidNotLeave(vin=VIN, command_id="c1", attempt=1, reason="not_reachable")
    assert rig.bus.told == {"c1-unsent-1": [fact]}
    assert [d.command_id for d in rig.link.sent] == ["c2"]


@pytest.mark.parametrize("data", [b"", b"hello", b"{}", b'{"command_id": 5}'])
async def test_an_unreadable_dispatch_stops_nothing(rig: Rig, data: bytes) -> None:
    """It is acknowledged, sent nowhere, and the next goes out."""
    await rig.reader.put(Message("dispatch", data), message(dispatch()))

    assert rig.link.sent == [dispatch()]
    assert len(rig.reader.acked) == 2


async def test_a_link_that_fails_stops_nothing(rig: Rig) -> None:
    """Whether it left is unknown, so nothing is claimed (law 1), and the next goes out."""
    rig.link.fails = True
    await rig.reader.put(message(dispatch("c1")))
    rig.link.fails = False

    await rig.reader.put(message(dispatch("c2")))

    assert [d.command_id for d in rig.link.sent] == ["c2"]
    assert rig.bus.told == {}


async def test_a_fact_that_gets_lost_stops_nothing(rig: Rig) -> None:
    """Then the command stays `sent`: unknown, which is never untrue (law 1)."""
    rig.bus.fails, rig.link.absent = True, {VIN}
    await rig.reader.put(message(dispatch("c1")))
    await asyncio.sleep(0.01)
    rig.link.absent = set()

    await rig.reader.put(message(dispatch("c2")))

    assert [d.command_id for d in rig.link.sent] == ["c2"]
