"""The HTTP API on a real store: what it promises, and each way in which it says no."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import uvicorn

from outrider.adapters.api import call
from outrider.domain.catalog import Risk
from outrider.domain.messages import DeadLetter, TimePassed
from outrider.services.needs import StoreUnavailable
from tests.adapters.little_platform import OLD_CARS_VIN, STRANGERS_VIN, VIN, LittlePlatform

COMMANDS = f"/v1/vehicles/{VIN}/commands"
PREHEAT = {"service": "climate-start", "params": {"temperature": 22}}
FIND = {"service": "vehicle-find"}
UNKNOWN_ID = "01920000-0000-7000-8000-000000000000"


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[LittlePlatform]:
    platform = await LittlePlatform(tmp_path).furnish()
    yield platform
    platform.store.close()


@pytest.fixture
async def ada(platform: LittlePlatform) -> AsyncIterator[httpx.AsyncClient]:
    async with platform.client() as client:
        yield client


@pytest.fixture
async def admin(platform: LittlePlatform) -> AsyncIterator[httpx.AsyncClient]:
    async with platform.client(token=platform.token("root", "admin")) as client:
        yield client


async def asked(client: httpx.AsyncClient, body: Any = PREHEAT, vin: str = VIN, **headers: str) -> dict[str, Any]:
    """A command that was accepted."""
    answer = await client.post(f"/v1/vehicles/{vin}/commands", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    command: dict[str, Any] = answer.json()
    return command


async def decided(platform: LittlePlatform, client: httpx.AsyncClient, command: dict[str, Any]) -> dict[str, Any]:
    """The command after processing has looked at it."""
    shown: dict[str, Any] = (await client.get(f"/v1/commands/{command['id']}")).json()
    return shown


# asking


async def test_an_accepted_command_is_on_disk_and_has_an_address(ada: httpx.AsyncClient) -> None:
    """202 brings the command, its defaults filled in and its two times set, and says where it is found."""
    answer = await ada.post(COMMANDS, json={"service": "climate-start", "expires_in": 60})

    command = answer.json()
    assert answer.status_code == 202
    assert command["params"] == {"temperature": 21, "duration": 600}
    assert (command["state"], command["happened"], command["settled"]) == ("accepted", "no", False)
    assert answer.headers["location"] == f"/v1/commands/{command['id']}"
    assert (await ada.get(answer.headers["location"])).json()["id"] == command["id"]


async def test_a_repeated_request_is_answered_with_its_first_command(platform: LittlePlatform) -> None:
    """With an idempotency key a request can be repeated freely; also while the bus is down."""
    async with platform.client() as ada:
        first = await asked(ada, FIND, **{"Idempotency-Key": "k-1"})
        platform.connected = False
        again = await ada.post(COMMANDS, json=FIND, headers={"Idempotency-Key": "k-1"})

    assert (again.status_code, again.json()["id"]) == (202, first["id"])
    assert again.headers["idempotency-replayed"] == "true"
    assert len(await platform.store.commands(VIN, list(Risk), 99, 9, None, None)) == 1


async def test_two_at_once_with_one_key_make_one_command(ada: httpx.AsyncClient) -> None:
    """A race of two requests with the same key is decided by the store."""
    answers = await asyncio.gather(*(ada.post(COMMANDS, json=FIND, headers={"Idempotency-Key": "k"}) for _ in range(8)))

    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


async def test_who_prefers_to_wait_gets_the_settled_command(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """`Prefer: wait` answers when the car has."""

    async def car() -> None:
        while not platform.dispatched:
            await asyncio.sleep(0.005)
        await platform.answers(platform.dispatched[0].command_id, "executed", result={"latitude": 1.5, "longitude": 2})

    driving = asyncio.create_task(car())
    answer = await ada.post(COMMANDS, json=FIND, headers={"Prefer": "respond-async, wait=20"})
    await driving

    assert answer.headers["preference-applied"] == "wait=20"
    assert (answer.status_code, answer.json()["state"], answer.json()["outcome"]) == (202, "executed", "done")
    assert answer.json()["result"] == {"latitude": 1.5, "longitude": 2}


async def test_who_waits_in_vain_gets_the_command_as_it_is(ada: httpx.AsyncClient) -> None:
    """After the wait the answer is still 202, with the state of now."""
    answer = await ada.post(COMMANDS, json=PREHEAT, headers={"Prefer": "wait=1"})

    assert (answer.status_code, answer.json()["state"]) == (202, "sent")


@pytest.mark.parametrize(("prefer", "applied"), [("wait=0", None), ("wait=soon", None), ("wait=999", "wait=60")])
async def test_a_preference_is_no_condition(
    platform: LittlePlatform, ada: httpx.AsyncClient, prefer: str, applied: str | None
) -> None:
    """What is not understood is ignored, what is too long is cut."""
    await platform.goes("offline")
    platform.deciding = False
    waiting = asyncio.create_task(ada.post(COMMANDS, json=PREHEAT, headers={"Prefer": prefer}))
    await asyncio.sleep(0.05)
    platform.ahead = 61.0

    assert (await waiting).headers.get("preference-applied") == applied


async def test_a_failing_wait_does_not_hide_that_it_was_accepted(platform: LittlePlatform) -> None:
    """Once a command is stored the answer is 202, whatever breaks while waiting."""

    async def settled(*_: object) -> None:
        raise ConnectionError

    platform.creation.settled = settled  # type: ignore[assignment,method-assign]
    async with platform.client() as ada:
        answer = await ada.post(COMMANDS, json=PREHEAT, headers={"Prefer": "wait=5"})

    assert (answer.status_code, answer.json()["service"]) == (202, "climate-start")


async def test_a_command_is_part_of_its_callers_trace(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """What goes to the car names the caller's trace, and a span of its own."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    command = await asked(ada, PREHEAT, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    await decided(platform, ada, command)

    version, trace_id, span, flags = platform.dispatched[0].traceparent.split("-")
    assert (version, trace_id, flags) == ("00", trace, "01")
    assert span != "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
    ],
)
async def test_a_trace_that_cant_be_read_is_replaced(ada: httpx.AsyncClient, traceparent: str) -> None:
    """Every problem has a trace id that can be looked up, whatever the caller sent."""
    answer = await ada.get("/v1/nothing", headers={"traceparent": traceparent})

    assert len(answer.json()["trace_id"]) == 32
    assert answer.json()["trace_id"] not in ("0" * 32, "4bf92f3577b34da6a3ce929d0e0e4736")


