"""What becomes live on a real Envoy under load: all of it or nothing, also when the publisher is killed."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.cli.bench.http_load import Request, traffic
from outrider.gateway import envoy
from outrider.gateway.compile import compile_product
from outrider.gateway.configuration import configuration
from outrider.gateway.drift import drift
from outrider.gateway.environment import ListenTls
from outrider.gateway.faults import Refused
from outrider.gateway.product import Operation
from outrider.gateway.publishing import finish, rollback, set_split
from outrider.gateway.reading import Read
from outrider.gateway.release import Compiled, Live
from tests.gateway.published import NOW, Charging, charging, publish_until

NEW = Operation(id="getNew", method="get", path="/new", public=True)
PUBLISHERS = multiprocessing.get_context("forkserver")
PUBLISHERS.set_forkserver_preload(["tests.gateway.published", "tests.gateway.warm"])


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Charging]:
    """The product, not published yet."""
    async with charging(tmp_path) as made:
        yield made


@pytest.fixture
async def running(product: Charging) -> Charging:
    """The product with release 1 live, all traffic to v1, and its gateway running."""
    await product.publish()
    await product.start()
    return product


@asynccontextmanager
async def load(product: Charging, rate: float = 150) -> AsyncIterator[None]:
    """Requests on kept connections and on new ones while the block runs, none of which may fail."""
    token = product.bearer()
    kept = [Request(product.url + "/sessions/7", headers=token), Request(product.url + "/state")]
    new = Request(product.url + "/state", headers={"connection": "close"})
    async with traffic(kept, rate) as on_kept, traffic(new, rate / 2) as on_new:
        yield
        while min(on_kept.asked, on_new.asked) < 20:
            await asyncio.sleep(0.01)
    assert (on_kept.failed, on_new.failed) == (0, 0), f"{on_kept}; {on_new}"


async def refusal(attempt: Awaitable[object]) -> str:
    with pytest.raises(Refused) as refused:
        await attempt
    return str(refused.value)


async def test_the_first_publish_gives_all_to_the_first_version(product: Charging) -> None:
    """It is on disk for whoever starts the gateway, with who, when and why, and nothing differs."""
    release = await product.publish()

    assert (release.number, release.by, release.at, release.reason) == (1, "ada", "2026-11-22T02:14:05.000Z", "because")
    assert product.product.live() == Live(release=1, split={"v1": 100})
    assert product.product.releases() == [release]
    assert product.instance.files() == configuration(release, {"v1": 100})
    assert len(product.instance.tokens()) == 1
    assert await drift(product.product) == []


async def test_a_change_is_live_when_publish_returns(running: Charging) -> None:
    """Under load, and no request fails; what it replaced is gone."""
    assert (await running.get("/new")).status_code == 404
    async with load(running):
        await running.publish(NEW)
        assert (await running.get("/new")).text == "v1"
        await running.publish(NEW, body_limit=1000, audiences=("charging", "other"))
        assert (await running.get("/new")).text == "v1"
        await running.publish()
        assert (await running.get("/new")).status_code == 404

    assert [release.number for release in running.product.releases()] == [1, 2, 3, 4]
    assert len(running.instance.tokens()) == 1
    assert await drift(running.product) == []


async def test_a_gateway_moves_without_a_failed_request(running: Charging) -> None:
    """Who talks to it at the old address gets answers until there is an answer at the new one."""
    async with load(running):
        await asyncio.sleep(0.1)
        moving = asyncio.create_task(running.publish(listen=running.other_port))
        while b'"main@127.0.0.1:%d"' % running.other_port not in running.instance.files()["lds.json"]:
            await asyncio.sleep(0.01)
    await moving
    running.port = running.other_port

    assert (await running.get("/state")).text == "v1"
    assert await drift(running.product) == []


async def test_what_envoy_would_not_take_changes_nothing(running: Charging, tmp_path: Path) -> None:
    """It is asked before anything is stored; its reason is told."""
    (tmp_path / "no.pem").write_text("no certificate")
    tls = ListenTls(certificate=str(tmp_path / "no.pem"), key=str(tmp_path / "no.pem"))
    read, before = running.read(), running.on_disk()
    read = msgspec.structs.replace(read, placement=msgspec.structs.replace(read.placement, tls=tls))

    assert "Failed to load certificate" in await refusal(running.publish_read(read))
    assert running.on_disk() == before


async def test_what_a_running_gateway_refuses_is_undone(running: Charging) -> None:
    """The parts that it took already are taken back under load, its reason is told, and no release is left behind."""
    await running.publish(NEW)
    damage(running, 1)
    before = running.on_disk()

    async with load(running):
        said = await refusal(running.rollback(1))

    assert "Envoy refuses" in said
    assert "Cluster" in said
    assert running.on_disk() == before
    assert (await running.get("/new")).text == "v1"
    assert await drift(running.product) == []
    assert (await running.publish()).number == 3


async def test_a_publish_that_is_interrupted_is_undone(running: Charging) -> None:
    """As by Ctrl-C in the middle of a move."""
    before = running.on_disk()
    moving = asyncio.create_task(running.publish(listen=running.other_port))
    while running.product.journal() is None:
        await asyncio.sleep(0)
    moving.cancel()

    with pytest.raises(asyncio.CancelledError):
        await moving
    assert running.on_disk() == before
    assert await drift(running.product) == []


async def test_the_split_is_kept_by_what_is_published(running: Charging) -> None:
    """A release names versions, the split gives them their shares."""
    async with load(running):
        await set_split(running.product, {"v1": 50, "v2": 50})
        assert {(await running.get("/state")).text for _ in range(40)} == {"v1", "v2"}
        await running.publish(NEW)
        assert {(await running.get("/new")).text for _ in range(40)} == {"v1", "v2"}
        await set_split(running.product, {"v1": 0, "v2": 100})
        assert {(await running.get("/new")).text for _ in range(10)} == {"v2"}
        await running.rollback()
        assert {(await running.get("/state")).text for _ in range(10)} == {"v2"}

    assert running.product.live() == Live(release=3, split={"v2": 100})
    assert await drift(running.product) == []


@pytest.mark.parametrize(
    ("split", "why"),
    [
        ({"v1": 99}, "sum up to 100, not 99 = 99"),
        ({"v1": 60, "v2": 60}, "sum up to 100, not 60 + 60 = 120"),
        ({"v1": 110, "v2": -10}, "0 or more"),
        ({"v1": 50, "v3": 50}, "no version v3; it has v1, v2"),
        ({}, "sum up to 100"),
    ],
)
async def test_a_split_that_makes_no_sense_is_refused(product: Charging, split: dict[str, int], why: str) -> None:
    """Nothing changes."""
    await product.publish()
    before = product.on_disk()

    assert why in await refusal(set_split(product.product, split))
    assert product.on_disk() == before


async def test_a_version_with_traffic_is_not_dropped(product: Charging) -> None:
    """Not by a publish and not by a rollback; the message says what to do, and that helps."""
    await product.publish()
    await set_split(product.product, {"v1": 95, "v2": 5})
    assert "no version v2 (5 %), and that has traffic: first outrider gateway split charging v1=100" in await refusal(
        product.publish(versions=("v1", "v3"))
    )
    await set_split(product.product, {"v1": 100})
    await product.publish(versions=("v1", "v3"))
    await product.publish(versions=("v3",), split={"v3": 100})

    assert "traffic: say with the release who gets it: --split v1=100" in await refusal(product.rollback(1))
    await rollback(product.product, 1, by="bob", now=NOW, split={"v2": 100})
    assert product.product.live() == Live(release=4, split={"v2": 100})


async def test_a_rollback_needs_nothing_but_what_is_stored(running: Charging) -> None:
    """Neither the folder nor the issuer: the keys that are there stay. It is a new one that names its source."""
    await running.publish(NEW, audiences=("other",))
    running.jwks.unlink()

    async with load_public(running):
        release = await running.rollback()

    assert (release.number, release.source, release.by) == (3, 1, "bob")
    assert (await running.get("/new")).status_code == 404
    assert (await running.get("/sessions/7", **running.bearer())).text == "v1"
    assert await drift(running.product) == []


@asynccontextmanager
async def load_public(product: Charging) -> AsyncIterator[None]:
    async with traffic(Request(product.url + "/state"), 150) as made:
        yield
    assert made.failed == 0, str(made)


async def test_one_rollback_after_another_goes_further_back(product: Charging) -> None:
    """Not forth again to what was just left; releases with the same content are one step."""
    for timeout in (1.0, 2.0, 2.0, 3.0):
        await product.publish(timeout=timeout)

    assert [(await product.rollback()).source for _ in range(2)] == [3, 1]
    assert "nothing else was live before release 1" in await refusal(product.rollback())
    assert (await product.rollback(4)).source == 4
    assert (await product.rollback()).source == 3


async def test_what_is_not_there_can_not_be_taken_up(product: Charging) -> None:
    """An unknown product, and an unknown number."""
    assert "not published here" in await refusal(product.rollback())
    await product.publish()
    assert "charging has no release 7" in await refusal(product.rollback(7))


async def test_keys_of_one_issuer_are_not_used_for_another(product: Charging) -> None:
    """Where the issuer that a release names can't be asked, the keys of the one that is live are no help."""
    await product.publish(issuer="https://old.example")
    await product.publish()
    product.jwks.unlink()

    assert "none are at hand" in await refusal(product.rollback())
    assert "keys can't be read" in await refusal(product.publish())


