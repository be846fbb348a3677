"""What follows from a fact: `decide` is pure, and returns what changes, what is sent, and what is not believed.

A fact is first heard (what does it say?), then the lane moves on (what can be done now?). Everything that a command
promises is kept here, so this is the file to read when you want to know why a command ended as it did.
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from outrider.domain.catalog import Risk
from outrider.domain.lane import Command, Lane, Presence, Vehicle
from outrider.domain.lifecycle import FINAL_ANSWERS, IN_FLIGHT, SETTLED, TERMINAL, UNSENT, Event, State, after
from outrider.domain.messages import (
    Answered,
    AnswerStatus,
    AnyFact,
    Change,
    DidNotLeave,
    Dispatch,
    Fact,
    Heard,
    Hop,
    PresenceChanged,
    Refused,
    StateReported,
    TimePassed,
)

MAX_CLOCK_ERROR = 300.0
"""Seconds by which a vehicle's clock may differ from ours before we do not trust its expiry for `access` (law 10)."""

CLOCK_SET_BACK = 60.0
"""Seconds by which a report must be behind what we believed of a clock, to mean the clock and not the way."""

ANSWERS = {
    AnswerStatus.RECEIVED: Event.RECEIVED,
    AnswerStatus.EXECUTING: Event.STARTED,
    AnswerStatus.EXECUTED: Event.SUCCEEDED,
    AnswerStatus.ALREADY_DONE: Event.SUCCEEDED,
    AnswerStatus.REJECTED: Event.REFUSED,
    AnswerStatus.FAILED: Event.BROKE,
}
OUTCOMES = {AnswerStatus.EXECUTED: "done", AnswerStatus.ALREADY_DONE: "already_done"}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What follows: the lane as it now is, what changed, what is to be sent, what is not believed."""

    lane: Lane
    changes: tuple[Change, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    refused: tuple[Refused, ...] = ()


class _Draft:
    """A decision in the making; it lives for one call of `fold` and never leaves this file."""

    def __init__(self, lane: Lane, now: float) -> None:
        self.lane = lane
        self.now = now
        self.changes: list[Change] = []
        self.dispatches: list[Dispatch] = []
        self.refused: list[Refused] = []

    def decision(self) -> Decision:
        return Decision(
            lane=self.lane,
            changes=tuple(self.changes),
            dispatches=tuple(self.dispatches),
            refused=tuple(self.refused),
        )

    def vehicle(self, **news: Any) -> None:
        vehicle = msgspec.structs.replace(self.lane.vehicle, **news)
        self.lane = msgspec.structs.replace(self.lane, vehicle=vehicle)

    def refuse(self, reason: str, detail: str) -> None:
        self.refused.append(Refused(vin=self.lane.vehicle.vin, reason=reason, detail=detail))

    def move(
        self,
        command: Command,
        event: Event,
        reason: str | None = None,
        heard: Heard | None = None,
        **news: Any,
    ) -> None:
        """Apply an event that the table allows."""
        state = after(command.state, event)
        if state is None:
            raise ValueError(f"a command that is {command.state} can't have {event!r} happen to it")
        if state in SETTLED:
            news["settled_at"] = self.now
        self.note(command, state, state, reason, heard, **news)

    def note(
        self,
        command: Command,
        what: str,
        state: State,
        reason: str | None,
        heard: Heard | None = None,
        **news: Any,
    ) -> None:
        """Write one line of the command's timeline, and what it changes."""
        version = command.version + 1
        changed = msgspec.structs.replace(command, state=state, reason=reason, version=version, **news)
        hop = Hop(
            command_id=command.id,
            version=version,
            what=what,
            state=state,
            at=self.now,
            reason=reason,
            attempt=changed.attempt or None,
            arrived_at=heard.arrived_at if heard else None,
            vehicle_at=heard.vehicle_at if heard else None,
        )
        self.lane = self.lane.with_command(changed)
        self.changes.append(Change(command=changed, hop=hop))

    def send(self, command: Command) -> None:
        """Record it as sent, first time or again, and hand it on (law 6: the record comes first)."""
        vehicle, now, attempt = self.lane.vehicle, self.now, command.attempt + 1
        news: dict[str, Any] = {"attempt": attempt, "attempt_at": now, "session": vehicle.session}
        if command.state in UNSENT:
            self.move(command, Event.LEAVES, sent_at=now, **news)
        else:
            self.note(command, "repeated", command.state, command.reason, **news)
        self.dispatches.append(
            Dispatch(
                command_id=command.id,
                vin=command.vin,
                service=command.service,
                model=command.model,
                params=command.params,
                issued_at=now,
                expires_at=command.expires_at,
                attempt=attempt,
                clock_offset=vehicle.clock_offset,
                traceparent=command.traceparent,
            )
        )


