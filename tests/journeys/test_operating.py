"""What operators do: start, stop, start twice, kill, back up, change the catalog, take NATS away."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.adapters.catalog_files import SHIPPED
from outrider.common import processes
from outrider.common.ports import Address
from outrider.simulator.driver import Car
from outrider.simulator.fleet import vins
from tests.journeys.world import Platform, World, world
from tests.raw_mqtt import RawMqtt

VIN, OTHER = vins(2, start=900)


def outrider(*args: str) -> subprocess.CompletedProcess[str]:
    """The command line, as people use it."""
    return subprocess.run([sys.executable, "-m", "outrider", *args], capture_output=True, text=True, timeout=60)


def of_folder(data: Path) -> list[str]:
    """The commands of all processes that work on a data folder."""
    return [process.command for process in processes.ours() if str(data) in process.command]


async def test_stop_and_start_again(tmp_path: Path) -> None:
    """Ctrl-C stops everything and leaves no process; the next start knows what the last one knew.

    Nothing of it is for others to read, also in a folder that they may look into.
    """
    tmp_path.chmod(0o755)
    (tmp_path / "data").mkdir(mode=0o755)
    async with world(tmp_path) as w:
        await w.car(VIN)
        assert [file.name for file in w.platform.data.iterdir() if file.is_file() and file.stat().st_mode & 0o077] == []
        command_id = (await w.ask(VIN, "door-lock")).json()["id"]
        await w.until(command_id, "executed")

        assert w.platform.stop() == 0
        assert of_folder(w.platform.data) == []
        assert not (w.platform.data / "platform.json").exists()

        await w.platform.start()
        assert (await w.command(command_id))["state"] == "executed"


async def test_a_second_one(tmp_path: Path) -> None:
    """A second platform on the same folder is refused and says why, and so is a second writer beside it."""
    async with world(tmp_path) as w:
        data = str(w.platform.data)
        second = outrider("up", "--data", data, "--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0")
        writer = outrider("run", "processing", "--data", data)

        for refused in (second, writer):
            assert refused.returncode == 1
            assert "in use by process" in refused.stderr
            assert "Traceback" not in refused.stderr
        assert "SQLite has one writer" in writer.stderr
        assert await w.platform.is_ready()


async def test_killed_and_started_again(tmp_path: Path) -> None:
    """After kill -9 the next start takes over the nats-server that was left, and the cars stay connected to it."""
    async with world(tmp_path) as w:
        fleet = await w.car(VIN)
        before = w.platform.nats_pid
        w.platform.kill()

        await w.platform.start()

        assert w.platform.nats_pid == before
        assert fleet.online() == [VIN]
        assert (await w.until((await w.ask(VIN, "door-lock")).json()["id"]))["state"] == "executed"


async def test_nats_is_away(tmp_path: Path) -> None:
    """While NATS is down, what can wait is stored and gets its 202; what can't gets a 503 and is not stored (law 3)."""
    async with world(tmp_path) as w:
        await w.car(VIN)
        os.kill(w.platform.nats_pid, signal.SIGSTOP)  # not dead, so not started again: just not there
        try:
            await w.until_bus_is(False)
            patient = await w.ask(VIN, "climate-start")
            hasty = await w.ask(VIN, "climate-start", expires_in=30)
        finally:
            os.kill(w.platform.nats_pid, signal.SIGCONT)

        assert (patient.status_code, hasty.status_code) == (202, 503)
        assert int(hasty.headers["retry-after"]) > 0
        assert hasty.json()["may_have_happened"] is False
        assert (await w.until(patient.json()["id"]))["state"] == "executed"
        listed = (await w.http.get(f"/v1/vehicles/{VIN}/commands")).json()["items"]
        assert [command["id"] for command in listed] == [patient.json()["id"]]


async def test_a_backup(tmp_path: Path) -> None:
    """A backup taken under load is whole, and a platform started on it goes on from there."""
    async with world(tmp_path) as w:
        await w.car(VIN)
        known = (await w.ask(VIN, "door-lock")).json()["id"]
        await w.until(known)
        load = asyncio.gather(*(w.ask(VIN, "light-flash") for _ in range(100)))
        taken = await asyncio.to_thread(outrider, "backup", str(tmp_path / "copy"), "--data", str(w.platform.data))
        await load
        assert taken.returncode == 0, taken.stderr

    restored = Platform(tmp_path / "restored")
    restored.data.mkdir()
    (copy,) = (tmp_path / "copy").glob("*.db")
    shutil.copy(copy, restored.data / "outrider.db")
    with sqlite3.connect(copy) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    try:
        await restored.start()
        again = World(restored, tmp_path, w.catalog)
        assert (await again.command(known))["state"] == "executed"
        await again.close()
    finally:
        restored.clear()