async def test_an_address_that_is_taken_is_refused(running: Charging) -> None:
    """By another product here, or by any other program; Envoy would share it without a word."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", running.other_port)
    async with server:
        assert "is taken" in await refusal(running.publish(listen=running.other_port))
    assert "charging listens on" in await refusal(running.publish(name="map-updates"))

    assert running.state.products() == ["charging"]
    assert await drift(running.product) == []


async def test_a_gateway_that_hangs_is_not_passed_by(running: Charging, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is confirmed, so nothing is live; when it answers again, the next command undoes what was begun."""
    monkeypatch.setattr(envoy, "ANSWERS_WITHIN", 0.3)
    os.kill(running.pid, signal.SIGSTOP)
    try:
        said = await refusal(running.publish(NEW))
    finally:
        os.kill(running.pid, signal.SIGCONT)

    assert "no answer" in said
    async with running.product.locked():
        await finish(running.product)
    assert running.product.live() == Live(release=1, split={"v1": 100})
    assert await drift(running.product) == []


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version_info": "1", "resources": [1]}'])
async def test_what_was_damaged_is_put_right_by_the_next_publish(running: Charging, damage: bytes) -> None:
    """Whatever stands in the files: the gateway goes on as it was until then."""
    for name in (*running.instance.files(), *running.instance.tokens(), "routes-0.json"):
        (running.instance.folder / name).write_bytes(damage)
    assert (await running.get("/state")).text == "v1"

    await running.publish()
    assert await drift(running.product) == []
    assert (await running.get("/sessions/7", **running.bearer())).text == "v1"