def decide(lane: Lane, fact: AnyFact, now: float) -> Decision:
    """What follows from one fact about this lane, at `now` (seconds since 1970 UTC)."""
    return fold(lane, [fact], now)


def fold(lane: Lane, facts: Iterable[AnyFact], now: float) -> Decision:
    """What follows from several facts about one lane, in their order."""
    draft = _Draft(lane, now)
    for fact in facts:
        HEARING.get(type(fact), _nothing_to_hear)(draft, fact)
        _move_on(draft, timers=isinstance(fact, TimePassed))
    return draft.decision()


# ---- hearing: what does the fact say?


def _nothing_to_hear(draft: _Draft, fact: Any) -> None:
    """`Accepted`, `CancelAsked` and `TimePassed` are reasons to look; what they tell of is in the lane already."""


def _hear_answer(draft: _Draft, fact: Answered) -> None:
    """An answer counts if it can be true; an old one never overwrites newer news, a repeat changes nothing (law 5)."""
    _notice(draft, fact)
    command = draft.lane.command(fact.command_id)
    doubt = "unknown_command" if command is None else _why_not_believe(command, fact, draft.now)
    if command is None or doubt is not None:
        draft.refuse(str(doubt), f"{fact.status} for {fact.command_id}")
        return
    event = ANSWERS[fact.status]
    if after(command.state, event) is not None:
        draft.move(command, event, fact.reason, fact, outcome=OUTCOMES.get(fact.status), result=fact.result)


def _why_not_believe(command: Command, fact: Answered, now: float) -> str | None:
    if command.service != fact.service:
        return "wrong_service"
    if not command.may_have_left:
        return "never_sent"
    if not command.believes_answers(now):
        return "too_late"
    final = FINAL_ANSWERS.get(ANSWERS[fact.status])
    if command.state in TERMINAL and final is not None and final is not command.state:
        return "contradicts"
    return None


def _hear_presence(draft: _Draft, fact: PresenceChanged) -> None:
    """A birth begins a session; a will ends its own session and no other (law 9)."""
    vehicle = draft.lane.vehicle
    if fact.session != vehicle.session and fact.arrived_at < (vehicle.heard_at or 0.0):
        return  # from before the session that we know: it was told late or again
    if fact.presence is Presence.ONLINE:
        offset = vehicle.clock_offset if fact.vehicle_at is None else fact.vehicle_at - fact.arrived_at
        draft.vehicle(presence=Presence.ONLINE, session=fact.session, heard_at=fact.arrived_at, clock_offset=offset)
    elif fact.session == vehicle.session:
        draft.vehicle(presence=Presence.OFFLINE)


def _hear_state(draft: _Draft, fact: StateReported) -> None:
    """Signals are kept; and who reports is there, even if its birth message was lost. An older report is ignored."""
    vehicle = draft.lane.vehicle
    if fact.arrived_at < (vehicle.heard_at or 0.0):
        return
    if vehicle.presence is not Presence.ONLINE:
        draft.vehicle(presence=Presence.ONLINE, session=fact.session)
    _notice(draft, fact)
    draft.vehicle(signals={**vehicle.signals, **fact.signals}, signals_at=fact.vehicle_at or fact.arrived_at)


