"""A lane is a vehicle with its open commands in order: what is decided on, and locked, as one."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from outrider.domain.catalog import Quirks, Repeat, Terms
from outrider.domain.lifecycle import IN_FLIGHT, LATE_FACTS_FOR, UNSENT, State

MOST_OPEN = 50
"""Open commands that one vehicle may have: more than a person asks for, and few enough to decide on in one go."""
LOOK_AFTER = 2.0
"""Seconds after which news that nobody announced is looked at: an accepted command, a wish to cancel (law 3)."""

MOST_ATTEMPTS = 20
"""Dispatches of one command at most: with waits that double, days of silence."""
BETWEEN_SESSIONS = 1.0
"""Seconds at least between two dispatches to a vehicle that comes back again and again."""


class Presence(StrEnum):
    """What we believe of a vehicle's connection. Unknown means: try."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class Vehicle(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle as the lane sees it.

    session: the connection last heard of. clock_offset: the vehicle's clock minus ours, seconds (law 10).
    heard_at: when it last said anything. signals: what the facts at hand report; the store merges them with the rest.
    """

    vin: str
    model: str
    quirks: Quirks = Quirks()
    presence: Presence = Presence.UNKNOWN
    session: str | None = None
    clock_offset: float = 0.0
    heard_at: float | None = None
    signals: Mapping[str, Any] = {}
    signals_at: float | None = None


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One request that one vehicle performs one service.

    Times are seconds since 1970 UTC. `seq` is the place in the lane, given on acceptance. `attempt` counts the
    dispatches, the latest at `attempt_at` while the vehicle's connection was `session`; `not_left` counts those proved
    not to have left. `grant_until` is until when the person who asked may use the vehicle for this risk: it is
    read with the lane, so that it is checked again in the transaction that records `sent` (law 11).
    """

    id: str
    vin: str
    seq: int
    service: str
    model: str
    params: Mapping[str, Any]
    terms: Terms
    asked_by: str
    traceparent: str
    accepted_at: float
    expires_at: float
    deadline: float
    state: State = State.ACCEPTED
    reason: str | None = None
    outcome: str | None = None
    result: Mapping[str, Any] | None = None
    version: int = 1
    attempt: int = 0
    not_left: int = 0
    session: str | None = None
    sent_at: float | None = None
    attempt_at: float | None = None
    settled_at: float | None = None
    cancel_asked_at: float | None = None
    grant_until: float | None = None

    @property
    def may_have_left(self) -> bool:
        """Is there a dispatch that is not proved to have stayed here?"""
        return self.attempt > self.not_left

    def believes_answers(self, now: float) -> bool:
        """Until when an answer still counts: an unconfirmed command is final a day after its deadline."""
        return self.state is not State.UNCONFIRMED or now < self.deadline + LATE_FACTS_FOR

    def may_repeat(self, vehicle: Vehicle) -> bool:
        """May what was sent be sent again? Only where the vehicle surely knows the id from before (laws 6 and 7).

        A model that forgets is never asked twice: it could begin a new session after we looked, and before it hears us.
        """
        remembers = vehicle.quirks.deduplicates and not vehicle.quirks.forgets_on_reboot
        return self.terms.repeat is Repeat.IF_DEDUPLICATING and remembers and self.attempt < MOST_ATTEMPTS

    def repeat_at(self, vehicle: Vehicle) -> float | None:
        """When to send it once more, or None: soon to a vehicle that came back, else after a growing silence."""
        away = vehicle.presence is Presence.OFFLINE
        if self.attempt_at is None or self.state not in IN_FLIGHT or away or not self.may_repeat(vehicle):
            return None
        if vehicle.presence is Presence.ONLINE and vehicle.session != self.session:
            return self.attempt_at + BETWEEN_SESSIONS
        return self.attempt_at + self.terms.ack_within * 2 ** (self.attempt - 1) if self.state is State.SENT else None

    def look_at(self, vehicle: Vehicle, now: float) -> float | None:
        """When this command needs a look even without news. Past `expires_at` nothing is repeated (law 2)."""
        if self.state in UNSENT:
            return self.expires_at
        if self.state not in IN_FLIGHT:
            return None
        repeat = self.repeat_at(vehicle)
        return self.deadline if repeat is None or max(now, repeat) >= self.expires_at else repeat


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle and its commands by `seq`: the open ones, and those settled ones that a fact at hand speaks of."""

    vehicle: Vehicle
    commands: tuple[Command, ...] = ()

    def command(self, command_id: str) -> Command | None:
        """The command with this id, if it is this vehicle's."""
        return next((c for c in self.commands if c.id == command_id), None)

    def with_command(self, command: Command) -> "Lane":
        """The lane with this command in the place of the one with its id."""
        commands = tuple(command if c.id == command.id else c for c in self.commands)
        return Lane(vehicle=self.vehicle, commands=commands)

    def look_at(self, now: float) -> float | None:
        """When this lane needs a look even without news: the earliest of its commands'."""
        return min((at for c in self.commands if (at := c.look_at(self.vehicle, now)) is not None), default=None)
