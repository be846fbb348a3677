"""The lifecycle of a command: one table. What is absent from it is impossible.

Everything that may change a command's state lives in this file; the picture in docs/lifecycle.md is drawn from it.
"""

from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a command stands."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    EXECUTING = "executing"
    EXECUTED = "executed"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    UNCONFIRMED = "unconfirmed"


class Event(StrEnum):
    """What can happen to a command."""

    MUST_WAIT = "must wait"
    LEAVES = "leaves"
    DID_NOT_LEAVE = "did not leave"
    RECEIVED = "vehicle received it"
    STARTED = "vehicle is at it"
    SUCCEEDED = "vehicle did it"
    REFUSED = "refused"
    BROKE = "vehicle could not"
    TIME_RAN_OUT = "time ran out"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    STAYED_SILENT = "no answer by the deadline"


_UNSENT = {
    Event.MUST_WAIT: State.QUEUED,
    Event.LEAVES: State.SENT,
    Event.REFUSED: State.REJECTED,  # on the vehicle's behalf: its clock is too wrong to trust an expiry (law 10)
    Event.TIME_RAN_OUT: State.EXPIRED,
    Event.WITHDRAWN: State.CANCELLED,
    Event.REPLACED: State.SUPERSEDED,
}
FINAL_ANSWERS = {
    Event.SUCCEEDED: State.EXECUTED,
    Event.REFUSED: State.REJECTED,
    Event.BROKE: State.FAILED,
}
_IN_FLIGHT = FINAL_ANSWERS | {Event.STAYED_SILENT: State.UNCONFIRMED}

TRANSITIONS: MappingProxyType[State, dict[Event, State]] = MappingProxyType(
    {
        State.ACCEPTED: _UNSENT,
        State.QUEUED: _UNSENT,
        State.SENT: _IN_FLIGHT
        | {
            Event.DID_NOT_LEAVE: State.QUEUED,  # proved by the link: nobody was there to hear it
            Event.RECEIVED: State.DELIVERED,
            Event.STARTED: State.EXECUTING,
        },
        State.DELIVERED: _IN_FLIGHT | {Event.STARTED: State.EXECUTING},
        State.EXECUTING: _IN_FLIGHT,
        State.UNCONFIRMED: FINAL_ANSWERS  # a late answer still counts, for LATE_FACTS_FOR
        | {Event.DID_NOT_LEAVE: State.EXPIRED},  # and so does a late proof that it never left
        State.EXECUTED: {},
        State.REJECTED: {},
        State.FAILED: {},
        State.EXPIRED: {},
        State.CANCELLED: {},
        State.SUPERSEDED: {},
    }
)

TERMINAL = frozenset(state for state, events in TRANSITIONS.items() if not events)
SETTLED = TERMINAL | {State.UNCONFIRMED}
UNSENT = frozenset({State.ACCEPTED, State.QUEUED})
IN_FLIGHT = frozenset({State.SENT, State.DELIVERED, State.EXECUTING})
OPEN = UNSENT | IN_FLIGHT

LATE_FACTS_FOR = 24 * 3600.0
"""Seconds after the deadline in which an unconfirmed command still believes an answer; then it is final."""

CERTAINLY_NOT = UNSENT | {State.REJECTED, State.EXPIRED, State.CANCELLED, State.SUPERSEDED}
"""The states that promise that no vehicle performed the command."""

MEANING: MappingProxyType[State, tuple[str, str]] = MappingProxyType(
    {
        State.ACCEPTED: ("stored, not yet looked at", "no"),
        State.QUEUED: ("waiting in its lane; the reason says why", "no"),
        State.SENT: ("recorded as sent, before it was given to the link", "yes"),
        State.DELIVERED: ("the vehicle said that it has it", "yes"),
        State.EXECUTING: ("the vehicle said that it is at it", "yes"),
        State.EXECUTED: ("done; the outcome says how we know", "it did"),
        State.REJECTED: ("refused, and never performed", "no"),
        State.FAILED: ("the vehicle tried and could not; the reason says why", "in part"),
        State.EXPIRED: ("its time ran out before it was sent", "certainly not"),
        State.CANCELLED: ("withdrawn before it was sent", "certainly not"),
        State.SUPERSEDED: ("replaced by a newer command before it was sent", "certainly not"),
        State.UNCONFIRMED: ("sent, and no answer in time; open to late facts for 24 h", "perhaps"),
    }
)
"""What each state means, and whether the command may have happened: the words of the API, the docs and the CLI."""


def after(state: State, event: Event) -> State | None:
    """The state that follows, or None where the event is impossible and therefore changes nothing."""
    return TRANSITIONS[state].get(event)