# saying no: one problem for each mistake


NO: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown VIN": ({"url": "/v1/vehicles/W0UTR1DER00009999/commands"}, 404, "vehicle_unknown"),
    "no VIN at all": ({"url": "/v1/vehicles/mine/commands"}, 404, "vehicle_unknown"),
    "not yours": ({"url": f"/v1/vehicles/{STRANGERS_VIN}/commands"}, 403, "not_your_vehicle"),
    "unknown service": ({"json": {"service": "fly"}}, 404, "service_unknown"),
    "unsupported service": (
        {"url": f"/v1/vehicles/{OLD_CARS_VIN}/commands", "json": PREHEAT},
        409,
        "service_unsupported",
    ),
    "risk not granted": (
        {"url": f"/v1/vehicles/{OLD_CARS_VIN}/commands", "json": {"service": "horn-blow"}},
        403,
        "not_your_vehicle",
    ),
    "parameter out of range": (
        {"json": {"service": "climate-start", "params": {"temperature": 99}}},
        422,
        "wrong_parameter",
    ),
    "expires too late": ({"json": {**PREHEAT, "expires_in": 1e6}}, 422, "wrong_parameter"),
    "expires at once": ({"json": {**PREHEAT, "expires_in": 0}}, 422, "wrong_parameter"),
    "service is no text": ({"json": {"service": 7}}, 422, "wrong_parameter"),
    "not an object": ({"json": []}, 422, "wrong_parameter"),
    "bad JSON": ({"json": None, "content": b'{"service": '}, 400, "malformed_request"),
    "empty": ({"json": None, "content": b""}, 400, "malformed_request"),
    "not UTF-8": ({"json": None, "content": b'{"service": "\xff"}'}, 400, "malformed_request"),
    "lone surrogate": ({"json": None, "content": b'{"service": "\\ud800"}'}, 400, "malformed_request"),
    "nested too deeply": (
        {"json": None, "content": b'{"service":"a","params":{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}}"},
        400,
        "malformed_request",
    ),
    "wrong media type": ({"headers": {"content-type": "text/plain"}}, 415, "wrong_media_type"),
    "compressed": ({"headers": {"content-encoding": "gzip"}}, 415, "wrong_media_type"),
    "idempotency key with a space": ({"headers": {"idempotency-key": "a b"}}, 400, "malformed_request"),
    "empty idempotency key": ({"headers": {"idempotency-key": ""}}, 400, "malformed_request"),
    "long idempotency key": ({"headers": {"idempotency-key": "k" * 129}}, 400, "malformed_request"),
    "body too large": ({"json": None, "content": b" " * 65_537}, 413, "too_large"),
    "no token": ({"token": ""}, 401, "token_missing"),
    "wrong token": ({"token": "a.b.c"}, 401, "token_invalid"),
    "no bearer": ({"headers": {"authorization": "Basic YTpi"}}, 401, "token_invalid"),
    "missing scope": ({"scopes": "admin"}, 403, "scope_missing"),
    "expired token": ({"ttl": -1.0}, 401, "token_expired"),
    "unknown path": ({"url": "/v1/vehicle"}, 404, "not_found"),
    "slash at the end": ({"url": f"{COMMANDS}/"}, 404, "not_found"),
    "wrong method": ({"method": "PUT"}, 405, "method_not_allowed"),
}


