"""The wire: subjects, headers and bytes, for the streams between services and for vehicles.

This file knows how a fact becomes a message and back. What vehicles may say stands in the AsyncAPI document; the
structs here are the platform's own reading of it, and tests hold the two together.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from outrider.domain.lane import Presence
from outrider.domain.messages import (
    Accepted,
    Answered,
    AnswerStatus,
    CancelAsked,
    Change,
    DeadLetter,
    DidNotLeave,
    Dispatch,
    Fact,
    PresenceChanged,
    StateReported,
)
from outrider.domain.registry import FOREVER

LARGEST = 16 * 1024
"""Bytes that a vehicle may say in one message."""
DEEPEST = 32
"""Levels of nesting in what a vehicle says; what is far deeper could be kept but not shown."""
MOST_TOLD = 200 * 1024
"""Bytes of facts after which another message begins: with the largest fact behind it, still below NATS' limit."""


class Message(NamedTuple):
    """What goes onto a stream."""

    subject: str
    data: bytes
    headers: dict[str, str]


ToldFact = Accepted | CancelAsked | Answered | PresenceChanged | StateReported | DidNotLeave

_facts: msgspec.json.Decoder[ToldFact | list[ToldFact]] = msgspec.json.Decoder(ToldFact | list[ToldFact])
_dispatches = msgspec.json.Decoder(Dispatch)
_letters = msgspec.json.Decoder(DeadLetter)
_encode = msgspec.json.Encoder().encode


def fact_message(message_id: str, fact: Fact) -> Message:
    """A fact for processing, under `facts.{kind}.{vin}`. The id makes a second copy of it vanish."""
    kind = fact.__struct_config__.tag
    return Message(f"facts.{kind}.{fact.vin}", _encode(fact), _headers(message_id, f"fact.{kind}", fact.vin))


def facts_messages(message_id: str, facts: Sequence[Fact]) -> list[Message]:
    """Facts that are told together, under `facts.several`: as few messages as their size allows."""
    if len(facts) == 1:
        return [fact_message(message_id, facts[0])]
    messages, told = [], bytearray(b"[")
    for n, fact in enumerate(facts, 1):
        told += _encode(fact)
        if len(told) > MOST_TOLD or n == len(facts):
            headers = _headers(f"{message_id}-{n}", "facts", "several")
            messages.append(Message("facts.several", bytes(told + b"]"), headers))
            told = bytearray(b"[")
        else:
            told += b","
    return messages


def read_facts(data: bytes) -> list[ToldFact]:
    """The facts of a message in their order. Raises msgspec.DecodeError."""
    facts = _facts.decode(data)
    return facts if isinstance(facts, list) else [facts]


def dispatch_message(dispatch: Dispatch) -> Message:
    """A dispatch for outgoing, under `dispatch.{service}.{model}.{vin}`."""
    subject = f"dispatch.{dispatch.service}.{dispatch.model}.{dispatch.vin}"
    return Message(subject, _encode(dispatch), _headers(dispatch_id(dispatch), "dispatch", dispatch.vin))


def dispatch_id(dispatch: Dispatch) -> str:
    """The deterministic id of one attempt."""
    return f"{dispatch.command_id}-attempt-{dispatch.attempt}"


def read_dispatch(data: bytes) -> Dispatch:
    """Raises msgspec.DecodeError."""
    return _dispatches.decode(data)


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What others may know of a change: no parameters, no result, for those may say where a person is."""

    command_id: str
    vin: str
    service: str
    model: str
    state: str
    version: int
    reason: str | None
    outcome: str | None
    at: datetime


def change_message(change: Change) -> Message:
    """A change for whoever listens, under `events.command.{state}.{service}.{model}.{vin}`; a late copy vanishes."""
    command = change.command
    subject = f"events.command.{command.state}.{command.service}.{command.model}.{command.vin}"
    announcement = Announcement(
        command_id=command.id,
        vin=command.vin,
        service=command.service,
        model=command.model,
        state=command.state,
        version=command.version,
        reason=command.reason,
        outcome=command.outcome,
        at=from_seconds(change.hop.at),
    )
    headers = _headers(f"{command.id}-{command.version}", f"command.{command.state}", command.vin)
    return Message(subject, _encode(announcement), headers | {"traceparent": command.traceparent})


def letter_message(letter: DeadLetter) -> Message:
    """A dead letter, under `deadletter.{reason}.{vin}`."""
    return Message(f"deadletter.{letter.reason}.{letter.vin}", _encode(letter), {})


def read_letter(data: bytes) -> DeadLetter:
    """Raises msgspec.DecodeError."""
    return _letters.decode(data)


def _headers(message_id: str, kind: str, vin: str) -> dict[str, str]:
    """CloudEvents 1.0 attributes, and the id by which JetStream drops a copy."""
    return {
        "Nats-Msg-Id": message_id,
        "ce-id": message_id,
        "ce-specversion": "1.0",
        "ce-source": "outrider",
        "ce-type": f"outrider.{kind}",
        "ce-subject": vin,
    }


# ---- vehicles: `outrider/v1/{vin}/...`


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command as a vehicle gets it; its times are in the vehicle's own clock."""

    id: str
    service: str
    params: Mapping[str, Any]
    issued_at: datetime
    expires_at: datetime
    attempt: int
    traceparent: str


