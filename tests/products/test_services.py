"""The services that ship as examples do what their documents say, each as a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from outrider.common.json_schema import Schema
from outrider.common.ports import free_ports
from outrider.common.yaml_positions import read_yaml

PRODUCTS = Path(__file__).parents[2] / "src/outrider/products"
MIB = 1024 * 1024


@contextmanager
def running(product: str, *words: str) -> Iterator[httpx.Client]:
    """A client of a service that runs until the block ends."""
    (port,) = free_ports(1)
    argv = [sys.executable, PRODUCTS / product / "service.py", "--listen", f"127.0.0.1:{port}", *words]
    process = subprocess.Popen(argv)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
            _until_alive(client, process)
            yield client
    finally:
        process.terminate()
        assert process.wait(10) is not None


def _until_alive(client: httpx.Client, process: "subprocess.Popen[bytes]") -> None:
    ends = time.monotonic() + 20
    while True:
        try:
            assert client.get("/healthz").json() == {"status": "alive"}
            return
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.02)


@pytest.fixture(scope="module")
def charging() -> Iterator[httpx.Client]:
    """Cars gain 20 percent a second."""
    with running("charging", "--rate", "20", "--name", "v2") as client:
        yield client


@pytest.fixture(scope="module")
def maps() -> Iterator[httpx.Client]:
    with running("map-updates") as client:
        yield client


def fits(product: str, schema: str, value: Any) -> bool:
    """Is the value what the product's document says?"""
    document = read_yaml((PRODUCTS / product / "openapi.yaml").read_bytes()).data
    return Schema({"$ref": f"#/components/schemas/{schema}", "components": document["components"]}).accepts(value)


def problem(response: httpx.Response) -> tuple[int, str]:
    """The status and the code of a problem document."""
    assert response.headers["content-type"] == "application/problem+json"
    assert fits("charging", "Problem", response.json())
    return response.status_code, response.json()["code"]


def test_a_station_is_free_until_somebody_charges(charging: httpx.Client) -> None:
    """A session takes it, and stopping gives it back; stopping twice is not wrong."""
    started = charging.post("/v1/sessions", json={"station": "harbour", "to_percent": 100})
    session = started.headers["location"]

    assert started.status_code == 201
    assert fits("charging", "Session", started.json())
    assert charging.get("/v1/stations/harbour").json()["free"] is False
    assert "harbour" not in [each["name"] for each in charging.get("/v1/stations?free=true").json()["stations"]]
    assert problem(charging.post("/v1/sessions", json={"station": "harbour"})) == (409, "station_busy")
    assert [charging.delete(session).json()["state"] for _ in range(2)] == ["stopped", "stopped"]
    assert fits("charging", "StationList", charging.get("/v1/stations").json())
    assert charging.get("/v1/stations/harbour").json()["free"] is True


def test_a_session_is_followed_until_it_ends(charging: httpx.Client) -> None:
    """Event by event, each with the session as it then is."""
    session = charging.post("/v1/sessions", json={"station": "market", "to_percent": 45}).headers["location"]
    with charging.stream("GET", f"{session}/events") as stream:
        lines = [line for line in stream.iter_lines() if line]
        kind = stream.headers["content-type"]
    shown = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]

    assert kind.startswith("text/event-stream")
    assert [line for line in lines if line.startswith("event: ")] == [
        *["event: progress"] * (len(shown) - 1),
        "event: ended",
    ]
    assert all(fits("charging", "Session", each) for each in shown)
    assert 20 <= shown[0]["percent"] <= 45  # it charges already when the first is sent
    assert (shown[-1]["percent"], shown[-1]["state"]) == (45, "complete")


def test_the_stations_come_page_by_page(charging: httpx.Client) -> None:
    """Each says where the next begins; the last says that it is the last."""
    first = charging.get("/v1/stations?limit=3").json()
    rest = charging.get("/v1/stations", params={"limit": 3, "cursor": first["next"]}).json()

    assert fits("charging", "StationList", first)
    assert [each["name"] for each in first["stations"] + rest["stations"]] == [
        "harbour",
        "market",
        "north-gate",
        "old-mill",
    ]
    assert rest["next"] is None
    assert problem(charging.get("/v1/stations?limit=101")) == (422, "wrong_parameter")


