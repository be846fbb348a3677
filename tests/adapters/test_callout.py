"""Vehicles at the door of a real nats-server: who gets in, what they reach there, and how they are put out."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from outrider.adapters.callout import answering, flushed
from outrider.adapters.nats_server import NatsOptions, NatsServer
from outrider.common.ports import is_listening
from outrider.services.admission import credential_hash
from tests.raw_mqtt import NOT_AUTHORISED, REFUSED_SUBSCRIPTION, RawMqtt

VIN = "WVWZZZ1KZAW000001"
OTHER = "WVWZZZ1KZAW000002"
COMMAND = f"outrider/v1/{VIN}/command"
PRESENCE = f"outrider/v1/{VIN}/presence"


class Gate:
    """A nats-server with admission, a few credentials, and a service's connection to look at it from inside."""

    def __init__(self, server: NatsServer, service: Client) -> None:
        self.server = server
        self.service = service
        self.credentials = {VIN: "one", OTHER: "two"}
        self.heard: asyncio.Queue[Msg] = asyncio.Queue()
        self.broken = False

    async def lookup(self, vin: str) -> list[str]:
        if self.broken:
            raise RuntimeError("no database")
        return [credential_hash(self.credentials[vin])] if vin in self.credentials else []

    async def connect(
        self, vin: str = VIN, password: str = "one", client_id: str = "", will: tuple[str, bytes] | None = None
    ) -> RawMqtt:
        return await RawMqtt.connect(self.server.mqtt_listen, client_id or vin, vin, password, will)

    async def send(self, vin: str = VIN) -> Msg | None:
        """Publish a command as outgoing does, with a reply subject; what comes back at once."""
        inbox = self.service.new_inbox()
        replies = await self.service.subscribe(inbox)
        await self.service.publish(f"outrider.v1.{vin}.command", b"{}", reply=inbox)
        try:
            return await replies.next_msg(timeout=0.2)
        except nats.errors.TimeoutError:
            return None
        finally:
            await replies.unsubscribe()

    async def next(self) -> tuple[str, bytes]:
        """What a vehicle said, as incoming hears it."""
        message = await asyncio.wait_for(self.heard.get(), 2)
        return message.subject, message.data


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    server = NatsServer(NatsOptions(data=tmp_path))
    await server.start()
    try:
        service = await nats.connect(server.url, user="outrider", password=server.keys.outrider)
        gate = Gate(server, service)
        for kind in ("answer", "state", "presence"):  # not "command": who listens there makes every vehicle present
            await service.subscribe(f"outrider.v1.*.{kind}", cb=gate.heard.put)
        await flushed(service)
        async with answering(server.url, server.keys, gate.lookup):
            yield gate
        await service.close()
    finally:
        await server.stop()


async def test_a_vehicle_with_its_credential_is_let_in(gate: Gate) -> None:
    """User name and client id are the VIN, the password is the credential."""
    assert (await gate.connect()).accepted == 0


@pytest.mark.parametrize(
    ("vin", "password", "client_id"),
    [
        (VIN, "two", VIN),
        (VIN, "", VIN),
        ("", "", VIN),
        ("WVWZZZ1KZAW999999", "one", ""),
        (VIN, "one", OTHER),
        ("outrider", "one", ""),
        ("admission", "", ""),
    ],
)
async def test_others_are_refused_at_once(gate: Gate, vin: str, password: str, client_id: str) -> None:
    """A wrong or missing credential, an unknown vehicle, another client id, a service's name: CONNACK 5, no waiting."""
    async with asyncio.timeout(2):
        assert (await gate.connect(vin, password, client_id)).accepted == NOT_AUTHORISED


async def test_an_impostor_does_not_throw_a_vehicle_out(gate: Gate) -> None:
    """A connection with another's client id is refused before it could take that one's place."""
    vehicle = await gate.connect()

    assert (await gate.connect(OTHER, "two", client_id=VIN)).accepted == NOT_AUTHORISED

    assert await vehicle.subscribe(COMMAND) == 0


async def test_a_client_that_does_not_speak_mqtt_is_refused(gate: Gate) -> None:
    """A vehicle's credential opens the MQTT door only; no credential opens none."""

    async def unheard(_: Exception) -> None: ...

    for login in ({"user": VIN, "password": "one"}, {}):
        with pytest.raises(NatsError, match="Authorization Violation"):
            await nats.connect(gate.server.url, allow_reconnect=False, error_cb=unheard, **login)


