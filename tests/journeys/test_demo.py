"""The demo, as whoever sees Outrider for the first time runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from outrider.adapters.catalog_files import load
from outrider.adapters.nats_server import BINARY_VARIABLE
from outrider.common.processes import ours
from tests.beside import beside


class Run(NamedTuple):
    """A demo that has ended, and the folder that it had for temporary files."""

    code: int
    out: str
    err: str
    temporary: Path

    @property
    def document(self) -> Any:
        """What it printed."""
        return json.loads(self.out)

    @property
    def by_car(self) -> dict[str, Any]:
        """The commands to difficult cars, by what is difficult with them."""
        return {told["behaviour"]: told for told in self.document["details"] if told["behaviour"] != "obeys"}


def _started(temporary: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "outrider", "demo", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary), **environment},
    )


def _ended(process: subprocess.Popen[str], temporary: Path) -> Run:
    try:
        out, err = process.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Run(process.returncode, out, err, temporary)


def _left(run: Run) -> list[str]:
    """The processes that still run with something of this demo on their command line."""
    return [process.command for process in ours() if str(run.temporary) in process.command]


@beside
def run(temporary: Path) -> Run:
    """One demo for all the tests that only look at it."""
    return _ended(_started(temporary, "--json"), temporary)


def test_every_command_ends_as_its_cars_behaviour_demands(run: Run) -> None:
    """None is lost, the exit code is 0, and it is over in well under a minute."""
    assert run.code == 0, run.err
    assert (run.document["as_expected"], run.document["wrong"], run.document["lost"]) == (True, [], 0)
    assert run.document["commands"] == run.document["settled"] == len(run.document["details"])
    assert sum(run.document["by_state"].values()) == run.document["commands"]
    assert run.document["seconds"] < 45


def test_every_service_of_the_catalog_is_shown(run: Run) -> None:
    """On cars of at least three models."""
    obeying = [told for told in run.document["details"] if told["behaviour"] == "obeys"]

    assert {told["service"] for told in obeying} == set(load().services)
    assert all(told["state"] == "executed" for told in obeying)
    assert len({told["model"] for told in run.document["details"]}) >= 3


def test_every_way_to_end_is_shown(run: Run) -> None:
    """Each difficult car brings about the state that it stands for."""
    ends = {car: (told["state"], told["reason"], told["outcome"]) for car, told in run.by_car.items()}

    assert ends == {
        "comes later": ("executed", None, "done"),
        "withdrawn": ("cancelled", "asked", None),
        "comes too late": ("expired", "vehicle_offline", None),
        "refuses": ("rejected", "doors_open", None),
        "tries and fails": ("failed", "actuator_fault", None),
        "never answers": ("unconfirmed", "no_answer", None),
        "has done it": ("executed", None, "already_done"),
        "repeats itself": ("executed", None, "done"),
        "is asked twice": ("executed", None, "done"),
    }


def test_the_one_that_comes_later_had_its_command_queued(run: Run) -> None:
    """Its timeline tells of the wait, and of the vehicle's own words after it."""
    timeline = run.by_car["comes later"]["timeline"]
    states = [hop["state"] for hop in timeline]

    assert ("queued", "vehicle_offline") in {(hop["state"], hop["reason"]) for hop in timeline}
    assert states.index("queued") < states.index("delivered") < states.index("executed")


def test_a_result_comes_back(run: Run) -> None:
    """Where the service has one: a position."""
    found = next(told for told in run.document["details"] if told["service"] == "vehicle-find")

    assert set(found["result"]) == {"latitude", "longitude"}


def test_nothing_is_left_behind(run: Run) -> None:
    """No process, no folder; with --json there is nothing but the document."""
    assert list(run.temporary.iterdir()) == []
    assert _left(run) == []
    assert run.err == ""


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    """In the middle of it: platform, broker and cars are gone, and so is the folder."""
    process = _started(tmp_path)
    ends = time.monotonic() + 30
    while not any((folder / "cars.jsonl").exists() for folder in tmp_path.iterdir()):
        assert time.monotonic() < ends
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    run = _ended(process, tmp_path)

    assert run.code == 130
    assert "Traceback" not in run.err
    assert list(tmp_path.iterdir()) == []
    assert _left(run) == []


def test_a_platform_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The message has its last words and names the log, which stays to be read."""
    run = _ended(_started(tmp_path, **{BINARY_VARIABLE: "/nowhere/nats-server"}), tmp_path)

    [folder] = tmp_path.iterdir()
    assert run.code == 1
    assert "/nowhere/nats-server" in run.err
    assert str(folder / "platform.log") in run.err
    assert (folder / "platform.log").exists()