def _hear_did_not_leave(draft: _Draft, fact: DidNotLeave) -> None:
    """Proof that one attempt stayed here; only when all of them did is the command certainly unsent again."""
    command, vehicle = draft.lane.command(fact.command_id), draft.lane.vehicle
    if command is None:
        return
    if fact.reason == "not_reachable" and fact.attempt == command.attempt and vehicle.session == command.session:
        draft.vehicle(presence=Presence.OFFLINE)  # else it has come back since, and its lane moves on at once
    if not fact.attempt == command.not_left + 1 <= command.attempt or not after(command.state, Event.DID_NOT_LEAVE):
        return  # told before, or out of order, or the vehicle has answered: no certainty is won
    if fact.attempt < command.attempt:
        draft.note(command, "did_not_leave", command.state, command.reason, not_left=fact.attempt)
    else:
        news: dict[str, Any] = {"not_left": fact.attempt, "sent_at": None, "attempt_at": None}
        reason = "vehicle_offline" if fact.reason == "not_reachable" else "dispatched_too_late"
        draft.move(command, Event.DID_NOT_LEAVE, reason, **news)


HEARING: dict[type[Fact], Callable[[_Draft, Any], None]] = {
    Answered: _hear_answer,
    PresenceChanged: _hear_presence,
    StateReported: _hear_state,
    DidNotLeave: _hear_did_not_leave,
}


def _notice(draft: _Draft, fact: Heard) -> None:
    """Keep the vehicle's time. A message that was long on its way only makes the clock look slow, so the largest offset
    is the nearest to the truth; unless a fresh report says that the clock was set back.
    """
    vehicle = draft.lane.vehicle
    if fact.session != vehicle.session:
        return
    offset = vehicle.clock_offset
    if fact.vehicle_at is not None:
        measured = fact.vehicle_at - fact.arrived_at
        set_back = isinstance(fact, StateReported) and measured < offset - CLOCK_SET_BACK
        offset = measured if set_back else max(offset, measured)
    draft.vehicle(heard_at=max(fact.arrived_at, vehicle.heard_at or 0.0), clock_offset=offset)


# ---- moving on: what can be done now?


def _move_on(draft: _Draft, timers: bool) -> None:
    """Settle what is out of time, repeat what is due, and send the next: one at a time, in order.

    Without `timers`, what was sent is left alone: its answer may be waiting to be read (law 8).
    """
    busy = False
    for command in draft.lane.commands:
        if command.state in UNSENT:
            busy = _move_unsent(draft, command, busy) or busy
        elif command.state in IN_FLIGHT:
            busy = not (timers and _settle_or_repeat(draft, command)) or busy


def _settle_or_repeat(draft: _Draft, command: Command) -> bool:
    """Look at a command in flight; say whether it is settled now."""
    if draft.now >= command.deadline:
        draft.move(command, Event.STAYED_SILENT, "no_answer")
        return True
    due = command.repeat_at(draft.lane.vehicle)
    wanted = command.cancel_asked_at is None and (command.grant_until or 0.0) > draft.now
    if wanted and due is not None and due <= draft.now < command.expires_at:
        draft.send(command)
    return False


def _move_unsent(draft: _Draft, command: Command, busy: bool) -> bool:
    """Settle, send or queue a command that never left; say whether those behind it have to wait."""
    if (end := _why_it_ends(command, draft.lane.vehicle, draft.now)) is not None:
        draft.move(command, *end)
        return False
    wait = "lane_busy" if busy else "vehicle_offline" if draft.lane.vehicle.presence is Presence.OFFLINE else None
    if wait is None:
        draft.send(command)
        return True
    if command.state is not State.QUEUED or command.reason != wait:
        draft.move(command, Event.MUST_WAIT, wait)
    return True


def _why_it_ends(command: Command, vehicle: Vehicle, now: float) -> tuple[Event, str] | None:
    if command.cancel_asked_at is not None:
        return Event.WITHDRAWN, "asked"
    if now >= command.expires_at:
        return Event.TIME_RAN_OUT, command.reason or "not_looked_at"
    if command.grant_until is None or command.grant_until <= now:
        return Event.WITHDRAWN, "grant_ended"
    if command.terms.risk is Risk.ACCESS and abs(vehicle.clock_offset) > MAX_CLOCK_ERROR:
        return Event.REFUSED, "clock"
    return None
