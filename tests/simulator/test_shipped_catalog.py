"""The simulated vehicle with the catalog that we ship."""

import json
from typing import Any

import pytest

from outrider.adapters.catalog_files import load
from outrider.simulator.messages import Topic
from outrider.simulator.vehicle import Say, Vehicle
from tests.contract import validator
from tests.simulator.garage import NOON, command

CATALOG = load()
PARAMS: dict[str, dict[str, Any]] = {
    "climate-start": {"temperature": 21.5, "duration": 600},
    "charge-limit": {"limit": 70},
    "destination-send": {"name": "Home", "latitude": 48.2, "longitude": 11.6},
}


@pytest.mark.parametrize("model", sorted(CATALOG.models))
def test_every_model_performs_all_its_services(model: str) -> None:
    """Each service of each model is executed, with a result that its schema allows and a state report that is valid."""
    vehicle = Vehicle("0UTR1DERS00000001", CATALOG.models[model], CATALOG.services, pace=0)
    vehicle.connected("session-1", NOON)
    for number, service in enumerate(CATALOG.models[model].services):
        params = CATALOG.complete_params(service, PARAMS.get(service, {}))
        assert CATALOG.check_params(service, params) == []

        said = [did for did in vehicle.receive(command(number, service, **params), NOON) if isinstance(did, Say)]

        *_, answer, report = said
        assert (answer.topic, report.topic) == (Topic.ANSWER, Topic.STATE)
        assert json.loads(answer.body)["status"] == "executed"
        validator("Answer").validate(json.loads(answer.body))
        validator("State").validate(json.loads(report.body))
        assert CATALOG.check_result(service, json.loads(answer.body).get("result")) == []
