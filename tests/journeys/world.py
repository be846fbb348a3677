"""A whole world for a journey: a platform as its own process behind its gateway, cars on real MQTT, people with tokens
over HTTP.
"""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from outrider.adapters.catalog_files import SHIPPED, load
from outrider.adapters.data_folder import where
from outrider.adapters.dev_key import mint
from outrider.cli.client import TOO_QUICK
from outrider.common import processes
from outrider.common.ports import Address
from outrider.domain.catalog import Catalog
from outrider.simulator.driver import Car
from outrider.simulator.fleet import Fleet
from outrider.simulator.record import Record, performed, read_record

ALL_RISKS = ["access", "comfort", "charging", "location", "attention"]
SETTLED = {"executed", "rejected", "failed", "expired", "cancelled", "superseded", "unconfirmed"}
CERTAINLY_NOT = {"rejected", "expired", "cancelled", "superseded"}


class Platform:
    """`outrider up` on a data folder, as an operator would start it."""

    def __init__(self, data: Path, *options: str, listen: str = "127.0.0.1:0", **environment: str) -> None:
        self.data = data
        self.options = options
        self.environment = environment
        self.process: subprocess.Popen[str] | None = None
        self.mqtt_elsewhere: tuple[str, int] | None = None
        self._address = listen

    async def start(self, within: float = 30.0) -> None:
        """Start it and wait until it is ready."""
        argv = [sys.executable, "-m", "outrider", "up", "--data", str(self.data), "--quiet"]
        argv += ["--listen", self._listen(), "--mqtt-listen", "127.0.0.1:0", *self.options]
        log = open(self.data.parent / "platform.log", "a")  # noqa: SIM115 - the child's for as long as it lives
        with log:
            environment = {**os.environ, **self.environment}
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, text=True, env=environment)
        async with asyncio.timeout(within):
            while not await self.is_ready():
                assert self.process.poll() is None, self.last_words()
                await asyncio.sleep(0.05)

    def _listen(self) -> str:
        """The same address as before, so that clients find it again."""
        return self._address

    async def is_ready(self) -> bool:
        assert self.process is not None
        place = where(self.data)
        if place is None or place.pid != self.process.pid:
            return False
        self._address = place.api.partition("://")[2]
        async with httpx.AsyncClient(base_url=place.api, verify=False) as http:
            try:
                return (await http.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

    @property
    def api(self) -> str:
        return f"http://{self._address}"

    @property
    def mqtt(self) -> tuple[str, int]:
        """Where vehicles connect, unless it is an existing NATS that they connect to."""
        if self.mqtt_elsewhere is not None:
            return self.mqtt_elsewhere
        place = where(self.data)
        assert place is not None
        assert place.mqtt is not None
        address = Address.parse(place.mqtt)
        return address.host, address.port

    @property
    def nats_pid(self) -> int:
        return int(json.loads((self.data / "nats" / "nats-server.json").read_text())["pid"])

    @property
    def gateway_pid(self) -> int:
        """The Envoy's."""
        gateway = self.data / "gateway" / "state" / "remote-services" / "instances" / "1"
        return int(json.loads((gateway / "process.json").read_text())["process"]["pid"])

    def last_words(self) -> str:
        return (self.data.parent / "platform.log").read_text()[-3000:]

    def kill(self) -> None:
        """kill -9: nothing is said, nothing is put away."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ctrl-C; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def clear(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        for left in [process for process in processes.ours() if str(self.data) in process.command]:
            with suppress(ProcessLookupError):
                os.kill(left.pid, signal.SIGKILL)

    def token(self, person: str = "alice", scopes: str = "commands admin", ttl: float = 3600) -> str:
        return mint(self.data / "keys", person, scopes, ttl)


class Patient(httpx.Auth):
    """Whom the gateway finds too quick, who asks again when it says so."""

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        response = yield request
        while response.status_code == 429 and json.loads(await response.aread())["code"] in TOO_QUICK:
            await asyncio.sleep(float(response.headers["retry-after"]))
            response = yield request


class World:
    """A platform, its cars, and alice, who may use all of them."""

    def __init__(self, platform: Platform, folder: Path, catalog: Catalog) -> None:
        self.platform = platform
        self.record_file = folder / "cars.jsonl"
        self.record = Record(self.record_file)
        self.catalog = catalog
        self.fleets: list[Fleet] = []
        self.readers = itertools.cycle(["alice"])
        self._tokens: dict[str, str] = {}
        self.http = httpx.AsyncClient(
            base_url=platform.api,
            headers=self.as_person("alice"),
            auth=Patient(),
            timeout=10,
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=50),
        )

    async def add(self, vin: str, model: str, persons: Sequence[str] = ("alice",)) -> str:
        """Register a vehicle that these persons may use; the secret that it connects with."""
        (await self.http.post("/v1/admin/vehicles", json={"vin": vin, "model": model})).raise_for_status()
        for person in persons:
            grant = {"person": person, "risks": ALL_RISKS}
            (await self.http.post(f"/v1/admin/vehicles/{vin}/grants", json=grant)).raise_for_status()
        answer = await self.http.post(f"/v1/admin/vehicles/{vin}/credentials", json={})
        return str(answer.raise_for_status().json()["secret"])

    async def drive(self, cars: Sequence[Car], *, online: bool = True, pace: float = 0.0) -> Fleet:
        """Connect cars; at pace 0 they act at once, at 1 as slowly as real ones."""
        host, port = self.platform.mqtt
        fleet = await Fleet.start(host, port, cars, self.catalog, pace=pace, record=self.record)
        self.fleets.append(fleet)
        if online:
            await fleet.wait_online(15)
        return fleet

    async def car(self, vin: str, model: str = "falcon-electric", **news: Any) -> Fleet:
        """Register and connect one car."""
        return await self.drive([Car(vin=vin, model=model, credential=await self.add(vin, model), **news)])

    async def ask(self, vin: str, service: str, **more: Any) -> httpx.Response:
        """POST a command."""
        headers = more.pop("headers", None)
        return await self.http.post(f"/v1/vehicles/{vin}/commands", json={"service": service, **more}, headers=headers)

    async def command(self, command_id: str) -> dict[str, Any]:
        """GET a command, as one of the readers in turn."""
        headers = self.as_person(next(self.readers))
        answer = await self.http.get(f"/v1/commands/{command_id}", headers=headers)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def as_person(self, person: str) -> dict[str, str]:
        """The headers of a request that this person makes."""
        if person not in self._tokens:
            self._tokens[person] = self.platform.token(person)
        return {"Authorization": f"Bearer {self._tokens[person]}"}

    async def until(self, command_id: str, *states: str, within: float = 20.0) -> dict[str, Any]:
        """The command once it is in one of these states (none named: settled)."""
        wanted, ends = set(states) or SETTLED, time.time() + within
        while (command := await self.command(command_id))["state"] not in wanted:
            assert time.time() < ends, f"still {command['state']}: {command}"
            await asyncio.sleep(0.05)
        return command

    async def until_bus_is(self, there: bool, within: float = 45.0) -> None:
        """Wait until the platform has noticed that its bus is there, or away."""
        ends = time.time() + within
        while ((await self.http.get("/readyz")).status_code == 200) is not there:
            assert time.time() < ends
            await asyncio.sleep(0.1)

    async def until_catalog(self, holds: Callable[[dict[str, Any]], bool], within: float = 10.0) -> None:
        """Wait until the services in force, by name, are like this."""
        ends = time.time() + within
        while True:
            services = (await self.http.get("/v1/catalog")).json()["services"]
            if holds({service["name"]: service for service in services}):
                return
            assert time.time() < ends, services
            await asyncio.sleep(0.1)

    async def until_letters(self, vin: str, within: float = 10.0) -> list[dict[str, Any]]:
        """A vehicle's dead letters, once there are any."""
        ends = time.time() + within
        while True:
            letters: list[dict[str, Any]]
            letters = (await self.http.get("/v1/admin/dead-letters", params={"vin": vin})).json()["items"]
            if letters:
                return letters
            assert time.time() < ends
            await asyncio.sleep(0.1)

    def performed(self) -> dict[tuple[str, str], int]:
        """How often each car performed each command, by the cars' own record."""
        return dict(performed(read_record(self.record_file)))

    async def close(self) -> None:
        for fleet in self.fleets:
            await fleet.stop()
        self.record.close()
        await self.http.aclose()


def quicker(folder: Path, services: Sequence[str], **terms: float) -> Path:
    """A catalog in which these services have other times, so that their promises end sooner."""
    (folder / "services").mkdir(parents=True)
    for service in services:
        lines = (SHIPPED / "services" / f"{service}.yaml").read_text().splitlines()
        changed = [f"{key}: {terms[key]}" if (key := line.split(":")[0]) in terms else line for line in lines]
        (folder / "services" / f"{service}.yaml").write_text("\n".join(changed) + "\n")
    return folder


@asynccontextmanager
async def world(
    folder: Path, *options: str, catalog: Path | None = None, mqtt: tuple[str, int] | None = None
) -> AsyncIterator[World]:
    """A running world in this folder; nothing of it is left afterwards."""
    more = options if catalog is None else (*options, "--catalog", str(catalog))
    platform = Platform(folder / "data", *more)
    platform.mqtt_elsewhere = mqtt
    try:
        await platform.start()
        running = World(platform, folder, load([] if catalog is None else [catalog]))
        try:
            yield running
        finally:
            await running.close()
    finally:
        platform.clear()
