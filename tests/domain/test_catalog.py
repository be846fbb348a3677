"""What the catalog says of a parameter, a result, a model, and what a service does to a vehicle's signals."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.domain.catalog import Catalog, Complaint, Model, Powertrain, Repeat, Risk, Service, Signal, fill_in
from outrider.domain.catalog_rules import Draft, model_faults, service_faults

WARMTH: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["seat"],
    "properties": {
        "seat": {"enum": ["driver", "passenger"]},
        "temperature": {"type": "number", "minimum": 16, "maximum": 28, "default": 21, "x-unit": "degrees Celsius"},
        "duration": {"type": "integer", "minimum": 60, "maximum": 1800, "default": 600, "x-unit": "seconds"},
        "rows": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
    },
}
POSITION = {
    "type": "object",
    "required": ["latitude"],
    "properties": {"latitude": {"type": "number", "minimum": -90, "maximum": 90}},
}


def a_service(name: str = "seat-warm", **fields: Any) -> Service:
    """A service with two defaults, unless told otherwise."""
    said: dict[str, Any] = {
        "title": "Warm a seat",
        "description": "Warms one seat.",
        "risk": Risk.COMFORT,
        "params": WARMTH,
        "ttl": 60,
        "ack_within": 5,
        "finish_within": 10,
        "repeat": Repeat.IF_DEDUPLICATING,
    }
    return Service(name=name, **(said | fields))


def a_model(*services: str, **fields: Any) -> Model:
    """A model that supports these services."""
    said: dict[str, Any] = {"title": "Wren", "powertrain": Powertrain.ELECTRIC, "state_every": 60}
    return Model(name="wren", services=services, **(said | fields))


def a_catalog(*services: Service, models: tuple[Model, ...] = ()) -> Catalog:
    """A catalog of these."""
    return Catalog({s.name: s for s in services}, {m.name: m for m in models})


def check(params: Any) -> list[Complaint]:
    """What is wrong with these parameters of seat-warm."""
    return a_catalog(a_service()).check_params("seat-warm", params)


def test_parameters_left_out_have_their_defaults() -> None:
    """What is stored and sent is whole; what the caller said stands."""
    complete = a_catalog(a_service()).complete_params("seat-warm", {"seat": "driver", "duration": 60})

    assert complete == {"temperature": 21, "duration": 60, "seat": "driver"}


@pytest.mark.parametrize(
    ("params", "complaints"),
    [
        ({"seat": "driver"}, []),
        ({"seat": "driver", "temperature": 30}, [("params.temperature", "must be at most 28 (degrees Celsius)")]),
        ({"seat": "driver", "duration": "10"}, [("params.duration", "must be a whole number (seconds)")]),
        ({"seat": "driver", "rows": [1, "x"]}, [("params.rows[1]", "must be a whole number")]),
        ({}, [("params.seat", "is required")]),
        (
            {"seat": "driver", "heat": 1},
            [("params.heat", "is not known; known here: seat, temperature, duration, rows")],
        ),
        ([], [("params", "must be an object")]),
    ],
)
def test_a_complaint_names_the_parameter_and_what_to_write(params: Any, complaints: list[tuple[str, str]]) -> None:
    """Field, rule and unit, in words that an app's developer can act on."""
    assert check(params) == [Complaint(field, message) for field, message in complaints]


SOME_PARAMS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from([*WARMTH["properties"], "other"]),
    st.sampled_from(["driver", "x", 15.9, 16, 21, 28, 28.1, 60, 600.0, 1801, True, None, [1], [1, 2, 3], {}]),
)


@given(SOME_PARAMS)
def test_parameters_pass_exactly_where_their_schema_says_so(params: dict[str, Any]) -> None:
    """There are no complaints if and only if the parameters fit the schema."""
    assert (check(params) == []) == jsonschema_rs.is_valid(WARMTH, params)