def order(dispatch: Dispatch) -> bytes:
    """The message for the vehicle."""
    return _encode(
        Order(
            id=dispatch.command_id,
            service=dispatch.service,
            params=dispatch.params,
            issued_at=from_seconds(dispatch.issued_at + dispatch.clock_offset),
            expires_at=from_seconds(dispatch.expires_at + dispatch.clock_offset),
            attempt=dispatch.attempt,
            traceparent=dispatch.traceparent,
        )
    )


def command_subject(vin: str) -> str:
    """Where a vehicle listens: the topic `outrider/v1/{vin}/command` as NATS knows it."""
    return f"outrider.v1.{vin}.command"


# The contract's patterns, anchored for Python: its "$" would let a line break pass.
Id = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
ServiceName = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9]*(-[a-z0-9]+)*\Z", max_length=64)]
Session = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{8,64}\Z")]
Reason = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]*\Z", max_length=64)]
SignalName = Annotated[str, msgspec.Meta(pattern=r"\AVehicle(\.[A-Za-z0-9]+)+\Z", max_length=200)]
Time = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,9})?Z\Z")]


class AnswerSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`answer`: what became of a command."""

    id: Id
    service: ServiceName
    status: AnswerStatus
    at: Time
    session: Session
    reason: Reason | msgspec.UnsetType = msgspec.UNSET
    result: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

    def fact(self, vin: str, arrived_at: float) -> Fact:
        return Answered(
            vin=vin,
            command_id=self.id,
            service=self.service,
            status=self.status,
            reason=self.reason or None,
            result=None if self.result is msgspec.UNSET else self.result,
            session=self.session,
            arrived_at=arrived_at,
            vehicle_at=to_seconds(self.at),
        )


class StateSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: signals by their VSS names."""

    session: Session
    at: Time
    signals: dict[SignalName, bool | int | float | str]

    def fact(self, vin: str, arrived_at: float) -> Fact:
        at = to_seconds(self.at)
        return StateReported(vin=vin, session=self.session, arrived_at=arrived_at, vehicle_at=at, signals=self.signals)


class PresenceSaid(msgspec.Struct, frozen=True, kw_only=True):
    """`presence`: birth and will. A will was written in advance and so can't know its time; a birth must tell it."""

    session: Session
    status: Literal["online", "offline"]
    at: Time | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if self.status == "online" and self.at is msgspec.UNSET:
            raise ValueError("at is required when status is online")

    def fact(self, vin: str, arrived_at: float) -> Fact:
        at = None if self.at is msgspec.UNSET else to_seconds(self.at)
        return PresenceChanged(
            vin=vin, session=self.session, arrived_at=arrived_at, vehicle_at=at, presence=Presence(self.status)
        )


Said = AnswerSaid | StateSaid | PresenceSaid
_said: dict[str, msgspec.json.Decoder[Any]] = {
    "answer": msgspec.json.Decoder(AnswerSaid),
    "state": msgspec.json.Decoder(StateSaid),
    "presence": msgspec.json.Decoder(PresenceSaid),
}


def depth(data: bytes) -> int:
    """How deep a JSON text is nested; brackets in strings count for nothing."""
    deepest = level = 0
    for bracket in re.sub(rb'"(?:[^"\\]|\\.)*"|[^][{}"]+', b"", data):
        level += 1 if bracket in b"{[" else -1
        deepest = max(deepest, level)
    return deepest


def read_said(kind: str, data: bytes) -> Said:
    """What a vehicle said under one of its topics. Raises ValueError with what is wrong (msgspec's errors are such)."""
    if len(data) > LARGEST:
        raise ValueError(f"{len(data)} bytes, at most {LARGEST} are allowed")
    if data.count(b"{") + data.count(b"[") > DEEPEST and depth(data) > DEEPEST:
        raise ValueError(f"nested too deeply, at most {DEEPEST} levels are allowed")
    said: Said = _said[kind].decode(data)
    return said


FIRST, LAST = -62_135_596_800.0, FOREVER
"""The years 1 and 9999: no further can a time be written."""


def to_seconds(time: str) -> float:
    """Seconds since 1970 UTC. Raises ValueError where there is no such day or hour."""
    return min(msgspec.convert(time, datetime).timestamp(), LAST)


def from_seconds(at: float) -> datetime:
    """A time as the edges write it: RFC 3339, UTC. A vehicle's clock may be anywhere, so it ends at what has a name."""
    return datetime.fromtimestamp(min(max(at, FIRST), LAST), UTC)
