"""A small catalog and the commands that the simulator's tests give to its vehicles."""

import json
from typing import Any
from uuid import UUID

from outrider.domain.catalog import Catalog, Model, Powertrain, Quirks, Repeat, Risk, Service
from outrider.simulator.messages import wire_time

NOON = 1_795_348_800.0

LOCKED = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
WARMTH = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
LATITUDE = "Vehicle.CurrentLocation.Latitude"


def service(name: str, **differs: Any) -> Service:
    """A service; what is not given is ordinary."""
    ordinary: dict[str, Any] = {
        "title": name,
        "description": name,
        "risk": Risk.COMFORT,
        "params": {"type": "object"},
        "ttl": 60.0,
        "ack_within": 5.0,
        "finish_within": 30.0,
        "repeat": Repeat.IF_DEDUPLICATING,
        "takes": 2.0,
    }
    return Service(name=name, **(ordinary | differs))


def model(name: str = "roadster", **differs: Any) -> Model:
    """A model; what is not given is ordinary."""
    ordinary: dict[str, Any] = {
        "title": name,
        "powertrain": Powertrain.ELECTRIC,
        "services": ("door-lock", "climate-start", "vehicle-find"),
        "state_every": 120.0,
        "signals": {LOCKED: False, WARMTH: 16.0, LATITUDE: 48.1},
    }
    return Model(name=name, **(ordinary | differs))


SERVICES = {
    known.name: known
    for known in (
        service("door-lock", effects={LOCKED: True}),
        service("climate-start", effects={WARMTH: {"param": "temperature"}}),
        service("vehicle-find", result={"type": "object"}, answers={"latitude": {"signal": LATITUDE}}),
        service("charge-start"),
    )
}

FORGETFUL = Quirks(forgets_on_reboot=True)
CATALOG = Catalog(
    services=SERVICES,
    models={known.name: known for known in (model(), model("old", quirks=FORGETFUL, services=("door-lock",)))},
)


def command_id(number: int) -> str:
    """A command id that a reader recognises."""
    return str(UUID(int=number))


def command(number: int = 1, service: str = "door-lock", expires_at: float = NOON + 60, **params: Any) -> bytes:
    """A command as it comes over MQTT; its times are in the vehicle's clock."""
    message = {
        "id": command_id(number),
        "service": service,
        "params": params,
        "issued_at": wire_time(NOON).isoformat(),
        "expires_at": wire_time(expires_at).isoformat(),
        "attempt": 1,
    }
    return json.dumps(message).replace("+00:00", "Z").encode()
