"""What vehicles can be asked to do, and which vehicle can do what: the catalog as values.

Reading the files is `adapters/catalog_files.py`, what must hold between the values `domain/catalog_rules.py`; here is
only what they mean.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from outrider.common.json_path import dotted
from outrider.common.json_schema import Schema


class Risk(StrEnum):
    """What is at stake when a service is used by the wrong person; a grant names the classes that it covers."""

    ACCESS = "access"
    COMFORT = "comfort"
    CHARGING = "charging"
    LOCATION = "location"
    ATTENTION = "attention"


class Repeat(StrEnum):
    """May a message that was sent be sent again?"""

    NEVER = "never"
    IF_DEDUPLICATING = "if_deduplicating"


class Powertrain(StrEnum):
    """What moves a vehicle."""

    COMBUSTION = "combustion"
    PLUG_IN_HYBRID = "plug_in_hybrid"
    ELECTRIC = "electric"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a command was promised on acceptance (law 11); copied into its row, never read from the catalog again.

    ttl: seconds in which it must have been sent. ack_within: seconds after which an unanswered message may be
    repeated. finish_within: seconds after `expires_at` by which the command is settled. conflicts and verify: as in
    `Service`.
    """

    risk: Risk
    ttl: float
    ack_within: float
    finish_within: float
    repeat: Repeat
    conflicts: tuple[str, ...] = ()
    verify: dict[str, Any] | None = None


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What a vehicle can be asked to do from afar.

    params, result: JSON Schemas (`result` None: it has none).
    conflicts: the services whose older, unsent commands a new command of this one replaces.
    verify: the VSS signals that show the effect and the values they then have; None for what passes without trace.
    effects: the VSS signals that a simulated vehicle sets. answers: the members of the result that it gives.
    takes: seconds that it needs for that.

    A value of verify, effects and answers stands for itself, or is `{"param": name}`: the parameter's value, or (in
    answers) `{"signal": name}`: the value the vehicle's signal has. `fill_in` reads them.
    """

    name: str
    title: str
    description: str
    risk: Risk
    params: dict[str, Any]
    result: dict[str, Any] | None = None
    ttl: float
    ack_within: float
    finish_within: float
    repeat: Repeat
    conflicts: tuple[str, ...] = ()
    verify: dict[str, Any] | None = None
    effects: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    takes: float = 0.0

    @property
    def terms(self) -> Terms:
        """The promise that a command of this service gets on acceptance."""
        return msgspec.convert(self, Terms, from_attributes=True)

    @property
    def defaults(self) -> dict[str, Any]:
        """The parameters that need not be given, with the values they then have."""
        properties = self.params.get("properties", {})
        return {name: schema["default"] for name, schema in properties.items() if "default" in schema}

    def effects_of(self, params: Mapping[str, Any], has: Mapping[str, Any]) -> dict[str, Any]:
        """The signals that performing it sets, with their values, on a vehicle that has the signals `has`."""
        return {name: value for name, value in fill_in(self.effects, params).items() if name in has}

    def result_of(self, params: Mapping[str, Any], signals: Mapping[str, Any]) -> dict[str, Any] | None:
        """The result that a vehicle with these signals gives after performing it; None where the service has none."""
        return fill_in(self.answers, params, signals) if self.result is not None else None


class Quirks(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model differs from the contract's vehicle.

    deduplicates: it knows a command id that it has seen. forgets_on_reboot: but only within one session.
    """

    deduplicates: bool = True
    forgets_on_reboot: bool = False


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle model: which services it supports, its quirks, and how often it reports its state (seconds).

    signals: the VSS signals that it has and reports, with the values that a simulated vehicle starts with.
    """

    name: str
    title: str
    powertrain: Powertrain
    services: tuple[str, ...]
    quirks: Quirks = Quirks()
    state_every: float
    signals: dict[str, Any] = {}


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal of a vehicle as VSS describes it. overlay: VSS v6.0 lacks it, the name is our own."""

    name: str
    type: str
    datatype: str
    description: str
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: tuple[str, ...] | None = None
    overlay: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its values."""
        kind, least, greatest = _DATATYPES[self.datatype]
        limits = {
            "minimum": self.min if self.min is not None else least,
            "maximum": self.max if self.max is not None else greatest,
            "enum": self.allowed and list(self.allowed),
            "x-unit": self.unit,
        }
        return {"type": kind} | {name: value for name, value in limits.items() if value is not None}


# VSS datatype: JSON type, least and greatest value.
_DATATYPES: dict[str, tuple[str, int | None, int | None]] = {
    "boolean": ("boolean", None, None),
    "string": ("string", None, None),
    "float": ("number", None, None),
    "double": ("number", None, None),
    "int8": ("integer", -(2**7), 2**7 - 1),
    "uint8": ("integer", 0, 2**8 - 1),
    "int16": ("integer", -(2**15), 2**15 - 1),
    "uint16": ("integer", 0, 2**16 - 1),
    "int32": ("integer", -(2**31), 2**31 - 1),
    "uint32": ("integer", 0, 2**32 - 1),
}


class Complaint(msgspec.Struct, frozen=True):
    """What is wrong with one parameter or member of a result. The value is never repeated: it may be a position."""

    field: str
    message: str


class Catalog:
    """All services, models and signals by name, with their schemas compiled. Never changed: a new one replaces it.

    Raises `SchemaError` where a service's params or result are no JSON Schema; `catalog_rules` finds all of them.
    What is asked about a service that there is not raises `KeyError`.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        models: Mapping[str, Model],
        signals: Mapping[str, Signal] | None = None,
    ) -> None:
        self.services = dict(services)
        self.models = dict(models)
        self.signals = dict(signals or {})
        self._defaults = {name: service.defaults for name, service in self.services.items()}
        self._params = {name: Schema(service.params) for name, service in self.services.items()}
        self._results = {
            name: Schema(_NO_RESULT if s.result is None else s.result) for name, s in self.services.items()
        }

    def complete_params(self, service: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with the defaults of those left out: what is then checked, stored and sent."""
        return {**self._defaults[service], **params}

    def check_params(self, service: str, params: Any) -> list[Complaint]:
        """What is wrong with complete parameters; empty where nothing is."""
        return _complaints(self._params[service], "params", params)

    def check_result(self, service: str, result: Any) -> list[Complaint]:
        """What is wrong with a vehicle's result (None: it gave none); empty where nothing is."""
        return _complaints(self._results[service], "result", result)

    def supports(self, model: str, service: str) -> bool:
        """Can vehicles of this model be asked for this service? A model that is not known supports none."""
        known = self.models.get(model)
        return known is not None and service in known.services


_NO_RESULT = {"type": "null"}


def _complaints(schema: Schema, name: str, value: Any) -> list[Complaint]:
    return [Complaint(dotted((name, *fault.path)), fault.message) for fault in schema.faults(value)]


def fill_in(
    values: Mapping[str, Any], params: Mapping[str, Any], signals: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The values with every reference replaced by what it refers to. KeyError: there is no such thing."""
    return {name: _referred(value, params, signals or {}) for name, value in values.items()}


def _referred(value: Any, params: Mapping[str, Any], signals: Mapping[str, Any]) -> Any:
    match value:
        case {"param": name}:
            return params[name]
        case {"signal": name}:
            return signals[name]
        case _:
            return value