async def test_the_catalog_changes(tmp_path: Path) -> None:
    """A changed file counts for later commands only (law 11), a broken one not at all; a new service is one file."""
    folder = tmp_path / "catalog"
    (folder / "services").mkdir(parents=True)
    (folder / "models").mkdir()
    lock = (SHIPPED / "services" / "door-lock.yaml").read_text()
    file = folder / "services" / "door-lock.yaml"
    file.write_text(lock)
    async with world(tmp_path, catalog=folder) as w:
        await w.add(VIN, "falcon-electric")
        before = (await w.ask(VIN, "door-lock")).json()

        file.write_text(lock.replace("ttl: 120", "ttl: 45"))
        await w.until_catalog(lambda c: c["door-lock"]["ttl"] == 45)
        after = (await w.ask(VIN, "door-lock")).json()
        file.write_text("ttl: -1")
        await asyncio.sleep(1.5)

        def given(command: dict[str, str]) -> float:
            return seconds(command["expires_at"]) - seconds(command["accepted_at"])

        assert (given(before), given(after)) == (pytest.approx(120), pytest.approx(45))
        assert (await w.command(before["id"]))["expires_at"] == before["expires_at"]
        assert given((await w.ask(VIN, "door-lock")).json()) == pytest.approx(45)

        file.unlink()
        (folder / "services" / "sunroof-close.yaml").write_text(
            lock.replace("name: door-lock", "name: sunroof-close").replace("title: Lock the doors", "title: Close")
        )
        model = (SHIPPED / "models" / "falcon-electric.yaml").read_text()
        (folder / "models" / "falcon-electric.yaml").write_text(
            model.replace("- door-lock", "- door-lock\n  - sunroof-close")
        )
        await w.until_catalog(lambda c: "sunroof-close" in c)
        assert (await w.ask(VIN, "sunroof-close")).status_code == 202


async def test_who_may_connect(tmp_path: Path) -> None:
    """No connection without a credential or under another's VIN, no foreign topics; revoking ends it at once."""
    async with world(tmp_path) as w:
        secret, others = await w.add(VIN, "falcon-electric"), await w.add(OTHER, "falcon-electric")
        broker = Address(*w.platform.mqtt)

        for client_id, user, password in ((VIN, "", ""), (VIN, VIN, others), (VIN, OTHER, others), (VIN, VIN, "guess")):
            assert (await RawMqtt.connect(broker, client_id, user, password)).accepted == 5
        car = await RawMqtt.connect(broker, VIN, VIN, secret)
        assert car.accepted == 0
        assert await car.subscribe(f"outrider/v1/{OTHER}/command") == 0x80
        assert await car.subscribe(f"outrider/v1/{VIN}/command") == 0

        (credential,) = (await w.http.get(f"/v1/admin/vehicles/{VIN}/credentials")).json()["items"]
        (await w.http.delete(f"/v1/admin/vehicles/{VIN}/credentials/{credential['id']}")).raise_for_status()
        assert await car.ended()
        assert (await RawMqtt.connect(broker, VIN, VIN, secret)).accepted == 5


async def test_a_forged_answer(tmp_path: Path) -> None:
    """A car can't answer for another: its publish goes nowhere, and the command stays what it was (law 5)."""
    async with world(tmp_path) as w:
        secret, _ = await w.add(OTHER, "falcon-electric"), await w.add(VIN, "falcon-electric")
        asked = (await w.ask(VIN, "climate-start")).json()["id"]
        await w.until(asked, "queued")
        forger = await RawMqtt.connect(Address(*w.platform.mqtt), OTHER, OTHER, secret)
        said = b'{"id": "%s", "service": "climate-start", "status": "executed", "session": "forged-1", "at": "%s"}'
        said %= (asked.encode(), b"2026-11-22T00:00:00Z")

        await forger.publish(f"outrider/v1/{VIN}/answer", said)  # acknowledged, and dropped by the broker
        await forger.publish(f"outrider/v1/{OTHER}/answer", said)  # its own topic, another's command
        letters = await w.until_letters(OTHER)

        assert [letter["reason"] for letter in letters] == ["unknown_command"]
        assert (await w.command(asked))["state"] == "queued"


async def test_more_hands(tmp_path: Path) -> None:
    """Outgoing and incoming may run beside the platform and share the work; each dispatch still leaves once (law 6)."""
    async with world(tmp_path) as w:
        cars = [Car(vin=v, model="sparrow-van", credential=await w.add(v, "sparrow-van")) for v in vins(10, start=950)]
        await w.drive(cars)
        beside = [
            subprocess.Popen([sys.executable, "-m", "outrider", "run", name, "--data", str(w.platform.data)])
            for name in ("outgoing", "incoming")
        ]
        try:
            await asyncio.sleep(1.5)
            asked = [(car.vin, (await w.ask(car.vin, "door-lock")).json()["id"]) for car in cars for _ in range(10)]
            ends = [(await w.until(command_id))["state"] for _, command_id in asked]
        finally:
            for process in beside:
                process.terminate()
            codes = [process.wait(10) for process in beside]

        assert set(ends) == {"executed"}
        assert w.performed() == dict.fromkeys(asked, 1)
        assert codes == [0, 0]


def seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