async def test_what_was_changed_by_hand_is_found_and_put_right(running: Charging) -> None:
    """On disk, and in what Envoy runs."""
    lds = running.instance.files()["lds.json"]
    running.instance.write("cds.json", b'{"version_info":"by hand","resources":[]}')
    running.instance.write("routes-0.json", b"{}")
    (running.instance.folder / "lds.json").write_bytes(lds.replace(b'"version_info": "', b'"version_info": "0'))

    found = {one.what: one.problem for one in await drift(running.product)}
    assert found["routes-0.json"] == "does not belong there"
    assert found["cds.json"] == found["lds.json"] == "is not what was published"
    assert "not 0" in found["listener_manager.lds.version_text"]

    await running.publish()
    assert await drift(running.product) == []


def damage(product: Charging, number: int) -> None:
    """Make of a stored release one that only a running Envoy refuses: of the wrong type where types are looked at."""
    release = product.product.release(number)
    routes = {**release.compiled.routes, "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster"}
    compiled = msgspec.structs.replace(release.compiled, routes=routes)
    file = product.product.folder / "releases" / f"{number}.json"
    file.unlink()
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(release, compiled=compiled)))


CHANGES: dict[str, dict[str, Any]] = {
    "routes": {"timeout": 3.0},
    "all": {"timeout": 3.0, "body_limit": 1000, "audiences": ("charging", "other"), "versions": ("v1", "v3")},
}


@pytest.mark.parametrize(("change", "runs", "every"), [("routes", True, 1), ("all", True, 1), ("all", False, 3)])
async def test_a_publish_that_is_killed_is_finished_or_undone(
    product: Charging, change: str, runs: bool, every: int
) -> None:
    """After whichever file: the next command leaves exactly what is live, and no request fails at any time."""
    contents = [product.read(), product.read(**CHANGES[change])]
    release = await product.publish()
    if runs:
        await product.start()
    kills = 0
    async with load(product) if runs else nullcontext():
        while await killed_after(kills, product, contents[release.compiled == compiled(contents[0])]):
            async with product.product.locked():
                await finish(product.product)
            release = product.product.release(product.product.published().release)
            assert release == product.product.releases()[-1]
            assert await drift(product.product) == []
            kills += every

    assert kills >= 6
    assert await drift(product.product) == []


async def killed_after(changes: int, product: Charging, read: Read) -> bool:
    """Publish in a process that is killed after so many changes of files; False if it came to its end before."""
    publisher = PUBLISHERS.Process(target=publish_until, args=(changes, product.state.folder, read))
    publisher.start()
    await asyncio.to_thread(publisher.join)
    assert publisher.exitcode in (0, -signal.SIGKILL)
    return publisher.exitcode != 0


def compiled(read: Read) -> Compiled:
    return compile_product(read.product, read.placement, read.operations)
