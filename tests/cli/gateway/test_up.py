"""`outrider gateway up`, and the commands for gateways that run."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from outrider.common.ports import LOOPBACK, Address, free_ports, is_free
from tests.cli.conftest import OUTRIDER, Child
from tests.cli.outrider import Said, outrider

OPENAPI = """
openapi: 3.1.0
info: {title: Things, version: 1.0.0, contact: {name: Team Things, email: things@example.com}}
paths:
  /things: {get: {operationId: listThings, security: [], responses: {'200': {description: All.}}}}
"""


class World(NamedTuple):
    """A folder with the products charging, maps, and one that is broken; and `up` on it."""

    folder: Path
    ports: dict[str, int]
    up: Child

    def run(self, *words: str) -> Said:
        """A command on the same state folder."""
        return outrider("gateway", *words, "--state", self.folder / "state")


def write(folder: Path, name: str, product: str) -> None:
    (folder / "products" / name).mkdir(parents=True)
    (folder / "products" / name / "openapi.yaml").write_text(OPENAPI)
    (folder / "products" / name / "product.yaml").write_text(product)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everything in here runs on these gateways; they are stopped with Ctrl-C."""
    folder = tmp_path_factory.mktemp("up")
    ports = dict(zip(("charging", "maps", "broken", "upstream"), free_ports(4), strict=True))
    for name in ("charging", "maps"):
        write(folder, name, f"{{name: {name}, owner: team-{name}, versions: [v1], audiences: []}}")
    write(folder, "broken", "{name: broken, owner: nobody, versions: [v1], audiences: [], limit: {}}")
    (folder / "environments").mkdir()
    upstream = f"versions: {{v1: {{upstreams: ['http://{LOOPBACK}:{ports['upstream']}']}}}}"
    places = (f"  {name}: {{listen: '{LOOPBACK}:{ports[name]}', {upstream}}}" for name in list(ports)[:3])
    (folder / "environments" / "local.yaml").write_text("\n".join(("products:", *places)))
    words = ("gateway", "up", folder / "products", "--state", folder / "state", "--grace", "2")
    with Child(folder / "up.log", *words) as up:
        up.says("Ctrl-C stops them.")
        yield World(folder, ports, up)
        assert up.stop() == 1  # for one of them was broken
        assert outrider("gateway", "status", "--state", folder / "state").code == 1


def test_a_broken_product_is_told_and_the_others_run(world: World) -> None:
    """With file, line and field; and a table says what runs where."""
    said = world.up.log.read_text()

    assert "products/broken/product.yaml:1:" in said
    assert "limit" in said
    for name in ("charging", "maps"):
        assert f"127.0.0.1:{world.ports[name]}  1        v1=100" in said
        with pytest.raises(urllib.error.HTTPError, match="503"):  # nobody is behind it
            urllib.request.urlopen(f"http://{LOOPBACK}:{world.ports[name]}/things", timeout=5)


def test_status_shows_what_is_live_and_how_it_is(world: World) -> None:
    """As a table, as JSON, and all about one."""
    said = world.run("status")
    assert said.code == 0, said.out
    assert said.out.split()[:2] == ["PRODUCT", "OWNER"]
    assert "team-maps" in said.out
    assert f"Process {world.up.process.pid} watches them." in said.err

    assert [(one["product"], one["state"]) for one in world.run("status", "--json").data] == [
        ("charging", "serves"),
        ("maps", "serves"),
    ]
    one = world.run("status", "maps")
    assert "owner       team-maps" in one.out
    assert "drift       none" in one.out
    assert "unknown is not published here" in world.run("status", "unknown").err


def test_logs_has_a_line_for_each_request(world: World) -> None:
    """JSON, a moment after the request."""
    url = f"http://{LOOPBACK}:{world.ports['maps']}/nowhere"
    with Child(world.folder / "logs", "gateway", "logs", "maps", "--follow", "--state", world.folder / "state") as logs:
        while '"code":404' not in logs.log.read_text():
            time.sleep(0.1)
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(url, timeout=5)

    assert [json.loads(line)["code"] for line in world.run("logs", "maps", "-n", "1").out.splitlines()] == [404]


def test_a_gateway_is_restarted_and_stopped_by_hand(world: World) -> None:
    """While it is watched; a restart is no stop, and a stop lasts until the restart."""
    before = world.run("status", "maps", "--json").data[0]["pid"]
    said = world.run("restart", "maps")
    assert said.code == 0
    assert f"Process {before} finishes" in said.err
    assert (again := world.run("status", "maps", "--json").data[0])["state"] == "serves"
    assert f"maps: process {again['pid']} serves" in said.out

    assert "caught ENVOY_SIGTERM" in world.run("logs", "maps", "--own").out

    assert world.run("stop", "maps").out == "maps: stopped\n"
    assert world.run("stop", "maps").out == "maps: its gateway does not run\n"
    assert world.run("status", "maps").code == 1
    assert is_free(Address(LOOPBACK, world.ports["maps"]))
    assert "serves" in world.run("restart", "maps").out


def up(world: World, folder: str, state: str) -> tuple[int, str]:
    """One that does not run for long: its exit code, and what it says."""
    words = (*OUTRIDER, "gateway", "up", world.folder / folder, "--state", world.folder / state)
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def test_a_second_up_is_refused_and_changes_nothing(world: World) -> None:
    """It says which process watches already."""
    code, said = up(world, "products", "state")

    assert code == 1
    assert f"are watched by process {world.up.process.pid} already" in said
    assert [one["state"] for one in world.run("status", "--json").data] == ["serves", "serves"]


@pytest.mark.parametrize("folder", ["nowhere", "products/broken"])
def test_what_can_t_be_run_at_all_is_told(world: World, folder: str) -> None:
    """No such folder, or nothing in it that can run; the exit code is 1."""
    code, said = up(world, folder, "other")

    assert code == 1
    assert folder in said


def test_a_product_that_says_something_else_than_what_is_live_is_told(world: World) -> None:
    """What is live is served all the same, also where nothing in the folder can be read."""
    maps, charging = (world.folder / "products" / name / "product.yaml" for name in ("maps", "charging"))
    maps.write_text(maps.read_text().replace("audiences", "timeout: 3, audiences"))
    charging.write_text("{")
    world.up.stop()
    words = ("gateway", "up", world.folder / "products", "--state", world.folder / "state")
    with Child(world.folder / "again.log", *words) as again:
        again.says("maps: release 1 is live, its folder differs: outrider gateway publish")
        again.says("charging: release 1 is live all the same")
        assert [one["state"] for one in world.run("status", "--json").data] == ["serves", "serves"]
        assert again.stop() == 1
