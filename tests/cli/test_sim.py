"""Simulated vehicles from the command line, on a running platform."""

import stat
from pathlib import Path

from outrider.simulator.record import read_record
from tests.cli.conftest import Child, Running
from tests.cli.outrider import outrider


def test_a_fleet_registers_itself_and_comes_again(running: Running, tmp_path: Path) -> None:
    """A hundred vehicles are there at once; on a restart they are the same ones with the same credentials."""
    words = ("sim", "run", "--data", running.data, "--vehicles", "100", "--start", "1000", "--pace", "0")
    with Child(tmp_path / "first.log", *words) as first:
        assert "100 vehicles are online" in first.says("online", within=10)
    assert first.stop() == 0
    assert "100 vehicles said goodbye" in first.log.read_text()
    kept = running.data / "sim-credentials.json"
    secrets = kept.read_bytes()

    with Child(tmp_path / "again.log", *words, "--record", tmp_path / "record.jsonl") as again:
        again.says("online")
        done = outrider("command", "send", "0UTR1DERS00001000", "door-lock", "--wait", "--data", running.data)

    assert done.code == 0
    assert kept.read_bytes() == secrets
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "performed" in {entry.what for entry in read_record(tmp_path / "record.jsonl")}


def test_a_wrong_model_or_behaviour_registers_nothing(running: Running) -> None:
    """Usage: 2, with the names that there are."""
    model = outrider("sim", "run", "--model", "no-such-model", "--data", running.data)
    behaviour = outrider("sim", "run", "--behaviour", "angry", "--data", running.data)

    assert (model.code, behaviour.code) == (2, 2)
    assert "falcon-electric" in model.err
    assert "refuses" in behaviour.err