async def test_a_vehicle_hears_its_own_commands_and_no_others(gate: Gate) -> None:
    """A subscription to another's topic, or to any wildcard, is refused in SUBACK."""
    vehicle = await gate.connect()

    assert await vehicle.subscribe(COMMAND) == 0
    for topic in (f"outrider/v1/{OTHER}/command", "outrider/v1/+/command", f"outrider/v1/{VIN}/#", "#", "$SYS/#"):
        assert await vehicle.subscribe(topic) == REFUSED_SUBSCRIPTION, topic

    await gate.send(OTHER)
    await gate.send(VIN)
    assert await vehicle.message() == b"{}"


async def test_what_a_vehicle_says_on_its_own_topics_arrives_and_nothing_else(gate: Gate) -> None:
    """Forged words are dropped, though MQTT acknowledges them: a PUBACK proves nothing."""
    vehicle = await gate.connect()
    for topic in (f"outrider/v1/{OTHER}/answer", COMMAND, f"outrider/v1/{VIN}/other", f"outrider/v1/{VIN}/answer/more"):
        await vehicle.publish(topic, b"forged")
    for kind in ("answer", "state", "presence"):
        await vehicle.publish(f"outrider/v1/{VIN}/{kind}", b"own")

    said = [await gate.next() for _ in range(3)]

    assert said == [(f"outrider.v1.{VIN}.{kind}", b"own") for kind in ("answer", "state", "presence")]
    assert gate.heard.empty()


async def test_the_will_of_a_vehicle_that_was_cut_off_is_published_and_a_forged_one_is_not(gate: Gate) -> None:
    """A will needs the same permission as any other word."""
    (await gate.connect(OTHER, "two", will=(PRESENCE, b"forged"))).cut()
    (await gate.connect(will=(PRESENCE, b"gone"))).cut()

    assert await gate.next() == (f"outrider.v1.{VIN}.presence", b"gone")
    assert gate.heard.empty()


async def test_law_9_a_command_for_an_absent_vehicle_comes_back_at_once(gate: Gate) -> None:
    """Never connected, connected but not subscribed, cut off, or gone in order: "no responders" on the reply subject.
    To a subscribed vehicle it goes, and nothing comes back."""

    async def comes_back() -> bool:
        reply = await gate.send()
        return reply is not None and (reply.headers or {}).get("Status") == "503"

    assert await comes_back()
    for leave in (RawMqtt.cut, RawMqtt.disconnect):
        vehicle = await gate.connect()
        assert await comes_back()
        await vehicle.subscribe(COMMAND)
        assert not await comes_back()
        assert await vehicle.message() == b"{}"
        leave(vehicle)
        await asyncio.sleep(0.05)  # the server needs a moment to see the end; a command in that moment is lost
        assert await comes_back()


async def test_when_credentials_cannot_be_looked_up_nobody_is_let_in_and_answering_goes_on(gate: Gate) -> None:
    """A failure refuses this vehicle and is over with the next one."""
    gate.broken = True
    assert (await gate.connect()).accepted == NOT_AUTHORISED

    gate.broken = False
    assert (await gate.connect()).accepted == 0


async def test_a_vehicle_whose_credential_is_revoked_is_put_out_at_once(gate: Gate) -> None:
    """The live connection ends, its will is published, others stay, and with the old credential it stays out."""
    vehicle = await gate.connect(will=(PRESENCE, b"gone"))
    other = await gate.connect(OTHER, "two")
    gate.credentials.pop(VIN)

    revoked = asyncio.create_task(gate.service.request(f"admission.revoked.{VIN}", timeout=5))

    assert await vehicle.ended()
    assert await gate.next() == (f"outrider.v1.{VIN}.presence", b"gone")
    assert msgspec.json.decode((await revoked).data) == {"ended": 1}
    assert await other.subscribe(f"outrider/v1/{OTHER}/command") == 0
    assert (await gate.connect()).accepted == NOT_AUTHORISED


async def test_revoking_for_a_vehicle_that_is_away_ends_nothing(gate: Gate) -> None:
    """The request is answered all the same."""
    reply = await gate.service.request(f"admission.revoked.{VIN}", timeout=5)

    assert msgspec.json.decode(reply.data) == {"ended": 0}


async def test_without_admission_the_revoker_knows_at_once(tmp_path: Path) -> None:
    """If no admission runs, the request comes back instead of being lost."""
    server = NatsServer(NatsOptions(data=tmp_path))
    await server.start()
    try:
        service = await nats.connect(server.url, user="outrider", password=server.keys.outrider)
        with pytest.raises(NoRespondersError):
            await service.request(f"admission.revoked.{VIN}", timeout=5)
        await service.close()
    finally:
        await server.stop()


async def test_admission_survives_a_restart_of_nats(gate: Gate) -> None:
    """After the server's death vehicles are let in again without anyone's doing."""
    pid = gate.server.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    while gate.server.restarts == 0 or not await is_listening(gate.server.mqtt_listen):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)  # who comes before admission is back is refused after the server's patience

    assert (await gate.connect()).accepted == 0
