"""The measurement: a short one of everything, and the pure parts that make its figures."""

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from outrider.cli.bench.crew import Crew, names
from outrider.cli.bench.figures import figures, good, percentile, told
from outrider.cli.bench.load import ACCEPTED, Endpoint, Load, Shot, request, times
from outrider.cli.bench.measure import turns
from outrider.common.ports import free_ports
from outrider.common.processes import ours
from outrider.simulator.fleet import vins
from tests.beside import beside

VIN = "0UTR1DERS00000001"


@beside
def run(temporary: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A bench of three seconds, with its own folder for temporary files."""
    argv = ["bench", "commands", "--rate", "50", "--seconds", "3", "--vehicles", "10", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "outrider", *argv],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
        timeout=120,
        check=False,
    )
    return done, temporary


def test_a_bench_loses_nothing(run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Every measured request is accepted, settles as executed, and is performed once; the exit code says so."""
    done, _ = run
    result = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert (result["rate"], result["seconds"], result["vehicles"]) == (50, 3, 10)
    assert (result["accepted"], result["settled"], result["by_state"]) == (150, 150, {"executed": 150})
    assert (result["refused"], result["lost"], result["performed_twice"], result["untrue"]) == ({}, 0, 0, 0)


def test_its_latencies_are_in_order(run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """A 202 comes before executed, and percentiles rise."""
    result = json.loads(run[0].stdout)

    assert 0 < result["p50_ms"] <= result["p95_ms"] <= result["p99_ms"] <= result["max_ms"]
    assert 0 < result["accepted_p50_ms"] <= result["accepted_p99_ms"]
    assert result["accepted_p50_ms"] < result["seen_p50_ms"] <= result["seen_p99_ms"]
    assert result["late_ms"] >= 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="CPU times are read from /proc")
def test_it_tells_whose_cpu_time_it_was(run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """Each process apart; the load costs less than the platform that it measures."""
    used = json.loads(run[0].stdout)["cpu_seconds"]

    assert set(used) == {"platform", "admission", "nats", "gateway", "cars", "load"}
    assert 0 < used["load"] < used["platform"]


def test_it_leaves_nothing_behind(run: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    """No process and no folder."""
    _, temporary = run

    assert list(temporary.iterdir()) == []
    assert [process.command for process in ours() if str(temporary) in process.command] == []


def test_the_load_is_evenly_spaced() -> None:
    """Request n is due at n / rate, whatever becomes of the others."""
    assert times(4, 1.5) == [0, 0.25, 0.5, 0.75, 1.0, 1.25]
    assert len(times(1000, 20)) == 20_000


@pytest.mark.parametrize(("rate", "vehicles"), [(1, 1), (100, 100), (500, 15), (1000, 1000), (1000, 7)])
def test_no_person_asks_too_often(rate: float, vehicles: int) -> None:
    """However many vehicles there are: each person stays below what a gateway allows, and each vehicle has somebody."""
    persons: list[Any] = names(rate)
    crew = Crew(persons, vins(vehicles))
    turns = cycle([cycle(own) for own in crew.of.values()])
    asked = Counter(next(next(turns)) for _ in range(round(10 * rate)))

    assert max(asked.values()) / 10 < 90
    assert all(crew.of.values())


def test_vehicles_take_turns_and_so_do_their_services() -> None:
    """Round robin over the vehicles, each with its next service."""
    asks = [[("A", "lock", 30.0), ("A", "horn", 20.0)], [("B", "lock", 30.0)]]

    assert [(vin, service) for vin, service, _ in islice(turns(asks), 6)] == [
        ("A", "lock"),
        ("B", "lock"),
        ("A", "horn"),
        ("B", "lock"),
        ("A", "lock"),
        ("B", "lock"),
    ]


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7.0], 50, 7.0),
        ([7.0], 99, 7.0),
        ([1.0, 2.0], 50, 1.0),
        ([1.0, 2.0, 3.0], 50, 2.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 101)], 100, 100.0),
        ([float(n) for n in range(1, 1001)], 99, 990.0),
    ],
)
def test_percentiles_are_exact(values: list[float], percent: float, expected: float | None) -> None:
    """The smallest value that so many percent do not exceed; always one that was measured."""
    assert percentile(values, percent) == expected


