"""What people see: commands, vehicles and the rest as JSON. Pure; the names are those of openapi.yaml.

Times are RFC 3339 UTC with milliseconds, durations seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from outrider.common.times import rfc3339
from outrider.domain.catalog import Catalog, Model, Service
from outrider.domain.lane import Command, Presence
from outrider.domain.lifecycle import LATE_FACTS_FOR, MEANING, SETTLED, TERMINAL, State
from outrider.domain.messages import DeadLetter, Hop
from outrider.domain.registry import FOREVER, Credential, Grant, VehicleRecord

SILENT_AFTER = 3
"""Reports of its state that an online vehicle may miss before we no longer say that it is online."""

_BY_ANSWER = frozenset({State.EXECUTED, State.REJECTED, State.FAILED})


def time_if(at: float | None) -> str | None:
    """A moment, if there is one."""
    return None if at is None else rfc3339(at)


def command(command: Command, now: float) -> dict[str, Any]:
    """A command as it is now."""
    state = command.state
    unconfirmed_for_good = state is State.UNCONFIRMED and now >= command.deadline + LATE_FACTS_FOR
    return {
        "id": command.id,
        "vin": command.vin,
        "service": command.service,
        "params": command.params,
        "state": state,
        "reason": command.reason,
        "outcome": command.outcome,
        "result": command.result,
        "settled": state in SETTLED,
        "final": state in TERMINAL or unconfirmed_for_good,
        "happened": MEANING[state][1],
        "attempt": command.attempt,
        "accepted_at": rfc3339(command.accepted_at),
        "sent_at": time_if(command.sent_at),
        "settled_at": time_if(command.settled_at),
        "expires_at": rfc3339(command.expires_at),
        "deadline": rfc3339(command.deadline),
    }


def command_with_timeline(which: Command, hops: Sequence[Hop], now: float) -> dict[str, Any]:
    """A command with everything that happened to it, and whose time it took."""
    timeline = [hop(each, which.accepted_at) for each in hops]
    return {**command(which, now), "timeline": timeline, "seconds": seconds(which, hops, now)}


def hop(hop: Hop, accepted_at: float) -> dict[str, Any]:
    """One line of a timeline: what a vehicle said has a time of arrival, what we did has none."""
    return {
        "what": hop.what,
        "state": hop.state,
        "reason": hop.reason,
        "attempt": hop.attempt,
        "at": rfc3339(hop.at),
        "after": round(hop.at - accepted_at, 4),
        "by": "backend" if hop.arrived_at is None else "vehicle",
        "arrived_at": time_if(hop.arrived_at),
        "vehicle_at": time_if(hop.vehicle_at),
    }


def seconds(command: Command, hops: Sequence[Hop], now: float) -> dict[str, float]:
    """How long it took, or takes so far: the vehicle's turn is from when it was sent until its last answer arrived."""
    end = now if command.settled_at is None else command.settled_at
    total, vehicle = max(end - command.accepted_at, 0.0), 0.0
    if command.sent_at is not None:
        arrivals = [hop.arrived_at for hop in hops if hop.arrived_at is not None]
        answered = command.state in _BY_ANSWER and arrivals
        vehicle = min(max((max(arrivals) if answered else end) - command.sent_at, 0.0), total)
    return {"total": round(total, 4), "backend": round(total - vehicle, 4), "vehicle": round(vehicle, 4)}


def vehicle(record: VehicleRecord, catalog: Catalog, now: float) -> dict[str, Any]:
    """A vehicle for someone who may use it."""
    return {
        "vin": record.vin,
        "model": record.model,
        "presence": presence(record, catalog.models.get(record.model), now),
        "heard_at": time_if(record.heard_at),
        "signals": record.signals,
        "signals_at": time_if(record.signals_at),
    }


def vehicle_with_services(record: VehicleRecord, services: Sequence[Service], catalog: Catalog, now: float) -> Any:
    """A vehicle, and what this person may ask it for."""
    return {**vehicle(record, catalog, now), "services": sorted(service.name for service in services)}


def registered_vehicle(record: VehicleRecord, catalog: Catalog, now: float) -> dict[str, Any]:
    """A vehicle for administrators, who need no grant and so see nothing that it reports."""
    return {
        "vin": record.vin,
        "model": record.model,
        "added_at": rfc3339(record.added_at),
        "presence": presence(record, catalog.models.get(record.model), now),
        "heard_at": time_if(record.heard_at),
        "clock_offset": round(record.clock_offset, 3),
    }


def presence(record: VehicleRecord, model: Model | None, now: float) -> Presence:
    """What we believe of its connection: online only as long as it reports as often as its model should."""
    if record.presence is not Presence.ONLINE or model is None:
        return record.presence
    silent = record.heard_at is None or now - record.heard_at > SILENT_AFTER * model.state_every
    return Presence.UNKNOWN if silent else Presence.ONLINE


def service(service: Service) -> dict[str, Any]:
    """A service with its terms and schemas."""
    return {
        "name": service.name,
        "title": service.title,
        "description": service.description,
        "risk": service.risk,
        "params": service.params,
        "result": service.result,
        "ttl": service.ttl,
        "ack_within": service.ack_within,
        "finish_within": service.finish_within,
        "repeat": service.repeat,
        "conflicts": service.conflicts,
        "verify": service.verify,
    }


def model(model: Model) -> dict[str, Any]:
    """A vehicle model: what vehicles of it can do."""
    return {
        "name": model.name,
        "title": model.title,
        "powertrain": model.powertrain,
        "services": model.services,
        "quirks": model.quirks,
        "state_every": model.state_every,
    }


def catalog(catalog: Catalog) -> dict[str, Any]:
    """All services and models, by name."""
    return {
        "services": [service(catalog.services[name]) for name in sorted(catalog.services)],
        "models": [model(catalog.models[name]) for name in sorted(catalog.models)],
    }


def credential(credential: Credential) -> dict[str, Any]:
    """A credential without its secret, which we do not have."""
    return {
        "id": credential.id,
        "vin": credential.vin,
        "created_at": rfc3339(credential.created_at),
        "revoked_at": time_if(credential.revoked_at),
    }


def new_credential(made: Credential, secret: str) -> dict[str, Any]:
    """A credential with its secret, this once, and what the vehicle connects with."""
    mqtt: Mapping[str, str] = {"username": made.vin, "client_id": made.vin}
    return {**credential(made), "secret": secret, "mqtt": mqtt}


def grant(grant: Grant) -> dict[str, Any]:
    """A grant; without an end, `until` is null."""
    return {
        "id": grant.id,
        "person": grant.person,
        "vin": grant.vin,
        "risks": grant.risks,
        "until": None if grant.until >= FOREVER else rfc3339(grant.until),
        "created_at": rfc3339(grant.created_at),
        "created_by": grant.created_by,
        "ended_at": time_if(grant.ended_at),
    }


def dead_letter(letter: DeadLetter) -> dict[str, Any]:
    """A message that was not believed, and why."""
    return {
        "vin": letter.vin,
        "reason": letter.reason,
        "detail": letter.detail,
        "source": letter.source,
        "at": rfc3339(letter.at),
        "payload": letter.payload,
    }
