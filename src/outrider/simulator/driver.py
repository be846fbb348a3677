"""One simulated vehicle on its wire: this module connects `vehicle.py` to MQTT, the clock, chance and the record.

A vehicle is online once the broker has acknowledged its birth message. After a lost connection it comes back by
itself with a new session, and says again what the broker may not have.
"""

import asyncio
import contextlib
import random
import secrets
import time

import msgspec

from outrider.simulator.behaviour import NORMAL, Behaviour
from outrider.simulator.messages import Topic
from outrider.simulator.mqtt import Connection, connect_packet
from outrider.simulator.record import Entry, Record
from outrider.simulator.vehicle import Action, Note, Say, Vehicle

KEEPALIVE = 60
"""Seconds; the contract allows no more."""
PATIENCE = 10.0
"""Seconds for a connection with its subscription, before it counts as failed."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds before a vehicle tries again: doubled from first to longest, each shortened by up to a half by chance."""
FAREWELL = 2.0
"""Seconds that a clean stop waits for the broker to acknowledge what was said last."""

_BIRTH = object()


class Car(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle to simulate. `credential`: its MQTT password. `online_after`, `clock_offset`: seconds."""

    vin: str
    model: str
    credential: str
    behaviour: Behaviour = NORMAL
    online_after: float = 0.0
    clock_offset: float = 0.0


class Gate:
    """Lets `per_second` pass, evenly spaced: thousands of vehicles do not knock at the same moment."""

    def __init__(self, per_second: float) -> None:
        self._spacing = 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for one's turn."""
        now = asyncio.get_running_loop().time()
        self._next = max(self._next + self._spacing, now)
        if self._next > now:
            await asyncio.sleep(self._next - now)


class Driver:
    """One vehicle on its wire: hands it what comes, does what it says, wakes it when it is due."""

    def __init__(self, car: Car, vehicle: Vehicle, record: Record | None) -> None:
        self.car = car
        self.vehicle = vehicle
        self.online = asyncio.Event()
        self.trouble = "not tried yet"
        self.connection: Connection | None = None
        self._record = record
        self._topics = {topic: topic.of(car.vin) for topic in Topic}
        self._alarm: asyncio.TimerHandle | None = None

    async def drive(self, host: str, port: int, gate: Gate) -> None:
        """Connect, stay, and come back after a loss; until cancelled."""
        await asyncio.sleep(self.car.online_after)
        pause = FIRST_PAUSE
        while True:
            await gate.turn()
            try:
                async with asyncio.timeout(PATIENCE):
                    connection = await self._connect(host, port)
            except OSError as error:  # TimeoutError is one too
                self.trouble = str(error) or type(error).__name__
            else:
                pause = FIRST_PAUSE
                await connection.lost.wait()
                self._gone()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (chance, not secrecy)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _connect(self, host: str, port: int) -> Connection:
        """Online on a new connection with a new session; raises `OSError`."""
        session = secrets.token_urlsafe(12)
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._heard, self._acknowledged), host, port
        )
        try:
            await connection.open(
                connect_packet(
                    self.car.vin,
                    self.car.credential,
                    self._topics[Topic.PRESENCE],
                    self.vehicle.will(session),
                    KEEPALIVE,
                ),
                self._topics[Topic.COMMAND],
            )
        except BaseException:
            connection.drop()
            raise
        self.connection = connection
        self._do([Note("connected"), *self.vehicle.connected(session, time.time())])
        return connection

    def _gone(self) -> None:
        self.online.clear()
        self.connection = None
        self.trouble = "the connection was lost"
        self.vehicle.disconnected()
        self._do([Note("disconnected")])

    def breathe(self, now: float) -> None:
        """Keep the connection alive, or cut it when the broker is silent for too long (`now`: the loop's time)."""
        connection = self.connection
        if connection is None:
            return
        if now - connection.heard_at > 1.5 * KEEPALIVE:
            connection.drop()
        elif now - min(connection.heard_at, connection.spoke_at) > KEEPALIVE / 2:
            connection.ping()

    def reboot(self) -> None:
        """Lose power and start again: the wire is cut, and a model that forgets has forgotten."""
        self.vehicle.reboot(time.time())
        if self.connection is not None:
            self.connection.drop()

    async def leave(self) -> None:
        """Say goodbye cleanly, after what was said last has arrived."""
        if self._alarm is not None:
            self._alarm.cancel()
        connection, session = self.connection, self.vehicle.session
        if connection is None or session is None:
            return
        connection.publish(self._topics[Topic.PRESENCE], self.vehicle.will(session))
        connection.flush()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(connection.settle(), FAREWELL)
        connection.close()
        await connection.lost.wait()

    def _heard(self, topic: bytes, payload: bytes) -> None:
        self._do(self.vehicle.receive(payload, time.time()))

    def _acknowledged(self, token: object) -> None:
        if token is _BIRTH:
            self.online.set()
        elif isinstance(token, str):
            self.vehicle.acknowledged(token)

    def _wake(self) -> None:
        self._alarm = None
        self._do(self.vehicle.pass_time(time.time()))

    def _do(self, actions: list[Action]) -> None:
        """Note what is to be noted, then say what is to be said, then set the alarm."""
        connection = self.connection
        if self._record is not None:
            now = time.time()
            notes = [
                Entry(vin=self.car.vin, at=now, what=did.what, id=did.id, service=did.service, status=did.status)
                for did in actions
                if isinstance(did, Note)
            ]
            if notes:
                self._record.write(notes)
        if connection is not None:
            for say in actions:
                if isinstance(say, Say):
                    token = _BIRTH if say.topic is Topic.PRESENCE else say.settles
                    connection.publish(self._topics[say.topic], say.body, token)
            connection.flush()
        self._set_alarm()

    def _set_alarm(self) -> None:
        """Wake when something is due. An alarm that rings early is set again: cheaper than moving it each time."""
        due = self.vehicle.due
        loop = asyncio.get_running_loop()
        if due == float("inf"):
            return
        at = loop.time() + max(0.0, due - time.time())
        if self._alarm is not None:
            if self._alarm.when() <= at + 0.001:
                return
            self._alarm.cancel()
        self._alarm = loop.call_at(at, self._wake)
