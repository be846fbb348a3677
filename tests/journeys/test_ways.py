"""Ways of commands, end to end: people over HTTP, a platform as it is started by hand, cars on real MQTT."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from outrider.common.ports import Address
from outrider.simulator.behaviour import BEHAVIOURS
from outrider.simulator.driver import Car
from outrider.simulator.fleet import vins
from tests.journeys.world import World, quicker, world
from tests.raw_mqtt import RawMqtt

FREE = iter(vins(1000, start=500))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def w(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One world for all of these; each takes cars of its own."""
    folder = tmp_path_factory.mktemp("ways")
    patience = quicker(folder / "catalog", ["light-flash"], ack_within=1, finish_within=2)
    async with world(folder, catalog=patience) as running:
        yield running


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_there_and_back(w: World) -> None:
    """A command reaches its car and comes back, and its timeline tells each hop, backend and vehicle apart."""
    vin = next(FREE)
    fleet = await w.car(vin)

    answer = await w.ask(vin, "climate-start", params={"temperature": 23})
    done = await w.until(answer.json()["id"])

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/commands/{done['id']}"
    assert (done["state"], done["outcome"]) == ("executed", "done")
    hops = [(hop["what"], hop["by"]) for hop in done["timeline"]]
    assert hops == [
        ("accepted", "backend"),
        ("sent", "backend"),
        ("delivered", "vehicle"),
        ("executing", "vehicle"),
        ("executed", "vehicle"),
    ]
    assert done["seconds"]["total"] == pytest.approx(done["seconds"]["backend"] + done["seconds"]["vehicle"], abs=1e-3)
    assert fleet.signals(vin)["Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"] == 23


async def test_a_result(w: World) -> None:
    """Where is my car? The answer brings the position."""
    vin = next(FREE)
    await w.car(vin)

    found = await w.until((await w.ask(vin, "vehicle-find")).json()["id"])

    assert {"latitude", "longitude"} <= set(found["result"])


async def test_wait_for_it(w: World) -> None:
    """With `Prefer: wait` the answer comes when the command is settled."""
    vin = next(FREE)
    await w.car(vin)

    answer = await w.ask(vin, "door-lock", headers={"Prefer": "wait=10"})

    assert answer.json()["state"] == "executed"


async def test_offline_then_online(w: World) -> None:
    """A command to a car that is away waits, says so, and is executed when the car comes (law 9)."""
    vin = next(FREE)
    secret = await w.add(vin, "falcon-electric")
    fleet = await w.drive([Car(vin=vin, model="falcon-electric", credential=secret)])
    await fleet.stop()
    command_id = (await w.ask(vin, "climate-start")).json()["id"]
    waiting = await w.until(command_id, "queued")
    assert waiting["reason"] == "vehicle_offline"

    await w.drive([Car(vin=vin, model="falcon-electric", credential=secret)])

    assert (await w.until(command_id))["state"] == "executed"


async def test_a_car_that_was_never_there(w: World) -> None:
    """Unknown means try: nobody listens, so it is certain that it did not leave, and it expires (laws 2 and 9)."""
    vin = next(FREE)
    await w.add(vin, "falcon-electric")

    command_id = (await w.ask(vin, "climate-start", expires_in=1)).json()["id"]
    end = await w.until(command_id)

    assert (end["state"], end["happened"]) == ("expired", "certainly not")
    assert [hop["what"] for hop in end["timeline"]] == ["accepted", "sent", "queued", "expired"]


async def test_a_connection_that_broke(w: World) -> None:
    """A car whose connection breaks is offline by its will, and the new session's birth brings it back (law 9)."""
    vin = next(FREE)
    fleet = await w.car(vin)
    fleet.drop(vin)
    await asyncio.sleep(0.05)

    end = await w.until((await w.ask(vin, "door-lock")).json()["id"])

    assert end["state"] == "executed"


@pytest.mark.parametrize(
    ("behaviour", "state", "reason"),
    [("refuses", "rejected", "doors_open"), ("fails", "failed", "actuator_fault"), ("doubles", "executed", None)],
)
async def test_other_behaviours(w: World, behaviour: str, state: str, reason: str | None) -> None:
    """What the car says is what the command becomes: refused, failed, or done once although it was said twice."""
    vin = next(FREE)
    await w.car(vin, behaviour=BEHAVIOURS[behaviour])

    end = await w.until((await w.ask(vin, "door-lock")).json()["id"])

    assert (end["state"], end["reason"]) == (state, reason)


