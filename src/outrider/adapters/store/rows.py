"""Rows to values and back: what the columns alone know, whatever the database."""

from collections.abc import Mapping
from typing import Any

import msgspec

from outrider.domain.catalog import Terms
from outrider.domain.lane import Command, Lane, Vehicle
from outrider.domain.lifecycle import State
from outrider.domain.messages import Hop
from outrider.domain.registry import Credential, Grant, VehicleRecord

Row = Mapping[str, Any]

_terms = msgspec.json.Decoder(Terms)
_MUTABLE = [
    "id",
    "state",
    "reason",
    "outcome",
    "version",
    "attempt",
    "not_left",
    "session",
    "sent_at",
    "attempt_at",
    "settled_at",
]  # what a decision changes, apart from the result
_HOP = Hop.__struct_fields__


def to_json(value: Any) -> str:
    """A value as JSON text."""
    return msgspec.json.encode(value).decode()


def command(row: Row) -> Command:
    """A command with what its row says; JSON columns are decoded."""
    return msgspec.convert(
        {
            **row,
            "params": msgspec.json.decode(row["params"]),
            "terms": _terms.decode(row["terms"]),
            "result": msgspec.json.decode(row["result"]) if row["result"] else None,
        },
        Command,
    )


def new_command(command: Command, key: str | None, fingerprint: str | None) -> dict[str, Any]:
    """The columns of a command that was just accepted."""
    return {
        **{field: getattr(command, field) for field in ("id", "vin", "seq", "service", "model", "asked_by")},
        **{field: getattr(command, field) for field in ("traceparent", "accepted_at", "expires_at", "deadline")},
        "params": to_json(command.params),
        "terms": to_json(command.terms),
        "risk": command.terms.risk.value,
        "idempotency_key": key,
        "fingerprint": fingerprint,
    }


def with_place(command: Command, seq: int) -> Command:
    """The command in its place in the lane."""
    return msgspec.structs.replace(command, seq=seq)


def first_hop(command: Command) -> Hop:
    """The first line of every timeline."""
    state = State.ACCEPTED
    return Hop(command_id=command.id, version=1, what=state, state=state, at=command.accepted_at)


def command_update(command: Command) -> dict[str, Any]:
    """The columns that a decision may have changed."""
    columns = {field: getattr(command, field) for field in _MUTABLE}
    columns["result"] = None if command.result is None else to_json(command.result)
    return columns


def hop(row: Row) -> Hop:
    return msgspec.convert(dict(row), Hop)


def hop_columns(hop: Hop) -> dict[str, Any]:
    return {field: getattr(hop, field) for field in _HOP}


def lane_vehicle(row: Row) -> Vehicle:
    """A vehicle as its lane sees it; its quirks are the catalog's to say."""
    fields = ("vin", "model", "presence", "session", "clock_offset", "heard_at")
    return msgspec.convert({field: row[field] for field in fields}, Vehicle)


def vehicle_update(lane: Lane, now: float) -> dict[str, Any]:
    """What a decision may have changed of a vehicle, and when its lane needs another look."""
    vehicle = lane.vehicle
    fields = ("vin", "presence", "session", "clock_offset", "heard_at")
    return {field: getattr(vehicle, field) for field in fields} | {"look_at": lane.look_at(now)}


def signals_columns(vehicle: Vehicle) -> dict[str, Any]:
    return {"vin": vehicle.vin, "signals": to_json(vehicle.signals), "signals_at": vehicle.signals_at}


def vehicle_record(row: Row) -> VehicleRecord:
    columns = dict(row)
    columns["signals"] = msgspec.json.decode(row["signals"]) if row["signals"] else {}
    return msgspec.convert(columns, VehicleRecord)


def grant(row: Row) -> Grant:
    return msgspec.convert({**row, "risks": msgspec.json.decode(row["risks"])}, Grant)


def grant_columns(grant: Grant) -> dict[str, Any]:
    return {**msgspec.structs.asdict(grant), "risks": to_json(grant.risks)}


def credential(row: Row) -> Credential:
    return msgspec.convert(dict(row), Credential)
