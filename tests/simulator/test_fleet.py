"""Simulated vehicles on a real broker."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from outrider.simulator.driver import KEEPALIVE, Car, Driver, Gate
from outrider.simulator.fleet import Fleet, vins
from outrider.simulator.record import Record, performed, read_record
from outrider.simulator.vehicle import Vehicle
from tests.simulator.broker import CREDENTIAL, Broker
from tests.simulator.garage import CATALOG, LOCKED, command, command_id

[VIN] = vins(1)
FAR = 4e9
"""A time at which no command of these tests has expired."""


class Backend:
    """What the platform would hear."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._heard: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    async def listen(self) -> None:
        """Hear everything that vehicles say."""

        async def hear(message: Msg) -> None:
            self._heard.put_nowait((message.subject.split(".")[3], msgspec.json.decode(message.data)))

        for kind in ("answer", "state", "presence"):
            await self.client.subscribe(f"outrider.v1.*.{kind}", cb=hear)
        await self.client.flush()

    async def hears(self, kind: str, **members: Any) -> dict[str, Any]:
        """The next message of this kind with these members; what comes before it is skipped."""
        async with asyncio.timeout(10):
            while True:
                topic, message = await self._heard.get()
                if topic == kind and members.items() <= message.items():
                    return message

    async def sends(self, number: int, **differs: Any) -> None:
        """A command to the one vehicle."""
        await self.client.publish(f"outrider.v1.{VIN}.command", command(number, expires_at=FAR, **differs))


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A running broker that knows one vehicle."""
    broker = Broker(tmp_path, VIN)
    await broker.start()
    yield broker
    await broker.kill()


@pytest.fixture
async def backend(broker: Broker) -> AsyncIterator[Backend]:
    """Somebody who listens behind the broker, and comes back when it does."""
    client = await nats.connect(broker.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1)
    backend = Backend(client)
    await backend.listen()
    yield backend
    await client.close()


async def start(broker: Broker, record: Record | None = None, pace: float = 0.0, **car: Any) -> Fleet:
    """The one vehicle, on its way."""
    cars = [Car(**{"vin": VIN, "model": "roadster", "credential": CREDENTIAL, **car})]
    return await Fleet.start("127.0.0.1", broker.mqtt_port, cars, CATALOG, pace=pace, record=record)


async def test_hears_commands_once_it_is_born(broker: Broker, backend: Backend) -> None:
    """The birth message comes after the subscription, so a command sent on the birth is heard and answered."""
    fleet = await start(broker)

    birth = await backend.hears("presence", status="online")
    await backend.sends(1)

    for status in ("received", "executing", "executed"):
        await backend.hears("answer", id=command_id(1), status=status, session=birth["session"])
    assert (await backend.hears("state"))["signals"][LOCKED] is True
    await fleet.stop()


async def test_says_goodbye(broker: Broker, backend: Backend) -> None:
    """A clean stop tells that the vehicle is offline, and nothing comes after it."""
    fleet = await start(broker)
    await fleet.wait_online(5)

    await fleet.stop()

    birth = await backend.hears("presence", status="online")
    await backend.hears("presence", status="offline", session=birth["session"])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(backend.hears("presence"), 0.2)


async def test_will_on_a_cut_wire(broker: Broker, backend: Backend) -> None:
    """When the wire is cut the broker publishes the will of that session, and the vehicle is born again in another."""
    fleet = await start(broker)
    first = await backend.hears("presence", status="online")

    fleet.drop(VIN)

    await backend.hears("presence", status="offline", session=first["session"])
    second = await backend.hears("presence", status="online")
    assert second["session"] != first["session"]
    await fleet.stop()


async def test_an_answer_outlives_the_broker(broker: Broker, backend: Backend, tmp_path: Path) -> None:
    """A deed done while the broker was dead is told once it is back, and a repeat is not performed."""
    record = Record(tmp_path / "record.jsonl")
    fleet = await start(broker, record=record, pace=0.2)
    await backend.hears("presence", status="online")
    await backend.sends(1)
    await backend.hears("answer", status="executing")

    await broker.kill()
    await asyncio.sleep(0.5)
    await broker.start()

    # What the vehicle says first after its return may come before this backend has its subscriptions again, so ask.
    await fleet.wait_online(10)
    await backend.client.flush(timeout=10)
    await backend.sends(1)
    await backend.hears("answer", id=command_id(1), status="executed")
    await fleet.stop()
    record.close()
    told = [entry.status for entry in read_record(tmp_path / "record.jsonl") if entry.what == "answered"]
    assert told == ["received", "executing", "executed", "executed"]
    assert performed(read_record(tmp_path / "record.jsonl")) == Counter({(VIN, command_id(1)): 1})


async def test_an_unacknowledged_answer_is_said_again(broker: Broker, backend: Backend) -> None:
    """An answer that was on its way when the wire was cut is said on the next connection, with its session."""
    fleet = await start(broker, pace=0.1)
    first = await backend.hears("presence", status="online")
    await backend.sends(1)
    await backend.hears("answer", status="executing")

    fleet.drop(VIN)

    answer = await backend.hears("answer", status="executed")
    assert answer["session"] != first["session"]
    await fleet.stop()


async def test_an_acknowledged_answer_is_not_said_again(broker: Broker, backend: Backend, tmp_path: Path) -> None:
    """What the broker has acknowledged is done with: the next connection begins with birth and state only."""
    record = Record(tmp_path / "record.jsonl")
    fleet = await start(broker, record=record)
    await backend.hears("presence", status="online")
    await backend.sends(1)
    await backend.hears("answer", status="executed")
    await asyncio.sleep(0.1)

    fleet.drop(VIN)

    await backend.hears("presence", status="online")
    await fleet.stop()
    record.close()
    told = [entry.status for entry in read_record(tmp_path / "record.jsonl") if entry.what == "answered"]
    assert told == ["received", "executing", "executed"]


async def test_a_rebooted_vehicle_comes_back(broker: Broker, backend: Backend) -> None:
    """Power lost in the middle of a deed: the will, a new session, and the truth about the deed."""
    fleet = await start(broker, pace=5.0)
    first = await backend.hears("presence", status="online")
    await backend.sends(1)
    await backend.hears("answer", status="executing")

    fleet.reboot(VIN)

    await backend.hears("presence", status="offline", session=first["session"])
    await backend.hears("answer", id=command_id(1), status="failed", reason="rebooted")
    await fleet.stop()


async def test_comes_online_later(broker: Broker, backend: Backend) -> None:
    """A vehicle with `online_after` is away until then."""
    fleet = await start(broker, online_after=0.4)

    with pytest.raises(TimeoutError, match=f"1 of 1 vehicles are not online after 0.1 s; {VIN}: not tried yet"):
        await fleet.wait_online(0.1)
    await fleet.wait_online(5)

    assert fleet.online() == [VIN]
    await fleet.stop()


async def test_breathes(broker: Broker) -> None:
    """A quiet wire is kept alive with a ping, and one on which the broker is silent for too long is cut."""
    car = Car(vin=VIN, model="roadster", credential=CREDENTIAL)
    driver = Driver(car, Vehicle(VIN, CATALOG.models["roadster"], CATALOG.services), None)
    driving = asyncio.create_task(driver.drive("127.0.0.1", broker.mqtt_port, Gate(1000)))
    await asyncio.wait_for(driver.online.wait(), 5)
    connection = driver.connection
    assert connection is not None
    heard_at = connection.heard_at

    driver.breathe(heard_at + KEEPALIVE / 2 + 1)
    async with asyncio.timeout(5):
        while connection.heard_at == heard_at:
            await asyncio.sleep(0.01)
    driver.breathe(connection.heard_at + 1.5 * KEEPALIVE + 1)
    await asyncio.wait_for(connection.lost.wait(), 5)

    driving.cancel()
    await driver.leave()


async def test_a_wrong_credential_is_told(broker: Broker) -> None:
    """A vehicle that the broker refuses goes on trying, and the fleet can say why it is not online."""
    fleet = await start(broker, credential="not this one")

    with pytest.raises(TimeoutError, match="not authorised"):
        await fleet.wait_online(1)
    await fleet.stop()


def test_vins() -> None:
    """VINs are valid and distinct, and two fleets with different starts share none."""
    made = vins(5_000) + vins(5_000, start=5_000)

    assert len(set(made)) == 10_000
    assert all(re.fullmatch(r"[0-9A-HJ-NPR-Z]{13}[0-9]{4}", vin) for vin in made)