@given(SOME_PARAMS)
def test_completing_adds_and_changes_nothing_else(params: dict[str, Any]) -> None:
    """What the caller gave stays, and what fitted before fits after."""
    catalog = a_catalog(a_service())

    complete = catalog.complete_params("seat-warm", params)

    assert complete | params == complete
    assert catalog.check_params("seat-warm", params) or not catalog.check_params("seat-warm", complete)


def test_a_result_is_checked_where_the_service_has_one() -> None:
    """A position needs its latitude; what the vehicle adds to it is tolerated."""
    catalog = a_catalog(a_service(result=POSITION), a_service("horn-blow"))

    assert catalog.check_result("seat-warm", {"latitude": 48.1, "heading": 3}) == []
    assert catalog.check_result("seat-warm", {}) == [Complaint("result.latitude", "is required")]
    assert catalog.check_result("seat-warm", None) == [Complaint("result", "must be an object")]
    assert catalog.check_result("horn-blow", None) == []
    assert catalog.check_result("horn-blow", {"a": 1}) == [Complaint("result", "must be null")]


def test_no_complaint_repeats_a_position() -> None:
    """Complaints are logged, and positions are not."""
    complaints = a_catalog(a_service(result=POSITION)).check_result("seat-warm", {"latitude": 123.456})

    assert [c.message for c in complaints] == ["must be at most 90"]


def test_a_model_supports_what_it_names() -> None:
    """A service or a model that the catalog does not know is simply not supported."""
    catalog = a_catalog(a_service(), models=(a_model("seat-warm"),))

    assert catalog.supports("wren", "seat-warm")
    assert not catalog.supports("wren", "horn-blow")
    assert not catalog.supports("dodo", "seat-warm")


def test_law_11_the_terms_hold_all_that_a_command_was_promised() -> None:
    """Every field of the promise is taken from the service, so that a later change of the catalog touches nothing."""
    service = a_service(conflicts=("seat-cool",), verify={"Vehicle.Speed": 0})

    terms = service.terms

    assert {field: getattr(terms, field) for field in terms.__struct_fields__} == {
        "risk": Risk.COMFORT,
        "ttl": 60,
        "ack_within": 5,
        "finish_within": 10,
        "repeat": Repeat.IF_DEDUPLICATING,
        "conflicts": ("seat-cool",),
        "verify": {"Vehicle.Speed": 0},
    }


def test_values_may_come_from_parameters_and_signals() -> None:
    """A reference is replaced by what it names; anything else stands for itself."""
    values = {"a": {"param": "level"}, "b": {"signal": "Vehicle.Speed"}, "c": 0}

    assert fill_in(values, {"level": 3}, {"Vehicle.Speed": 12.5}) == {"a": 3, "b": 12.5, "c": 0}


def test_a_vehicle_sets_only_signals_that_it_has() -> None:
    """A van has no rear doors to lock."""
    service = a_service(effects={"Front": True, "Rear": True, "Level": {"param": "temperature"}})

    assert service.effects_of({"temperature": 20}, has={"Front": False, "Level": 0}) == {"Front": True, "Level": 20}


def test_only_a_service_with_a_result_answers_with_one() -> None:
    """A finder says where it is; a horn says nothing."""
    finder = a_service(result=POSITION, answers={"latitude": {"signal": "Lat"}})

    assert finder.result_of({}, {"Lat": 48.1}) == {"latitude": 48.1}
    assert a_service().result_of({}, {"Lat": 48.1}) is None


SIGNALS = {
    "Heat": Signal(name="Heat", type="actuator", datatype="uint8", description="-", max=100),
    "On": Signal(name="On", type="actuator", datatype="boolean", description="-"),
    "Mode": Signal(name="Mode", type="actuator", datatype="string", description="-", allowed=("ECO", "MAX")),
}


