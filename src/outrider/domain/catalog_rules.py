"""What must hold in a catalog beyond the shape of its files: names that lead somewhere, values that fit their schemas.

Each rule is a function of one entry and yields its faults; the two lists at the end are all the rules. An entry whose
file could not be read is still `known`, so that one mistake is told once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath
from outrider.common.json_schema import Fault, Schema, SchemaError
from outrider.domain.catalog import Model, Service, Signal


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A catalog that is not yet proved sound. known_services: also those whose own file is at fault."""

    services: Mapping[str, Service]
    models: Mapping[str, Model]
    signals: Mapping[str, Signal]
    known_services: Set[str]


def service_faults(service: Service, draft: Draft) -> list[Fault]:
    """Everything that is wrong with a service; the paths are those of its file."""
    return [fault for rule in SERVICE_RULES for fault in rule(service, draft)]


def model_faults(model: Model, draft: Draft) -> list[Fault]:
    """Everything that is wrong with a model; the paths are those of its file."""
    return [fault for rule in MODEL_RULES for fault in rule(model, draft)]


def schemas_are_json_schema(service: Service, draft: Draft) -> Iterator[Fault]:
    """params and result can be compiled."""
    for name, schema in (("params", service.params), ("result", service.result)):
        try:
            Schema(schema or {})
        except SchemaError as error:
            yield Fault((name, *error.fault.path), error.fault.message)


def defaults_fit(service: Service, draft: Draft) -> Iterator[Fault]:
    """A default is a value that the caller might have given."""
    for name, default in service.defaults.items():
        # Only this property, but with everything else its schema may refer to.
        alone = {**service.params, "properties": {name: service.params["properties"][name]}, "required": []}
        try:
            faults = Schema(alone).faults({name: default})
        except SchemaError:
            continue  # told by schemas_are_json_schema
        place = ("params", "properties", name, "default")
        yield from (Fault(place, fault.message) for fault in faults)


def required_params_exist(service: Service, draft: Draft) -> Iterator[Fault]:
    """Only a parameter that is described can be required."""
    for index, name in enumerate(service.params.get("required", ())):
        if name not in _properties(service.params):
            yield Fault(("params", "required", index), f"no parameter {name} is described in params.properties")


def conflicts_are_services(service: Service, draft: Draft) -> Iterator[Fault]:
    """A conflict names a service."""
    yield from _unknown(("conflicts",), service.conflicts, draft.known_services, "service")


def signals_take_the_values(service: Service, draft: Draft) -> Iterator[Fault]:
    """verify and effects name known signals and give them values that they can have."""
    for field, values in (("verify", service.verify or {}), ("effects", service.effects)):
        yield from _signal_faults((field,), values, draft)


def references_lead_somewhere(service: Service, draft: Draft) -> Iterator[Fault]:
    """A reference names a parameter that every command has, or a known signal."""
    params = _properties(service.params)
    certain = {*service.defaults, *service.params.get("required", ())}
    for field in ("verify", "effects", "answers"):
        for name, value in (getattr(service, field) or {}).items():
            match value:
                case {"param": param} if param not in params:
                    yield Fault((field, name, "param"), f"there is no parameter {param}; {_known(params)}")
                case {"param": param} if param not in certain:
                    wrong = f"the parameter {param} may be absent; require it or give it a default"
                    yield Fault((field, name, "param"), wrong)
                case {"signal": signal} if signal not in draft.signals:
                    yield Fault((field, name, "signal"), _NO_SIGNAL.format(signal))


def answers_make_the_result(service: Service, draft: Draft) -> Iterator[Fault]:
    """What a simulated vehicle answers is what the result's schema describes."""
    result = service.result or {}
    for name in service.answers:
        if name not in _properties(result):
            yield Fault(("answers", name), f"the result has no such member; {_known(_properties(result))}")
    for name in result.get("required", ()):
        if name not in service.answers:
            yield Fault(("answers",), f"lacks {name}, which the result requires")


def services_are_known(model: Model, draft: Draft) -> Iterator[Fault]:
    """A model names services that there are."""
    yield from _unknown(("services",), model.services, draft.known_services, "service")


def start_values_fit(model: Model, draft: Draft) -> Iterator[Fault]:
    """A model's signals are known and start with values that they can have."""
    yield from _signal_faults(("signals",), model.signals, draft)


def services_find_their_signals(model: Model, draft: Draft) -> Iterator[Fault]:
    """A model has every signal that its services' results need, and of those that prove a service at least one."""
    for index, name in enumerate(model.services):
        service = draft.services.get(name)
        if service is None:
            continue
        answered = [value["signal"] for value in service.answers.values() if _refers_to_signal(value)]
        for signal in answered:
            if signal not in model.signals:
                yield Fault(("services", index), f"{name} answers with {signal}; add it to this model's signals")
        if service.verify and not service.verify.keys() & model.signals.keys():
            wanted = " or ".join(service.verify)
            yield Fault(("services", index), f"{name} is verified by {wanted}; add it to this model's signals")


_NO_SIGNAL = "{} is in no vss.yaml or vss-overlay.yaml; correct the name or describe it there"


def _signal_faults(path: JsonPath, values: Mapping[str, Any], draft: Draft) -> Iterator[Fault]:
    for name, value in values.items():
        signal = draft.signals.get(name)
        if signal is None:
            yield Fault((*path, name), _NO_SIGNAL.format(name))
        elif not isinstance(value, dict):
            yield from (Fault((*path, name), fault.message) for fault in Schema(signal.schema).faults(value))


def _unknown(path: JsonPath, names: tuple[str, ...], known: Set[str], what: str) -> Iterator[Fault]:
    for index, name in enumerate(names):
        if name not in known:
            yield Fault((*path, index), f"there is no {what} {name}; {_known(sorted(known))}")


def _known(names: Iterable[str]) -> str:
    return f"there are: {', '.join(names) or 'none'}"


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return schema.get("properties", {})  # type: ignore[no-any-return]


def _refers_to_signal(value: Any) -> bool:
    return isinstance(value, dict) and "signal" in value


SERVICE_RULES: tuple[Callable[[Service, Draft], Iterator[Fault]], ...] = (
    schemas_are_json_schema,
    defaults_fit,
    required_params_exist,
    conflicts_are_services,
    signals_take_the_values,
    references_lead_somewhere,
    answers_make_the_result,
)

MODEL_RULES: tuple[Callable[[Model, Draft], Iterator[Fault]], ...] = (
    services_are_known,
    start_values_fit,
    services_find_their_signals,
)