async def test_silence(w: World) -> None:
    """A car that never answers: unconfirmed at the deadline, and never `expired` or `failed` (law 1)."""
    vin = next(FREE)
    await w.car(vin, behaviour=BEHAVIOURS["silent"])

    end = await w.until((await w.ask(vin, "light-flash", expires_in=1)).json()["id"], within=30)

    assert (end["state"], end["happened"]) == ("unconfirmed", "perhaps")


async def test_in_order(w: World) -> None:
    """Commands of one car are performed one by one, in the order of their acceptance (law 5)."""
    vin = next(FREE)
    await w.car(vin)

    asked = [(await w.ask(vin, service)).json()["id"] for service in ("door-lock", "door-unlock") * 5]
    ends = [await w.until(command_id) for command_id in asked]

    assert {end["state"] for end in ends} == {"executed"}
    assert sorted(ends, key=lambda end: end["settled_at"]) == ends


async def test_asked_twice(w: World) -> None:
    """The same Idempotency-Key is the same command, and the car does it once."""
    vin = next(FREE)
    await w.car(vin)

    first, again = [await w.ask(vin, "horn-blow", headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    await w.until(first.json()["id"])

    assert first.json()["id"] == again.json()["id"]
    assert w.performed()[(vin, first.json()["id"])] == 1


async def test_withdrawn(w: World) -> None:
    """What waits can be withdrawn; what was sent can't, and the answer says that it may have happened."""
    vin, silent = next(FREE), next(FREE)
    fleet = await w.car(vin)
    await fleet.stop()
    await w.car(silent, behaviour=BEHAVIOURS["silent"])
    waiting = (await w.ask(vin, "climate-start")).json()["id"]
    await w.until(waiting, "queued")
    sent = (await w.ask(silent, "climate-start")).json()["id"]
    await w.until(sent, "sent")

    withdrawn = await w.http.delete(f"/v1/commands/{waiting}")
    too_late = await w.http.delete(f"/v1/commands/{sent}")

    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "cancelled")
    assert (too_late.status_code, too_late.json()["may_have_happened"]) == (409, True)


async def test_a_grant_that_ends(w: World) -> None:
    """A grant that ends takes its waiting commands with it (law 11)."""
    vin = next(FREE)
    fleet = await w.car(vin)
    await fleet.stop()
    command_id = (await w.ask(vin, "climate-start")).json()["id"]
    await w.until(command_id, "queued")
    (grant,) = (await w.http.get(f"/v1/admin/vehicles/{vin}/grants")).json()["items"]

    (await w.http.delete(f"/v1/admin/grants/{grant['id']}")).raise_for_status()
    await w.http.post(f"/v1/admin/vehicles/{vin}/grants", json={"person": "alice", "risks": ["access"]})

    bob = {"person": "bob", "risks": ["comfort"]}
    await w.http.post(f"/v1/admin/vehicles/{vin}/grants", json=bob)
    w_bob = {"Authorization": f"Bearer {w.platform.token('bob')}"}
    ends = time.time() + 5
    while (end := (await w.http.get(f"/v1/commands/{command_id}", headers=w_bob)).json())["state"] != "cancelled":
        assert time.time() < ends, end
        await asyncio.sleep(0.05)
    assert end["reason"] == "grant_ended"


async def test_a_mad_car(w: World) -> None:
    """What breaks the contract goes to dead letter with its reason, so much per car; others are not disturbed."""
    mad, sane = next(FREE), next(FREE)
    secret = await w.add(mad, "falcon-electric")
    await w.car(sane)
    raw = await RawMqtt.connect(Address(*w.platform.mqtt), mad, mad, secret)
    for n in range(200):
        await raw.publish(f"outrider/v1/{mad}/answer", b'{"id": %d' % n)

    end = await w.until((await w.ask(sane, "door-lock")).json()["id"])
    raw.disconnect()

    letters = (await w.http.get("/v1/admin/dead-letters", params={"vin": mad, "limit": 200})).json()["items"]
    assert end["state"] == "executed"
    assert 1 <= len(letters) <= 20
    assert {letter["reason"] for letter in letters} == {"bad_answer"}
