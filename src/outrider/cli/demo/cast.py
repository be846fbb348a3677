"""Who plays in the demo: one command of every service in the catalog, and the cars that make it hard to keep a promise.

Pure: from the catalog to roles, each with the end that its car's behaviour demands. A new role is a row in the table.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

Entry = Mapping[str, Any]
"""A service or a model, as `GET /v1/catalog` shows it."""


class Joins(StrEnum):
    """When a car comes online."""

    FIRST = "first"
    QUEUED = "once its command is queued"
    SETTLED = "once its command is settled"


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """What happens, and how it then has to end.

    shown: the car in two words. behaviour: the simulator's. expires_in: seconds, at most. cancelled: withdrawn
    while it is queued. asked: how often, with one Idempotency-Key. moves: how often the car may move for it.
    waits: the reason for which it has to have been queued.
    """

    shown: str
    behaviour: str = "normal"
    joins: Joins = Joins.FIRST
    expires_in: float | None = None
    cancelled: bool = False
    asked: int = 1
    state: str = "executed"
    reason: str | None = None
    outcome: str | None = None
    moves: int = 0
    waits: str | None = None


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A play with its car's model and the command."""

    play: Play
    model: str
    service: str
    params: dict[str, Any]
    expires_in: float | None


ORDINARY = Play(shown="obeys", outcome="done", moves=1)

Choice = Callable[[Sequence[Entry]], Entry]


def _of_risk(risk: str, n: int = 0) -> Choice:
    """The nth service of this risk class, or any where there are not so many."""

    def choose(services: Sequence[Entry]) -> Entry:
        fitting = [service for service in services if service["risk"] == risk]
        return fitting[n % len(fitting)] if fitting else services[0]

    return choose


def _soonest_over(services: Sequence[Entry]) -> Entry:
    return min(services, key=lambda service: float(service["finish_within"]))


def _most_patient(services: Sequence[Entry]) -> Entry:
    return max(services, key=lambda service: float(service["ttl"]))


HARD: tuple[tuple[Play, Choice], ...] = (
    (
        Play(shown="comes later", joins=Joins.QUEUED, outcome="done", moves=1, waits="vehicle_offline"),
        _most_patient,
    ),
    (
        Play(
            shown="withdrawn",
            joins=Joins.SETTLED,
            cancelled=True,
            state="cancelled",
            reason="asked",
            waits="vehicle_offline",
        ),
        _of_risk("comfort"),
    ),
    (
        Play(
            shown="comes too late",
            joins=Joins.SETTLED,
            expires_in=3.0,
            state="expired",
            reason="vehicle_offline",
            waits="vehicle_offline",
        ),
        _of_risk("access", 1),
    ),
    (Play(shown="refuses", behaviour="refuses", state="rejected", reason="doors_open"), _of_risk("access")),
    (
        Play(shown="tries and fails", behaviour="fails", state="failed", reason="actuator_fault", moves=1),
        _of_risk("comfort", -1),
    ),
    (
        # Its expiry is early, so that nobody has to wait long for its deadline.
        Play(shown="never answers", behaviour="silent", expires_in=4.0, state="unconfirmed", reason="no_answer"),
        _soonest_over,
    ),
    (Play(shown="has done it", behaviour="already_done", outcome="already_done"), _of_risk("access")),
    (Play(shown="repeats itself", behaviour="doubles", outcome="done", moves=1), _of_risk("location")),
    (Play(shown="is asked twice", asked=2, outcome="done", moves=1), _of_risk("charging")),
)
"""The difficult ones, each with the service that tells its story best."""


def cast(services: Sequence[Entry], models: Sequence[Entry], cars: int) -> list[Role | str]:
    """One role for each car, or only a model for those that stand by; more cars than asked for where roles need them.

    Every service that some model supports is asked for once by an obedient car, then come the difficult ones. Models
    take turns.
    """
    used: Counter[str] = Counter()
    able = {s["name"]: [m["name"] for m in models if s["name"] in m["services"]] for s in services}
    played = [service for service in services if able[service["name"]]]
    wanted = [(ORDINARY, service) for service in played] + [(play, choose(played)) for play, choose in HARD]
    roles: list[Role | str] = []
    for play, service in wanted:
        model = _least_used(able[service["name"]], used)
        roles.append(_role(play, model, service))
    while len(roles) < cars:
        roles.append(_least_used([model["name"] for model in models], used))
    return roles


def _role(play: Play, model: str, service: Entry) -> Role:
    expires_in = None if play.expires_in is None else min(play.expires_in, service["ttl"])
    return Role(
        play=play, model=model, service=service["name"], params=example_params(service["params"]), expires_in=expires_in
    )


def _least_used(names: Sequence[str], used: Counter[str]) -> str:
    chosen = min(names, key=lambda name: used[name])
    used[chosen] += 1
    return chosen


def example_params(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that must be given and have no default, each with a value that its schema allows."""
    properties = schema.get("properties", {})
    needed = [name for name in schema.get("required", ()) if "default" not in properties.get(name, {})]
    return {name: example_of(properties.get(name, {})) for name in needed}


def example_of(schema: Mapping[str, Any]) -> Any:
    """A value that the schema of one parameter allows: its own example if it has one, else something in its middle."""
    for values in ([schema[word]] for word in ("default", "const") if word in schema):
        return values[0]
    for word in ("examples", "enum"):
        if schema.get(word):
            return schema[word][0]
    match schema.get("type"):
        case "boolean":
            return True
        case "integer" | "number":
            return _middle(schema)
        case "array":
            return [example_of(schema.get("items", {}))] * int(schema.get("minItems", 0))
        case "object":
            return example_params(schema)
        case _:
            text = str(schema.get("title", "demo"))
            return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", 80)]


def _middle(schema: Mapping[str, Any]) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 2))
    step = schema.get("multipleOf", 1 if schema["type"] == "integer" else None)
    middle = (low + high) / 2
    value: float = middle if step is None else round(middle / step) * step
    return int(value) if float(value).is_integer() else value


def faults(play: Play, command: Mapping[str, Any]) -> Iterator[str]:
    """How a command with its timeline (`GET /v1/commands/{id}`) differs from the end that the play demands."""
    for member in ("state", "reason", "outcome"):
        expected, found = getattr(play, member), command[member]
        if expected != found:
            yield f"{member} is {found or 'none'}, not {expected or 'none'}"
    waited = [hop["reason"] for hop in command["timeline"] if hop["state"] == "queued"]
    if play.waits is not None and play.waits not in waited:
        yield f"was never queued with reason {play.waits}"
