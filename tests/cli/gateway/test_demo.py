"""The demo of gateways, from its start to its end, and that it needs nothing of the command half."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from outrider.cli.gateway.demo.scene import SCENES
from outrider.common.processes import ours
from tests.beside import beside


@beside
def run(temporary: Path) -> tuple["subprocess.CompletedProcess[str]", Path]:
    """The demo, with its own folder for temporary files."""
    temporary.chmod(0o711)
    done = subprocess.run(
        [sys.executable, "-m", "outrider", "gateway", "demo", "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
        timeout=150,
        check=False,
    )
    return done, temporary


def test_all_goes_as_it_is_told(run: tuple["subprocess.CompletedProcess[str]", Path]) -> None:
    """Every scene, and the exit code says so."""
    done, _ = run
    told = json.loads(done.stdout)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (told["as_told"], told["wrong"], told["kept"]) == (True, [], None)
    assert [(act["text"], act["good"]) for act in told["acts"]] == [(text, True) for text, _ in SCENES]


def test_only_the_gateway_that_was_killed_failed_anybody(
    run: tuple["subprocess.CompletedProcess[str]", Path],
) -> None:
    """And only while it was dead; callers who had to be refused were, at each product."""
    remote, charging, maps = products = json.loads(run[0].stdout)["products"]

    assert [product["name"] for product in products] == ["remote-services", "charging", "map-updates"]
    assert (remote["failed"], charging["failed"]) == (0, 0)
    assert maps["failed"] == maps["excused"]
    assert all(product["statuses"]["200"] > 0 < product["statuses"]["401"] for product in products)
    assert all(product["p50"] <= product["p99"] for product in products)
    assert (remote["release"], charging["release"], maps["release"]) == (1, 3, 1)


def test_each_mistake_is_named_by_who_found_it(run: tuple["subprocess.CompletedProcess[str]", Path]) -> None:
    """One with file and line, one with Envoy's own reason, one with the rule and what callers would miss."""
    acts: list[dict[str, Any]] = json.loads(run[0].stdout)["acts"]

    assert acts[3]["told"].startswith("products/charging/openapi.yaml:")
    assert acts[4]["told"].startswith("Envoy refuses this configuration: invalid repetition size")
    assert acts[5]["told"].startswith("charging may not go live: 1 broken rule, 1 breaking change compared with")


def test_it_leaves_nothing_behind(run: tuple["subprocess.CompletedProcess[str]", Path]) -> None:
    """No process and no folder."""
    _, temporary = run

    assert list(temporary.iterdir()) == []
    assert [process.command for process in ours() if str(temporary) in process.command] == []


def test_it_loads_nothing_of_the_command_half() -> None:
    """No NATS, no MQTT, no store: the platform is a process that it starts."""
    probe = (
        "import sys; from outrider.cli.gateway.demo import stage, scene, screen\n"
        "print(*[name for name in ('nats', 'gmqtt', 'sqlite3', 'outrider.wiring') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == ""
