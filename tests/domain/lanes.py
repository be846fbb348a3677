"""Lanes for tests: builders whose defaults are a healthy vehicle and an ordinary command."""

from typing import Any

from outrider.domain.catalog import Quirks, Repeat, Risk, Terms
from outrider.domain.lane import Command, Lane, Presence, Vehicle
from outrider.domain.messages import Answered, AnswerStatus, DidNotLeave, PresenceChanged

VIN = "0UTR1DERS00000001"
NOW = 1_800_000_000.0
TTL, ACK_WITHIN, FINISH_WITHIN = 60.0, 5.0, 20.0


def terms(risk: Risk = Risk.COMFORT, repeat: Repeat = Repeat.IF_DEDUPLICATING) -> Terms:
    return Terms(risk=risk, ttl=TTL, ack_within=ACK_WITHIN, finish_within=FINISH_WITHIN, repeat=repeat)


def command(name: str = "c1", seq: int = 1, *, accepted_at: float = NOW, **news: Any) -> Command:
    return Command(
        **{
            "id": name,
            "vin": VIN,
            "seq": seq,
            "service": "climate-start",
            "model": "falcon-electric",
            "params": {"temperature": 21},
            "terms": terms(),
            "asked_by": "alice",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "accepted_at": accepted_at,
            "expires_at": accepted_at + TTL,
            "deadline": accepted_at + TTL + FINISH_WITHIN,
            "grant_until": accepted_at + 1e6,
            **news,
        }
    )


def vehicle(presence: Presence = Presence.ONLINE, session: str | None = "session-1", **news: Any) -> Vehicle:
    return Vehicle(vin=VIN, model="falcon-electric", presence=presence, session=session, **news)


def lane(*commands: Command, **news: Any) -> Lane:
    return Lane(vehicle=vehicle(**news), commands=commands)


def answer(status: str, name: str = "c1", **news: Any) -> Answered:
    fields: dict[str, Any] = {"service": "climate-start", "session": "session-1", "arrived_at": NOW, **news}
    return Answered(vin=VIN, command_id=name, status=AnswerStatus(status), **fields)


def birth(session: str, at: float = NOW, vehicle_at: float | None = None) -> PresenceChanged:
    clock = at if vehicle_at is None else vehicle_at
    return PresenceChanged(vin=VIN, session=session, arrived_at=at, vehicle_at=clock, presence=Presence.ONLINE)


def will(session: str, at: float = NOW) -> PresenceChanged:
    return PresenceChanged(vin=VIN, session=session, arrived_at=at, presence=Presence.OFFLINE)


def did_not_leave(attempt: int, name: str = "c1", reason: str = "not_reachable") -> DidNotLeave:
    return DidNotLeave(vin=VIN, command_id=name, attempt=attempt, reason=reason)


FORGETFUL = Quirks(forgets_on_reboot=True)