@pytest.mark.parametrize(("request_", "status", "code"), NO.values(), ids=NO.keys())
async def test_each_mistake_has_its_own_problem(
    platform: LittlePlatform, request_: dict[str, Any], status: int, code: str
) -> None:
    """A problem document says what is wrong and what to do; nothing was stored and nothing left."""
    said = {"method": "POST", "url": COMMANDS, "json": PREHEAT} | request_
    token = said.pop("token", platform.token(scopes=said.pop("scopes", "commands"), ttl=said.pop("ttl", 60.0)))
    headers = {"content-type": "application/json", **said.pop("headers", {})}
    async with platform.client(token=token) as client:
        answer = await client.request(headers=headers, **said)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["type"], problem["status"]) == (f"/problems/{code}", status)
    assert problem["title"]
    assert problem["detail"].endswith((".", "`"))
    assert (problem["retryable"], problem["may_have_happened"]) == (False, False)
    assert ("www-authenticate" in answer.headers) == (status == 401 or code == "scope_missing")
    assert platform.dispatched == []
    assert await platform.store.commands(VIN, list(Risk), 99, 9, None, None) == []


async def test_a_reused_idempotency_key_is_refused(ada: httpx.AsyncClient) -> None:
    """The same key with another request is a mistake of the caller."""
    await asked(ada, PREHEAT, **{"Idempotency-Key": "k"})

    answer = await ada.post(COMMANDS, json=FIND, headers={"Idempotency-Key": "k"})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"service": "climate-start", "param": {}}, "param"),
        ({"params": {}}, "service"),
        ({"service": "climate-start", "params": []}, "params"),
        ({"service": "climate-start", "params": {"temprature": 20}}, "params.temprature"),
        ({"service": "charge-limit"}, "params.limit"),
        ({"service": "climate-start", "expires_in": "1"}, "expires_in"),
    ],
)
async def test_what_is_wrong_in_a_body_is_named(ada: httpx.AsyncClient, body: Any, field: str) -> None:
    """Each complaint names the member, also one that is not known."""
    answer = await ada.post(COMMANDS, json=body)

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_a_wrong_method_is_told_the_right_ones(ada: httpx.AsyncClient) -> None:
    """405 lists what the path knows, all of it."""
    assert (await ada.put(COMMANDS)).headers["allow"] == "GET, HEAD, POST"


async def test_two_tokens_are_none(platform: LittlePlatform) -> None:
    """A request with two Authorization headers is not guessed at."""
    good = ("Authorization", f"Bearer {platform.token()}")
    async with platform.client(token="") as client:
        assert (await client.get("/v1/vehicles", headers=[good])).status_code == 200
        answer = await client.get("/v1/vehicles", headers=[good, good])

    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


async def test_a_token_in_the_query_is_not_a_token(platform: LittlePlatform) -> None:
    """Addresses end up in logs, so a token is taken from its header only."""
    async with platform.client(token="") as client:
        answer = await client.get(f"/v1/vehicles?access_token={platform.token()}")

    assert answer.json()["code"] == "token_missing"