def _shot(number: int, **differs: Any) -> Shot:
    ordinary: dict[str, Any] = {"due": 100.0, "made": 100.0, "answered": 100.003, "status": ACCEPTED, "id": str(number)}
    return Shot(vin=VIN, **(ordinary | differs))


def _command(number: int, state: str = "executed") -> dict[str, Any]:
    settled_at = "1970-01-01T00:01:40.010Z"
    settled = state != "sent"
    return {
        "id": str(number),
        "vin": VIN,
        "state": state,
        "outcome": "done",
        "settled": settled,
        "settled_at": settled_at if settled else None,
    }


def test_latency_counts_from_when_it_was_due() -> None:
    """A request that was made late is as late for who wanted it on time."""
    result = figures([_shot(1, made=100.002)], {"1": _command(1)}, {(VIN, "1"): 1})

    assert (result["p50_ms"], result["max_ms"]) == (10.0, 10.0)
    assert (result["accepted_p50_ms"], result["late_ms"]) == (3.0, 2.0)
    assert good(result)


def test_what_got_a_202_and_did_not_settle_is_lost() -> None:
    """Whether the platform forgot it, or still has it open."""
    result = figures([_shot(1), _shot(2), _shot(3)], {"1": _command(1), "2": _command(2, "sent")}, {(VIN, "1"): 1})

    assert (result["accepted"], result["settled"], result["lost"]) == (3, 1, 2)
    assert not good(result)


def test_the_cars_are_asked_too() -> None:
    """What they did twice, or never did although it is said, is counted."""
    commands = {"1": _command(1), "2": _command(2), "3": _command(3, "expired")}
    result = figures([_shot(1), _shot(2), _shot(3)], commands, {(VIN, "1"): 2, (VIN, "3"): 1})

    assert (result["performed_twice"], result["untrue"]) == (1, 2)
    assert not good(result)


def test_the_refused_are_counted_by_their_code() -> None:
    """They are no part of the accepted; where nothing is accepted, nothing was measured."""
    refused = [_shot(1, status=503, code="temporarily_unavailable"), _shot(2, status=0, code="no_answer")]
    result = figures(refused, {}, {})

    assert result["refused"] == {"temporarily_unavailable": 1, "no_answer": 1}
    assert result["p50_ms"] is None
    assert not good(result)


def test_the_last_line_says_whether_the_promise_was_kept() -> None:
    """Also where no figure could be had."""
    asked = {"rate": 1, "seconds": 1, "vehicles": 1, "cpu_seconds": {}}

    assert list(told({**asked, **figures([_shot(1)], {"1": _command(1)}, {(VIN, "1"): 1})}))[-1].count("none lost") == 1
    assert "1 LOST" in list(told({**asked, **figures([_shot(1)], {}, {})}))[-1]
    assert "nothing was accepted" in list(told({**asked, **figures([], {}, {})}))[-1]


def test_it_is_said_that_a_gateway_was_the_limit() -> None:
    """One person's token is not enough for a high rate."""
    asked = {"rate": 1, "seconds": 1, "vehicles": 1, "cpu_seconds": {}}
    refused = [_shot(1), _shot(2, status=429, code="person_limit")]

    said = list(told({**asked, **figures(refused, {"1": _command(1)}, {(VIN, "1"): 1})}))

    assert "refused: 1 person_limit" in said[1]
    assert any("Without --token" in line for line in said)


async def test_where_nobody_answers_the_load_ends_all_the_same() -> None:
    """Each request stays unanswered; none is made a second time."""
    endpoint = Endpoint("127.0.0.1", free_ports(1)[0], False)
    shots = [_shot(n, due=0.0, made=0.0, status=0, id="", code="no_answer") for n in range(5)]

    await Load(endpoint).run([(shot, request(endpoint, "/", "token", b"{}")) for shot in shots])

    assert [(shot.status, shot.code) for shot in shots] == [(0, "no_answer")] * 5
