"""The API's document: what it says is what the server does, and the other way round."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outrider.adapters.catalog_files import load
from outrider.adapters.openapi import openapi_document, openapi_template
from outrider.common.json_schema import Schema
from outrider.domain import errors
from outrider.domain.catalog import Catalog, Repeat, Risk, Service
from outrider.domain.lane import Presence
from outrider.domain.lifecycle import MEANING, State
from tests.adapters.little_platform import VIN, LittlePlatform

CONFIG = """
seed = 1
headers = {{ Authorization = "Bearer {token}" }}
[generation]
max-examples = 8
deterministic = true
with-security-parameters = false
database = "none"
[parameters]
vin = "{vin}"
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "403", "404", "409", "422"]
"""
# 403: it ends its own grants. 404: ids are guessed. 409: no vehicle can do everything. 422: cursors are guessed, and a
# grant must end in the future.


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(openapi_template(), load())


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[LittlePlatform]:
    platform = await LittlePlatform(tmp_path).furnish()
    yield platform
    platform.store.close()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method.upper(), path, operation


def test_every_path_and_method_is_described_and_every_description_is_served(
    document: dict[str, Any], platform: LittlePlatform
) -> None:
    """Routes, scopes and the document are one thing said twice."""
    served = {
        (operation.method, operation.path, operation.scope)
        for route in platform.app.routes
        for operation in route.endpoint.operations.values()  # type: ignore[attr-defined]
    }
    described = {
        (method, path, operation["security"][0]["token"][0] if operation["security"] else None)
        for method, path, operation in operations(document)
    }

    assert described == served


async def test_the_served_documents_are_the_built_ones(document: dict[str, Any], platform: LittlePlatform) -> None:
    """Anyone may read the contracts, without a token."""
    async with platform.client(token="") as anyone:
        assert (await anyone.get("/openapi.json")).json() == document
        contract = (await anyone.get("/asyncapi.json")).json()

    assert contract["asyncapi"].startswith("3.")


async def test_a_changed_catalog_changes_the_document(platform: LittlePlatform) -> None:
    """A service that was added while running is in the document at once."""
    async with platform.client(token="") as anyone:
        before = (await anyone.get("/openapi.json")).json()["components"]["schemas"]
        door_lock = platform.shipped.services["door-lock"]
        platform.shipped = Catalog({"door-lock": door_lock}, platform.shipped.models)
        after = (await anyone.get("/openapi.json")).json()["components"]["schemas"]

    assert "ask.climate-start" in before
    assert [name for name in after if name.startswith("ask.")] == ["ask.door-lock"]


def test_the_body_of_a_command_is_one_of_the_services(document: dict[str, Any]) -> None:
    """Each service brings its own parameters and its own longest time to the document."""
    schemas = document["components"]["schemas"]
    ask = Schema({"$ref": "#/components/schemas/Ask", "components": document["components"]})

    assert schemas["ask.charge-limit"]["required"] == ["service", "params"]
    assert ask.accepts({"service": "climate-start", "params": {"temperature": 21.5}, "expires_in": 300})
    assert ask.accepts({"service": "door-lock"})
    for wrong in (
        {"service": "fly"},
        {"service": "charge-limit"},
        {"service": "climate-start", "params": {"temperature": 99}},
        {"service": "climate-start", "params": {"limit": 80}},
        {"service": "climate-start", "expires_in": 301},
        {"service": "climate-start", "urgent": True},
    ):
        assert not ask.accepts(wrong)


def test_a_schema_that_refers_into_itself_still_does_in_the_document() -> None:
    """A reference in an operator's own service holds at the schema's place in the document."""
    params = {
        "type": "object",
        "additionalProperties": False,
        "$defs": {"level": {"type": "integer", "minimum": 1, "maximum": 3}},
        "properties": {"left": {"$ref": "#/$defs/level"}},
    }
    seat = Service(
        name="seat-heat", title="Heat", description="Heats.", risk=Risk.COMFORT, params=params, ttl=60, ack_within=5,
        finish_within=5, repeat=Repeat.NEVER,
    )  # fmt: skip
    document = openapi_document(openapi_template(), Catalog({"seat-heat": seat}, {}))
    ask = Schema({"$ref": "#/components/schemas/ask.seat-heat", "components": document["components"]})

    assert ask.accepts({"service": "seat-heat", "params": {"left": 3}})
    assert not ask.accepts({"service": "seat-heat", "params": {"left": 4}})


def test_the_documents_words_are_those_of_the_domain(document: dict[str, Any]) -> None:
    """States, risks and meanings are listed completely."""
    schemas = document["components"]["schemas"]

    assert schemas["State"]["enum"] == list(State)
    assert schemas["Risk"]["enum"] == list(Risk)
    assert schemas["Presence"]["enum"] == list(Presence)
    assert set(schemas["Command"]["properties"]["happened"]["enum"]) == {word for _, word in MEANING.values()}
    assert schemas["NewGrant"]["properties"]["risks"]["maxItems"] == len(Risk)
    assert schemas["NewVehicle"]["properties"]["model"]["enum"] == sorted(load().models)


def test_every_error_is_described_under_its_status(document: dict[str, Any]) -> None:
    """Whatever code a problem has, the document says where to expect it."""
    described: dict[str, str] = {}
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if "$ref" in answer:
                response = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                described[status] = response["description"]

    known = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, Exception)]
    missing = [e.code for e in known if e.code not in described.get(str(e.status), "") and e.status != 405]
    assert missing == []


@pytest.mark.parametrize("path", ["/v1/vehicles/{vin}/commands", "/v1/vehicles", "/v1/commands/{id}", "/v1/catalog"])
async def test_what_is_shown_has_the_described_members_and_no_others(
    document: dict[str, Any], platform: LittlePlatform, path: str
) -> None:
    """A member that is not described would be a promise that nobody made."""
    async with platform.client() as ada:
        made = await ada.post(f"/v1/vehicles/{VIN}/commands", json={"service": "vehicle-find"})
        shown = (await ada.get(path.format(vin=VIN, id=made.json()["id"]))).json()

    schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    sealed = {**schema, "components": document["components"]}
    assert undescribed(shown, schema, document) == []
    assert Schema(sealed).faults(shown) == []


def undescribed(value: Any, schema: Any, document: dict[str, Any]) -> list[str]:
    """The members of a value that its schema does not name."""
    properties = members(schema, document)
    if isinstance(value, list):
        return [name for item in value for name in undescribed(item, resolved(schema, document)["items"], document)]
    if not isinstance(value, dict) or not properties:
        return []
    inner = (undescribed(value[name], properties[name], document) for name in value if name in properties)
    return [name for name in value if name not in properties] + [name for names in inner for name in names]


def members(schema: Any, document: dict[str, Any]) -> dict[str, Any]:
    schema = resolved(schema, document)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= members(part, document)
    return found


def resolved(schema: Any, document: dict[str, Any]) -> Any:
    place = schema.get("$ref")
    return resolved(document["components"]["schemas"][place.rpartition("/")[2]], document) if place else schema


def on_loop(app: ASGIApp, home: asyncio.AbstractEventLoop) -> ASGIApp:
    """The application for callers in other threads, run where the store is."""

    async def forward(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        away = asyncio.get_running_loop()

        async def receive_there() -> Message:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(receive(), away))  # type: ignore[arg-type]

        async def send_there(message: Message) -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(send(message), away))  # type: ignore[arg-type]

        answering = app(scope, receive_there, send_there)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(answering, home))  # type: ignore[arg-type]

    return forward


async def test_the_server_answers_as_the_document_says(platform: LittlePlatform) -> None:
    """A thousand requests, right and wrong, alone and in sequence: no 5xx, and no answer that is not described."""
    platform.obedient = True
    config = CONFIG.format(token=platform.token("ada", "commands admin"), vin=VIN)
    app = on_loop(platform.app, asyncio.get_running_loop())

    answers, failures = await asyncio.to_thread(exercise, app, config)

    assert failures == []
    asked = ("POST /v1/vehicles/{vin}/commands", 202), ("GET /v1/commands/{id}", 200), ("POST /v1/admin/vehicles", 201)
    assert answers.issuperset(asked)


def exercise(app: ASGIApp, config: str) -> tuple[set[tuple[str, int]], list[str]]:
    """Which operations answered with which status, and all that was not as described."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=SchemathesisConfig.from_str(config))
    schema.validate()
    answers: set[tuple[str, int]] = set()
    failures: list[str] = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            failures.append(str(event))
        if isinstance(event, events.ScenarioFinished):
            for case, interaction in event.recorder.interactions.items():
                if interaction.response is not None:
                    answers.add((event.recorder.label, interaction.response.status_code))
                failures += [failure for check in event.recorder.checks.get(case, ()) if (failure := told(check))]
    return answers, failures


def told(check: Any) -> str | None:
    """What a failed check says."""
    info = check.failure_info
    return None if info is None else f"{check.name}: {info.failure.message}\n{info.code_sample}"