def test_prices_need_nothing(charging: httpx.Client) -> None:
    """The old form and the new; each answer says which version gave it."""
    assert fits("charging", "TariffList", charging.get("/v1/tariffs").json())
    assert charging.get("/v1/prices").json() == {"ac": 0.45, "dc": 0.65}
    assert charging.get("/v1/prices").headers["x-served-by"] == "v2"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/v1/sessions", {"station": "nowhere"}, (422, "station_unknown")),
        ("POST", "/v1/sessions", {"station": "market", "percent": 5}, (422, "wrong_parameter")),
        ("POST", "/v1/sessions", None, (422, "wrong_parameter")),
        ("GET", "/v1/sessions/none", None, (404, "session_unknown")),
        ("GET", "/v1/stations/none", None, (404, "station_unknown")),
        ("GET", "/nowhere", None, (404, "not_found")),
        ("PUT", "/v1/tariffs", None, (405, "method_not_allowed")),
    ],
)
def test_what_is_wrong_is_a_problem(
    method: str, path: str, body: Any, expected: tuple[int, str], charging: httpx.Client
) -> None:
    """Every error is a problem document with a code."""
    assert problem(charging.request(method, path, json=body)) == expected


def test_a_package_comes_whole_or_in_parts(maps: httpx.Client) -> None:
    """A broken download is taken up again where it broke, and is the same."""
    path = "/v1/regions/benelux/packages/2026.4.map"
    whole = maps.get(path)
    parts = [maps.get(path, headers={"range": each}) for each in ("bytes=0-1000000", "bytes=1000001-", "bytes=-10")]

    assert (whole.status_code, len(whole.content)) == (200, 4 * MIB)
    assert {part.status_code for part in parts} == {206}
    assert parts[0].content + parts[1].content == whole.content
    assert parts[2].content == whole.content[-10:]
    assert parts[1].headers["content-range"] == f"bytes 1000001-{4 * MIB - 1}/{4 * MIB}"
    assert {part.headers["etag"] for part in parts} == {whole.headers["etag"]}
    assert maps.get(path, headers={"range": "lines=1-2"}).status_code == 200
    assert problem(maps.get(path, headers={"range": f"bytes={4 * MIB}-"})) == (416, "range_unknown")


def test_what_is_published_is_what_cars_get(maps: httpx.Client) -> None:
    """A version is published once; cars that have an older one are told."""
    path, content = "/v1/regions/atlantis/packages/2026.10.map", b"map" * 50_000
    first, again = (maps.put(path, content=content) for _ in range(2))
    maps.put("/v1/regions/atlantis/packages/2026.9.map", content=b"older")

    assert (first.status_code, again.status_code) == (201, 200)
    assert fits("map-updates", "Package", first.json())
    assert problem(maps.put(path, content=b"other")) == (409, "package_exists")
    assert maps.get(path).content == content
    checks = [
        maps.post("/v1/regions/atlantis/checks", json={"installed": have}).json() for have in ("2026.9", "2026.10")
    ]
    assert all(fits("map-updates", "CheckResult", check) for check in checks)
    assert [check["update"] and check["update"]["path"] for check in checks] == [path, None]
    assert fits("map-updates", "Region", maps.get("/v1/regions/atlantis").json())
    assert fits("map-updates", "RegionList", maps.get("/v1/regions").json())


def test_a_region_and_a_version_have_a_form(maps: httpx.Client) -> None:
    """What is not there is not found, and what is no version is wrong."""
    assert problem(maps.get("/v1/regions/nowhere")) == (404, "region_unknown")
    assert problem(maps.get("/v1/regions/alps/packages/1999.1.map")) == (404, "package_unknown")
    assert problem(maps.put("/v1/regions/alps/packages/new.map", content=b"x")) == (422, "wrong_parameter")
    assert problem(maps.post("/v1/regions/alps/checks", json={"installed": "new"})) == (422, "wrong_parameter")
