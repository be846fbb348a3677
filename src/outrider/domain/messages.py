"""What the services tell each other: facts to processing, dispatches to outgoing, announcements to whoever listens."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from outrider.domain.lane import Command, Presence
from outrider.domain.lifecycle import State


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact"):
    """Something that happened to one vehicle's lane."""

    vin: str


class Accepted(Fact, frozen=True, kw_only=True, tag="accepted"):
    """A command was stored."""

    command_id: str


class CancelAsked(Fact, frozen=True, kw_only=True, tag="cancel"):
    """Someone wishes to withdraw a command; the wish is stored already."""

    command_id: str


class AnswerStatus(StrEnum):
    """What a vehicle can say of a command."""

    RECEIVED = "received"
    EXECUTING = "executing"
    EXECUTED = "executed"
    ALREADY_DONE = "already_done"
    REJECTED = "rejected"
    FAILED = "failed"


class Heard(Fact, frozen=True, kw_only=True):
    """Something a vehicle said. `arrived_at`: when the broker had it; `vehicle_at`: the vehicle's own time."""

    session: str
    arrived_at: float
    vehicle_at: float | None = None


class Answered(Heard, frozen=True, kw_only=True, tag="answer"):
    """A vehicle said what became of a command."""

    command_id: str
    service: str
    status: AnswerStatus
    reason: str | None = None
    result: Mapping[str, Any] | None = None


class PresenceChanged(Heard, frozen=True, kw_only=True, tag="presence"):
    """A vehicle came (its birth message) or went (its will)."""

    presence: Presence


class StateReported(Heard, frozen=True, kw_only=True, tag="state"):
    """A vehicle reported its signals."""

    signals: Mapping[str, Any]


class DidNotLeave(Fact, frozen=True, kw_only=True, tag="unsent"):
    """A dispatch is proved not to have left: `not_reachable` (nobody listened), `expired` (its turn came too late)."""

    command_id: str
    attempt: int
    reason: str


class TimePassed(Fact, frozen=True, kw_only=True, tag="time"):
    """It is time to look at this lane. Never on a stream: processing says it, once it has read the facts (law 8)."""


AnyFact = Accepted | CancelAsked | Answered | PresenceChanged | StateReported | DidNotLeave | TimePassed


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """Send this command to its vehicle: all that outgoing needs to know, for it keeps nothing.

    `clock_offset` (seconds) turns our times into the vehicle's.
    """

    command_id: str
    vin: str
    service: str
    model: str
    params: Mapping[str, Any]
    issued_at: float
    expires_at: float
    attempt: int
    clock_offset: float
    traceparent: str


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a command's timeline: what happened, when we stored it, when the broker and the vehicle had it.

    `state` is the state afterwards; `what` is that state, or what happened without changing it (`repeated`).
    """

    command_id: str
    version: int
    what: str
    state: State
    at: float
    reason: str | None = None
    attempt: int | None = None
    arrived_at: float | None = None
    vehicle_at: float | None = None


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that must not be believed, and why: it goes to dead letter and changes nothing."""

    vin: str
    reason: str
    detail: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A command as it now is, and the hop that brought it there."""

    command: Command
    hop: Hop


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that broke the contract or could not be true: kept for people, changes nothing.

    `reason` is a short code, `detail` says more, `payload` is the beginning of what was said.
    """

    vin: str
    reason: str
    detail: str
    source: str
    at: float
    payload: str = ""