async def test_while_the_bus_is_down_only_patient_commands_are_accepted(
    platform: LittlePlatform, ada: httpx.AsyncClient
) -> None:
    """A command that could wait out an outage gets its 202, another a 503 that says when to try again."""
    platform.connected = platform.deciding = False

    patient = await ada.post(COMMANDS, json=PREHEAT)
    hasty = await ada.post(COMMANDS, json={"service": "vehicle-find"})

    assert patient.status_code == 202
    assert (hasty.status_code, hasty.json()["retryable"], hasty.json()["may_have_happened"]) == (503, True, False)
    assert int(hasty.headers["retry-after"]) > 0


async def test_a_failing_store_is_told_honestly(platform: LittlePlatform) -> None:
    """Where the database fails we cannot know whether it was stored, and say so."""

    async def accept(*_: object) -> None:
        raise StoreUnavailable("disk I/O error")

    platform.store.accept = accept  # type: ignore[assignment,method-assign]
    async with platform.client() as ada:
        answer = await ada.post(COMMANDS, json=PREHEAT)

    assert (answer.status_code, answer.json()["may_have_happened"], answer.json()["retryable"]) == (503, True, True)


async def test_our_own_fault_is_logged_without_a_vin_and_told_without_a_traceback(platform: LittlePlatform) -> None:
    """A fault gives a problem with a trace id; the log has that id and the place, but neither VIN nor token."""

    async def accept(*_: object) -> None:
        raise KeyError(VIN)

    platform.store.accept = accept  # type: ignore[assignment,method-assign]
    async with platform.client() as ada:
        with structlog.testing.capture_logs() as logs:
            answer = await ada.post(COMMANDS, json=PREHEAT)

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["may_have_happened"]) == (500, "internal", True)
    assert "Traceback" not in answer.text
    assert logs[0]["trace_id"] == problem["trace_id"]
    assert VIN not in str(logs)
    assert "Bearer" not in str(logs)


# following


