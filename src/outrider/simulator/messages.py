"""The simulated vehicle's own reading of the MQTT contract: topics, and the messages as it hears and says them.

It follows `contract/asyncapi.yaml` and shares no code with the platform: two readings of one document, so that a
mistake in either shows.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

CONTRACT = "outrider/v1"


class Topic(StrEnum):
    """The last part of a topic: what is spoken about."""

    COMMAND = "command"
    ANSWER = "answer"
    STATE = "state"
    PRESENCE = "presence"

    def of(self, vin: str) -> bytes:
        """The whole topic of one vehicle."""
        return f"{CONTRACT}/{vin}/{self}".encode()


class Status(StrEnum):
    """What a vehicle says of a command."""

    RECEIVED = "received"
    EXECUTING = "executing"
    EXECUTED = "executed"
    ALREADY_DONE = "already_done"
    REJECTED = "rejected"
    FAILED = "failed"


FINAL = frozenset({Status.EXECUTED, Status.ALREADY_DONE, Status.REJECTED, Status.FAILED})

WireTime = Annotated[datetime, msgspec.Meta(tz=True)]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform asks. Both times are in the vehicle's own clock."""

    id: str
    service: str
    params: dict[str, Any] = {}
    issued_at: WireTime
    expires_at: WireTime
    attempt: int = 1


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a command. `at`: when, by the vehicle's clock; `session`: the connection it is said on."""

    id: str
    service: str
    status: Status
    at: WireTime
    session: str | None = None
    reason: str | None = None
    result: dict[str, Any] | None = None


class StateReport(msgspec.Struct, frozen=True, kw_only=True):
    """All signals of the vehicle, by their VSS names."""

    session: str
    at: WireTime
    signals: dict[str, Any]


class Presence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The birth message, or the will. A will is written in advance, so it has no time."""

    session: str
    status: str
    at: WireTime | None = None


read_command = msgspec.json.Decoder(Command).decode
write = msgspec.json.Encoder().encode


def wire_time(seconds: float) -> datetime:
    """Seconds since 1970 as the contract writes times."""
    return datetime.fromtimestamp(seconds, UTC)
