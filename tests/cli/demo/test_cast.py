"""Who plays in the demo, and when a command ended as its car's behaviour demands."""

from collections import Counter
from typing import Any

import pytest

from outrider.adapters.api.views import catalog as catalog_view
from outrider.adapters.catalog_files import load
from outrider.cli.demo.cast import HARD, ORDINARY, Role, cast, example_of, example_params, faults
from outrider.simulator.behaviour import BEHAVIOURS

CATALOG = load()
SHOWN = catalog_view(CATALOG)
ROLES = cast(SHOWN["services"], SHOWN["models"], 25)


def test_every_service_is_asked_for_by_a_car_that_obeys() -> None:
    """Once each, taken from the catalog; a new service file plays along by itself."""
    asked = [role.service for role in ROLES if isinstance(role, Role) and role.play is ORDINARY]

    assert sorted(asked) == sorted(CATALOG.services)


def test_every_car_can_do_what_it_is_asked_for() -> None:
    """And what it is asked for is something that the catalog allows."""
    for role in ROLES:
        if isinstance(role, Role):
            assert CATALOG.supports(role.model, role.service)
            params = CATALOG.complete_params(role.service, role.params)
            assert CATALOG.check_params(role.service, params) == []


def test_the_cars_are_of_many_models_and_as_many_as_asked_for() -> None:
    """Models take turns; cars without a role stand by."""
    models = Counter(role.model if isinstance(role, Role) else role for role in ROLES)

    assert len(ROLES) == 25
    assert set(models) == set(CATALOG.models)
    assert len(cast(SHOWN["services"], SHOWN["models"], 1)) == len(CATALOG.services) + len(HARD)


def test_a_new_service_plays_along() -> None:
    """It needs no more than its file in the catalog, and a model that has it."""
    honk = {"name": "fog-lights", "risk": "attention", "ttl": 5, "finish_within": 90, "params": {"type": "object"}}
    model = {**SHOWN["models"][0], "services": ("fog-lights",)}
    roles = cast([*SHOWN["services"], honk], [*SHOWN["models"], model], 25)

    assert [r.model for r in roles if isinstance(r, Role) and r.service == "fog-lights"] == [model["name"]]


def test_every_difficult_car_is_one_that_the_simulator_has() -> None:
    """A behaviour that there is not would be found only in the middle of the demo."""
    assert {play.behaviour for play, _ in HARD} <= set(BEHAVIOURS)


def test_the_silent_one_is_given_up_soon() -> None:
    """Its deadline is what everybody waits for, so it has the least patient service and an early expiry."""
    [silent] = [role for role in ROLES if isinstance(role, Role) and role.play.behaviour == "silent"]

    assert silent.expires_in is not None
    assert silent.expires_in + CATALOG.services[silent.service].finish_within < 20


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "minimum": 50, "maximum": 100}, 75),
        ({"type": "number", "minimum": 16, "maximum": 28, "multipleOf": 0.5}, 22),
        ({"type": "number", "minimum": -90, "maximum": 90}, 0),
        ({"type": "string", "title": "Name", "minLength": 1, "maxLength": 80}, "Name"),
        ({"type": "string", "title": "Name", "maxLength": 2}, "Na"),
        ({"type": "string", "enum": ["left", "right"]}, "left"),
        ({"type": "string", "examples": ["Home"]}, "Home"),
        ({"type": "boolean"}, True),
        ({"type": "integer", "default": 5}, 5),
        ({"const": 3}, 3),
        ({"type": "array", "minItems": 2, "items": {"type": "boolean"}}, [True, True]),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}}}, {"a": True}),
    ],
)
def test_a_parameter_gets_a_value_that_its_schema_allows(schema: dict[str, Any], value: Any) -> None:
    """Its own example where it has one, else something in its middle."""
    assert example_of(schema) == value


def test_only_what_must_be_given_is_given() -> None:
    """The platform fills in the defaults of the others."""
    schema = {"required": ["a", "b"], "properties": {"a": {"default": 1}, "b": {"type": "boolean"}, "c": {}}}

    assert example_params(schema) == {"b": True}


def _command(**differs: Any) -> dict[str, Any]:
    return {"state": "executed", "reason": None, "outcome": "done", "timeline": [], **differs}


def test_an_end_that_was_demanded_has_no_faults() -> None:
    """For an ordinary car: executed, done."""
    assert list(faults(ORDINARY, _command())) == []


def test_another_end_is_a_fault_in_words() -> None:
    """Each member that differs is named."""
    assert list(faults(ORDINARY, _command(state="failed", reason="actuator_fault", outcome=None))) == [
        "state is failed, not executed",
        "reason is actuator_fault, not none",
        "outcome is none, not done",
    ]


def test_the_right_end_by_the_wrong_way_is_a_fault_too() -> None:
    """A car that was offline has its command queued for that reason, or something is not as it seems."""
    [(later, _)] = [(play, choose) for play, choose in HARD if play.shown == "comes later"]
    queued = {"state": "queued", "reason": "vehicle_offline"}

    assert list(faults(later, _command())) == ["was never queued with reason vehicle_offline"]
    assert list(faults(later, _command(timeline=[queued]))) == []