def faults_of(*services: Service, model: Model | None = None) -> list[tuple[tuple[str | int, ...], str]]:
    """What is wrong with the last of these services, or with the model, in a catalog of all."""
    known = {s.name: s for s in services}
    draft = Draft(services=known, models={}, signals=SIGNALS, known_services=known.keys())
    faults = model_faults(model, draft) if model else service_faults(services[-1], draft)
    return [(fault.path, fault.message) for fault in faults]


def with_param(name: str, **schema: Any) -> dict[str, Any]:
    """A schema of parameters with this one."""
    return {"type": "object", "additionalProperties": False, "properties": {name: schema}}


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"params": with_param("a", type="integr")}, ("params", "properties", "a", "type"), "is not JSON Schema"),
        ({"params": with_param("a", pattern="(")}, ("params", "properties", "a", "pattern"), "is not JSON Schema"),
        ({"params": with_param("a", maximum=3, default=5)}, ("params", "properties", "a", "default"), "at most 3"),
        ({"params": WARMTH | {"required": ["seet"]}}, ("params", "required", 0), "no parameter seet"),
        ({"conflicts": ("seat-wram",)}, ("conflicts", 0), "there is no service seat-wram; there are: seat-warm"),
        ({"verify": {"Hat": 1}}, ("verify", "Hat"), "Hat is in no vss.yaml or vss-overlay.yaml"),
        ({"effects": {"Heat": 101}}, ("effects", "Heat"), "must be at most 100"),
        ({"effects": {"Heat": -1}}, ("effects", "Heat"), "must be at least 0"),
        ({"effects": {"On": "yes"}}, ("effects", "On"), "must be true or false"),
        ({"effects": {"Mode": "ECHO"}}, ("effects", "Mode"), "must be one of ECO, MAX"),
        ({"effects": {"Heat": {"param": "heat"}}}, ("effects", "Heat", "param"), "there is no parameter heat"),
        ({"verify": {"Heat": {"param": "rows"}}}, ("verify", "Heat", "param"), "rows may be absent"),
        ({"result": POSITION, "answers": {"lat": 1, "latitude": 1}}, ("answers", "lat"), "no such member"),
        ({"result": POSITION, "answers": {}}, ("answers",), "lacks latitude"),
        ({"result": POSITION, "answers": {"latitude": {"signal": "Lat"}}}, ("answers", "latitude", "signal"), "Lat is"),
    ],
)
def test_a_service_that_would_mislead_is_refused(fields: Any, path: tuple[str | int, ...], message: str) -> None:
    """Each rule finds its mistake, at its place, and nothing else."""
    [(found, told)] = faults_of(a_service(**fields))

    assert found == path
    assert message in told


def test_a_default_may_refer_to_a_definition() -> None:
    """A parameter's schema may lean on the definitions beside it."""
    params = with_param("a", **{"$ref": "#/$defs/small", "default": 9}) | {"$defs": {"small": {"maximum": 3}}}

    assert faults_of(a_service(params=params)) == [(("params", "properties", "a", "default"), "must be at most 3")]


@pytest.mark.parametrize(
    ("model", "path", "message"),
    [
        (a_model("seat-wram"), ("services", 0), "there is no service seat-wram"),
        (a_model("seat-warm", signals={"Heat": 300, "On": True}), ("signals", "Heat"), "must be at most 100"),
        (a_model("seat-warm", signals={"On": True, "Of": True}), ("signals", "Of"), "Of is in no vss.yaml"),
        (a_model("seat-warm", signals={"Heat": 3}), ("services", 0), "seat-warm is verified by On"),
        (a_model("mode-tell", signals={"Heat": 3}), ("services", 0), "mode-tell answers with Mode"),
    ],
)
def test_a_model_that_would_mislead_is_refused(model: Model, path: tuple[str | int, ...], message: str) -> None:
    """Each rule finds its mistake, at its place, and nothing else."""
    warm = a_service(verify={"On": True})
    tell = a_service("mode-tell", result=POSITION, answers={"latitude": {"signal": "Mode"}})

    [(found, told)] = faults_of(warm, tell, model=model)

    assert found == path
    assert message in told