async def test_a_timeline_tells_whose_time_it_took(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """Each hop has its place in time, and backend and vehicle are told apart."""
    command = await decided(platform, ada, await asked(ada))
    for status, after in (("received", 1.0), ("executing", 1.5), ("executed", 3.0)):
        platform.ahead = after
        await platform.answers(command["id"], status)

    shown = (await ada.get(f"/v1/commands/{command['id']}")).json()

    assert [(hop["what"], hop["by"]) for hop in shown["timeline"]] == [
        ("accepted", "backend"),
        ("sent", "backend"),
        ("delivered", "vehicle"),
        ("executing", "vehicle"),
        ("executed", "vehicle"),
    ]
    assert [round(hop["after"]) for hop in shown["timeline"]] == [0, 0, 1, 2, 3]
    assert (shown["settled"], shown["final"], shown["happened"]) == (True, True, "it did")
    seconds = shown["seconds"]
    assert seconds["total"] == pytest.approx(seconds["backend"] + seconds["vehicle"], abs=0.001)
    assert seconds["vehicle"] == pytest.approx(3, abs=0.3)
    assert seconds["backend"] < 0.3


async def test_an_unconfirmed_command_is_final_after_a_day(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """Unconfirmed is settled, and open to late answers for 24 h: it may have happened, and stays so."""
    command = await decided(platform, ada, await asked(ada, FIND))
    platform.ahead = 300.0
    await platform.happens(TimePassed(vin=VIN))
    soon = (await ada.get(f"/v1/commands/{command['id']}")).json()
    platform.ahead = 25 * 3600.0
    async with platform.client(token=platform.token(ttl=26 * 3600.0)) as later:
        late = (await later.get(f"/v1/commands/{command['id']}")).json()

    assert (soon["state"], soon["settled"], soon["final"]) == ("unconfirmed", True, False)
    assert (late["final"], late["happened"]) == (True, "perhaps")


async def test_only_grant_holders_see_a_command(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """A command and its result are for those with a grant for its risk, whoever asked for it."""
    command = await asked(ada, FIND)
    await platform.registry.add_grant(VIN, "bob", [Risk.ACCESS], None, "test")

    async with platform.client(token=platform.token("bob")) as bob:
        refused = await bob.get(f"/v1/commands/{command['id']}")
        listed = await bob.get(COMMANDS)

    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_vehicle")
    assert listed.json() == {"items": [], "next": None}


async def test_an_unknown_command_is_not_found(ada: httpx.AsyncClient) -> None:
    """An id that nobody was given leads nowhere."""
    for method in ("GET", "DELETE"):
        answer = await ada.request(method, f"/v1/commands/{UNKNOWN_ID}")
        assert (answer.status_code, answer.json()["code"]) == (404, "command_unknown")


# cancelling


async def test_a_command_that_did_not_leave_is_cancelled(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """What waits for an offline car can be withdrawn, and certainly never happens."""
    await platform.goes("offline")
    command = await decided(platform, ada, await asked(ada))
    assert (command["state"], command["reason"]) == ("queued", "vehicle_offline")

    answer = await ada.delete(f"/v1/commands/{command['id']}")

    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert answer.json()["happened"] == "certainly not"
    assert (await ada.delete(f"/v1/commands/{command['id']}")).status_code == 200


async def test_what_was_sent_can_not_be_withdrawn(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """It may have happened, and the problem says so."""
    command = await decided(platform, ada, await asked(ada))

    answer = await ada.delete(f"/v1/commands/{command['id']}")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_late_to_cancel")
    assert answer.json()["may_have_happened"] is True


@pytest.mark.parametrize(("status", "happened"), [("executed", True), ("rejected", False), ("failed", True)])
async def test_what_has_settled_stays(
    platform: LittlePlatform, ada: httpx.AsyncClient, status: str, happened: bool
) -> None:
    """Cancelling a settled command says that it is settled, and whether it happened."""
    command = await decided(platform, ada, await asked(ada))
    await platform.answers(command["id"], status)

    answer = await ada.delete(f"/v1/commands/{command['id']}")

    assert (answer.status_code, answer.json()["code"]) == (409, "already_settled")
    assert answer.json()["may_have_happened"] is happened


async def test_without_a_verdict_the_wish_is_kept(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """Where processing says nothing within two seconds the answer is 202, and the wish counts later."""
    platform.deciding = False
    command = await asked(ada)
    cancelling = asyncio.create_task(ada.delete(f"/v1/commands/{command['id']}"))
    await asyncio.sleep(0.05)
    platform.ahead = 3.0

    answer = await cancelling
    stored = await platform.store.command(command["id"])
    assert (answer.status_code, answer.json()["state"]) == (202, "accepted")
    assert stored is not None
    assert stored.cancel_asked_at is not None


# lists


async def test_commands_come_newest_first_page_by_page(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """Following `next` gives every command once."""
    await platform.goes("offline")
    ids = [(await asked(ada))["id"] for _ in range(5)]

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await ada.get(COMMANDS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [command["id"] for command in page["items"]]
        cursor = page["next"]

    assert seen == ids[::-1]


async def test_a_page_is_full_even_if_others_commands_lie_between(platform: LittlePlatform) -> None:
    """Commands that a grant does not cover take no room in a page."""
    await platform.goes("offline")
    await platform.registry.add_grant(VIN, "bob", [Risk.LOCATION], None, "test")
    async with platform.client() as ada, platform.client(token=platform.token("bob")) as bob:
        found = await asked(ada, FIND)
        for _ in range(3):
            await asked(ada)
        page = (await bob.get(COMMANDS, params={"limit": 2})).json()

    assert [command["id"] for command in page["items"]] == [found["id"]]


async def test_commands_are_filtered_by_state_and_service(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """State may be named several times, service once."""
    first = await decided(platform, ada, await asked(ada))
    second = await decided(platform, ada, await asked(ada, FIND))

    async def ids(query: str) -> list[str]:
        return [command["id"] for command in (await ada.get(f"{COMMANDS}?{query}")).json()["items"]]

    assert await ids("state=sent&state=queued") == [second["id"], first["id"]]
    assert await ids("state=queued") == [second["id"]]
    assert await ids("service=climate-start") == [first["id"]]
    assert await ids("state=executed") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=done", "state"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=!", "cursor"),
        ("cursor=QUJD", "cursor"),
        ("cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "cursor"),
        ("service=Fly!", "service"),
        ("sate=sent", "sate"),
    ],
)
async def test_a_query_that_means_nothing_is_refused(ada: httpx.AsyncClient, query: str, field: str) -> None:
    """A misspelt filter must not look like one that finds everything."""
    answer = await ada.get(f"{COMMANDS}?{query}")

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


# vehicles and the catalog


async def test_a_person_sees_the_vehicles_that_are_granted(ada: httpx.AsyncClient) -> None:
    """By VIN, page by page, and no stranger's."""
    first = (await ada.get("/v1/vehicles?limit=1")).json()
    second = (await ada.get("/v1/vehicles", params={"limit": 1, "cursor": first["next"]})).json()

    assert [item["vin"] for item in first["items"] + second["items"]] == [VIN, OLD_CARS_VIN]
    assert second["next"] is None


async def test_a_vehicle_lists_what_this_person_may_ask_for(ada: httpx.AsyncClient) -> None:
    """The services that its model supports and the grant covers."""
    vehicle = (await ada.get(f"/v1/vehicles/{OLD_CARS_VIN}")).json()

    assert (vehicle["model"], vehicle["services"]) == ("merlin-classic", ["door-lock", "door-unlock"])
    assert (await ada.get(f"/v1/vehicles/{STRANGERS_VIN}")).json()["code"] == "not_your_vehicle"


async def test_a_position_is_for_grants_that_cover_it(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """Where a car is, is shown to none but those with a grant for `location`, in lists too."""
    signals = {"Vehicle.CurrentLocation.Latitude": 52.5, "Vehicle.IsMoving": False}
    await platform.reports(signals)
    await platform.reports(signals, OLD_CARS_VIN)

    listed = {vehicle["vin"]: vehicle["signals"] for vehicle in (await ada.get("/v1/vehicles")).json()["items"]}

    assert listed == {VIN: signals, OLD_CARS_VIN: {"Vehicle.IsMoving": False}}
    for vin, seen in listed.items():
        assert (await ada.get(f"/v1/vehicles/{vin}")).json()["signals"] == seen


async def test_a_vehicle_that_fell_silent_is_no_longer_called_online(
    platform: LittlePlatform, ada: httpx.AsyncClient
) -> None:
    """After three missed reports we do not know."""
    await platform.reports({"Vehicle.IsMoving": False})
    every = platform.shipped.models["falcon-electric"].state_every
    assert (await ada.get(f"/v1/vehicles/{VIN}")).json()["presence"] == "online"

    platform.ahead = 3 * every + 1

    async with platform.client() as ada:
        assert (await ada.get(f"/v1/vehicles/{VIN}")).json()["presence"] == "unknown"


async def test_the_catalog_is_shown_with_terms_and_schemas(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """Everything an app needs to offer a service."""
    catalog = (await ada.get("/v1/catalog")).json()

    names = [service["name"] for service in catalog["services"]]
    assert names == sorted(platform.shipped.services)
    climate = catalog["services"][names.index("climate-start")]
    assert (climate["risk"], climate["ttl"]) == ("comfort", platform.shipped.services["climate-start"].ttl)
    assert climate["params"]["properties"]["temperature"]["maximum"] == 28
    assert [model["name"] for model in catalog["models"]] == sorted(platform.shipped.models)


# administration


NEW_VIN = "W0UTR1DER00000042"


async def test_a_vehicle_is_registered_and_gets_a_credential_and_a_grant(
    platform: LittlePlatform, admin: httpx.AsyncClient
) -> None:
    """What it takes to let a person use a new car, through the API alone."""
    added = await admin.post("/v1/admin/vehicles", json={"vin": NEW_VIN, "model": "falcon-electric"})
    assert (added.status_code, added.headers["location"]) == (201, f"/v1/admin/vehicles/{NEW_VIN}")
    assert (await admin.get(added.headers["location"])).json() == added.json()

    credential = (await admin.post(f"/v1/admin/vehicles/{NEW_VIN}/credentials", json={})).json()
    assert credential["mqtt"] == {"username": NEW_VIN, "client_id": NEW_VIN}
    assert len(credential["secret"]) >= 43
    listed = (await admin.get(f"/v1/admin/vehicles/{NEW_VIN}/credentials")).json()["items"]
    assert [(item["id"], "secret" in item) for item in listed] == [(credential["id"], False)]

    grant = {"person": "eve", "risks": ["comfort", "comfort"], "until": "2099-01-01T00:00:00+02:00"}
    granted = await admin.post(f"/v1/admin/vehicles/{NEW_VIN}/grants", json=grant)
    assert (granted.status_code, granted.json()["risks"]) == (201, ["comfort"])
    assert (granted.json()["until"], granted.json()["created_by"]) == ("2098-12-31T22:00:00.000Z", "root")
    async with platform.client(token=platform.token("eve")) as eve:
        await asked(eve, PREHEAT, NEW_VIN)
        ended = await admin.delete(f"/v1/admin/grants/{granted.json()['id']}")
        assert (await eve.get("/v1/vehicles")).json()["items"] == []
    assert ended.json()["ended_at"] is not None
    assert (await admin.get(f"/v1/admin/vehicles/{NEW_VIN}/grants")).json()["items"] == [ended.json()]


@pytest.mark.parametrize(("name", "body"), [("credentials", {}), ("grants", {"person": "eve", "risks": ["comfort"]})])
async def test_what_a_vehicle_has_comes_page_by_page(admin: httpx.AsyncClient, name: str, body: dict[str, Any]) -> None:
    """The oldest first; the last page says that it is the last."""
    place = f"/v1/admin/vehicles/{VIN}/{name}"
    before = len((await admin.get(place)).json()["items"])
    added = [(await admin.post(place, json=body)).json()["id"] for _ in range(3)]

    first = (await admin.get(place, params={"limit": before + 2})).json()
    rest = (await admin.get(place, params={"limit": 2, "cursor": first["next"]})).json()

    assert [each["id"] for each in first["items"][before:] + rest["items"]] == added
    assert rest["next"] is None
    assert (await admin.get(place, params={"cursor": "no"})).json()["code"] == "wrong_parameter"


async def test_a_revoked_credential_ends_its_connection(platform: LittlePlatform, admin: httpx.AsyncClient) -> None:
    """Where the connection cannot be ended, we say so, and that the credential is revoked."""
    credentials = f"/v1/admin/vehicles/{VIN}/credentials"
    first, second = [(await admin.post(credentials)).json()["id"] for _ in range(2)]

    assert (await admin.delete(f"{credentials}/{first}")).json()["revoked_at"] is not None
    assert platform.disconnected == [VIN]
    platform.connected = False
    failed = await admin.delete(f"{credentials}/{second}")
    assert (failed.status_code, failed.json()["may_have_happened"]) == (503, True)
    assert await platform.store.valid_hashes(VIN) == []


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("", {"vin": VIN, "model": "falcon-electric"}, 409, "vehicle_exists"),
        ("", {"vin": NEW_VIN, "model": "carriage"}, 422, "model_unknown"),
        ("", {"vin": "W0UTR1DER0000004X", "model": "falcon-electric"}, 422, "wrong_parameter"),
        ("", {"vin": NEW_VIN}, 422, "wrong_parameter"),
        (f"/{NEW_VIN}/credentials", {}, 404, "vehicle_unknown"),
        (f"/{VIN}/credentials", {"secret": "1234"}, 422, "wrong_parameter"),
        (f"/{NEW_VIN}/grants", {"person": "eve", "risks": ["access"]}, 404, "vehicle_unknown"),
        (f"/{VIN}/grants", {"person": "", "risks": ["access"]}, 422, "wrong_parameter"),
        (f"/{VIN}/grants", {"person": "a\u0007b", "risks": ["access"]}, 422, "wrong_parameter"),
        (f"/{VIN}/grants", {"person": "eve", "risks": []}, 422, "wrong_parameter"),
        (f"/{VIN}/grants", {"person": "eve", "risks": ["all"]}, 422, "wrong_parameter"),
        (
            f"/{VIN}/grants",
            {"person": "eve", "risks": ["access"], "until": "2020-01-01T00:00:00Z"},
            422,
            "wrong_parameter",
        ),
        (f"/{VIN}/grants", {"person": "eve", "risks": ["access"], "until": "2099-01-01"}, 422, "wrong_parameter"),
    ],
)
async def test_what_an_administrator_gets_wrong_is_named(
    admin: httpx.AsyncClient, path: str, body: Any, status: int, code: str
) -> None:
    """VINs, models, persons, risk classes and ends are checked before anything is kept."""
    answer = await admin.post(f"/v1/admin/vehicles{path}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", [f"vehicles/{VIN}/credentials/{UNKNOWN_ID}", f"grants/{UNKNOWN_ID}"])
async def test_what_is_not_there_can_not_be_ended(admin: httpx.AsyncClient, path: str) -> None:
    """An unknown credential or grant is not found."""
    assert (await admin.delete(f"/v1/admin/{path}")).status_code == 404


async def test_a_grant_to_the_end_of_time_has_no_end(admin: httpx.AsyncClient) -> None:
    """The last moment that can be written is shown as none at all."""
    body = {"person": "eve", "risks": ["access"], "until": "9999-12-31T23:59:59-12:00"}

    assert (await admin.post(f"/v1/admin/vehicles/{VIN}/grants", json=body)).json()["until"] is None


async def test_administration_needs_its_scope(ada: httpx.AsyncClient) -> None:
    """Who may send commands may not therefore hand out cars."""
    answer = await ada.get("/v1/admin/vehicles")

    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_dead_letters_are_shown(platform: LittlePlatform, admin: httpx.AsyncClient) -> None:
    """What was not believed, of one car or of all."""
    platform.letters = [
        DeadLetter(vin=vin, reason="not_json", detail="line 1", source="outrider.v1.x.answer", at=0.5, payload="{")
        for vin in (VIN, STRANGERS_VIN)
    ]

    every = (await admin.get("/v1/admin/dead-letters")).json()["items"]
    one = (await admin.get("/v1/admin/dead-letters", params={"vin": VIN})).json()["items"]

    assert [letter["vin"] for letter in every] == [VIN, STRANGERS_VIN]
    assert [(letter["at"], letter["reason"]) for letter in one] == [("1970-01-01T00:00:00.500Z", "not_json")]
    assert (await admin.get("/v1/admin/dead-letters?vin=x")).status_code == 422


# the platform itself


async def test_health_needs_no_token(platform: LittlePlatform) -> None:
    """The process lives; and whether it can work, and if not, which part is missing."""
    async with platform.client(token="") as anyone:
        assert (await anyone.get("/healthz")).status_code == 200
        assert (await anyone.get("/readyz")).json()["checks"] == {"database": True, "bus": True}
        platform.works["bus"] = False
        broken = await anyone.get("/readyz")

    assert (broken.status_code, broken.json()["detail"]) == (503, "Not usable now: bus.")


async def test_requests_are_counted_without_saying_whose(platform: LittlePlatform, ada: httpx.AsyncClient) -> None:
    """Figures name path templates and states, never a VIN."""
    await asked(ada)
    await ada.get(f"/v1/vehicles/{VIN}/nonsense")
    await ada.request("BREW", "/v1/catalog")

    figures = (await ada.get("/metrics")).text

    line = 'outrider_http_requests_total{method="POST",route="/v1/vehicles/{vin}/commands",status="202"} 1.0'
    assert line in figures
    assert 'method="other",route="/v1/catalog",status="405"' in figures
    assert 'route="unknown",status="404"' in figures
    assert VIN not in figures


@asynccontextmanager
async def served(platform: LittlePlatform) -> AsyncIterator[tuple[str, int]]:
    """The application on a real server and a free port."""
    config = uvicorn.Config(platform.app, "127.0.0.1", 0, log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield "127.0.0.1", server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def test_a_body_of_unsaid_length_is_counted_while_it_comes(
    platform: LittlePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who streams more than 64 KiB is told so, without the body's end being awaited, and the connection ends."""
    head = f"POST {COMMANDS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {platform.token()}\r\n"
    head += "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    monkeypatch.setattr(call, "DISCARDED_FOR", 0.1)
    async with served(platform) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(head.encode() + b"1000\r\n" + b" " * 4096 + b"\r\n")
        for _ in range(16):
            await writer.drain()
            writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        answer = (await reader.read()).decode()
        writer.close()

    assert answer.startswith("HTTP/1.1 413")
    assert "too_large" in answer


async def test_who_sends_too_much_still_hears_the_answer(platform: LittlePlatform) -> None:
    """A client that sends a whole large body before it listens gets the problem and no broken connection."""
    async with served(platform) as (host, port):
        headers = {"Authorization": f"Bearer {platform.token()}", "Content-Type": "application/json"}
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", headers=headers) as client:
            answers = [await client.post(COMMANDS, content=b" " * 900_000) for _ in range(5)]

    assert [answer.json()["code"] for answer in answers] == ["too_large"] * 5


async def test_a_real_server_speaks_http_as_it_should(platform: LittlePlatform) -> None:
    """HEAD has the headers of GET and no body; many small requests share a connection."""
    async with served(platform) as (host, port):
        headers = {"Authorization": f"Bearer {platform.token()}"}
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", headers=headers) as client:
            head = await client.head("/v1/catalog")
            command = await asked(client)
            shown = await client.get(f"/v1/commands/{command['id']}")

    assert (head.status_code, head.content, int(head.headers["content-length"]) > 0) == (200, b"", True)
    assert shown.json()["id"] == command["id"]
