"""The link built into NATS: a command reaches its vehicle over real MQTT, or the proof comes that it did not leave."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from outrider.adapters import wire
from outrider.adapters.jetstream import JetStream
from outrider.adapters.links import NatsLink
from outrider.adapters.nats_server import NatsServer
from tests.adapters.test_jetstream import dispatch
from tests.domain.lanes import VIN
from tests.engines import SECRET, bus_on, nats_server
from tests.fakes import until
from tests.raw_mqtt import RawMqtt

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[NatsServer]:
    async with nats_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def bus(server: NatsServer) -> AsyncIterator[JetStream]:
    async with bus_on(server) as bus:
        yield bus


class Linked:
    """A link, and what it told."""

    def __init__(self, link: NatsLink) -> None:
        self.link = link
        self.unreachable: list[tuple[str, str, int]] = []

    async def not_reachable(self, vin: str, command_id: str, attempt: int) -> None:
        self.unreachable.append((vin, command_id, attempt))


@pytest_asyncio.fixture(loop_scope="module")
async def linked(bus: JetStream) -> Linked:
    linked = Linked(NatsLink(bus.client))
    await linked.link.start(linked.not_reachable)
    return linked


async def vehicle(server: NatsServer, vin: str = VIN) -> RawMqtt:
    """A vehicle that listens for commands."""
    connection = await RawMqtt.connect(server.mqtt_listen, vin, vin, SECRET)
    assert connection.accepted == 0
    assert await connection.subscribe(f"outrider/v1/{vin}/command") == 0
    return connection


async def test_an_absent_vehicle_is_told_at_once(linked: Linked) -> None:
    """Nobody listens: the attempt is named, and it did not leave (law 9)."""
    await linked.link.send(dispatch("absent", attempt=3))

    await until(lambda: linked.unreachable, 1)
    assert linked.unreachable == [(VIN, "absent", 3)]


async def test_a_present_vehicle_gets_its_command(server: NatsServer, linked: Linked) -> None:
    """It arrives over MQTT as the contract has it, and nothing is told."""
    connection = await vehicle(server)

    await linked.link.send(dispatch("present"))

    async with asyncio.timeout(2):
        assert json.loads(await connection.message()) == json.loads(wire.order(dispatch("present")))
    await asyncio.sleep(0.1)
    assert linked.unreachable == []
    connection.cut()


async def test_a_vehicle_that_left_is_absent(server: NatsServer, linked: Linked) -> None:
    """After its connection ended, the next attempt did not leave."""
    connection = await vehicle(server)
    connection.disconnect()
    await asyncio.sleep(0.2)

    await linked.link.send(dispatch("left"))

    await until(lambda: linked.unreachable, 1)
    assert linked.unreachable == [(VIN, "left", 1)]


async def test_another_vehicle_hears_nothing(server: NatsServer, linked: Linked) -> None:
    """A command reaches the vehicle that it is for, and no other makes that one present."""
    connection = await vehicle(server, "0UTR1DERS00000002")

    await linked.link.send(dispatch("mine"))

    await until(lambda: linked.unreachable, 1)
    connection.cut()
