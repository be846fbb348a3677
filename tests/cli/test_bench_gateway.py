"""The measurements of gateways: a short one of each, and the pure parts that make their figures."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from outrider.cli.bench.death import Death
from outrider.cli.bench.gateway_figures import Turn, added, good, told
from outrider.cli.bench.gateways_figures import judged
from outrider.cli.bench.gateways_figures import told as told_of_many
from outrider.cli.bench.rivals import RIVALS, Rival
from outrider.common.ports import Address
from outrider.common.processes import ours
from tests.beside import beside

WORDS = {
    "gateway": ("--rate", "100", "--rounds", "1", "--seconds", "0.5"),
    "gateways": ("--count", "2", "--idle", "1"),
}


class Done(NamedTuple):
    """One measurement: how it ended, what it said, and its temporary folder."""

    code: int
    out: str
    err: str
    temporary: Path


@beside
def done(folder: Path) -> dict[str, Done]:
    """A short measurement of each kind, both at once: most of their time they wait."""
    places = {name: folder / name for name in WORDS}
    for place in places.values():
        place.mkdir()
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", "outrider", "bench", name, *words, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(places[name])},
        )
        for name, words in WORDS.items()
    }
    said = {name: process.communicate(timeout=120) for name, process in running.items()}
    return {name: Done(running[name].returncode, *said[name], places[name]) for name in WORDS}


def _nothing_is_left(temporary: Path) -> bool:
    return not list(temporary.iterdir()) and not [one for one in ours() if str(temporary) in one.command]


def test_a_gateway_is_measured_against_the_direct_way(done: dict[str, Done]) -> None:
    """Each way has its figures, no request fails, and nothing stays behind; how quick it is, a test does not judge."""
    code, out, err, temporary = done["gateway"]
    assert code == 0, err
    result = json.loads(out)
    ways = result["rates"]["100"]

    assert {"direct", "gateway"} <= ways.keys()
    assert ways.keys() | result["absent"].keys() == {"direct", "gateway", "nginx", "haproxy"}
    assert all(way["failed"] == 0 and way["asked"] > 10 for way in ways.values())
    assert "added_p50_ms" in ways["gateway"]
    assert _nothing_is_left(temporary)


def test_many_gateways_come_up_and_one_of_them_comes_back(done: dict[str, Done]) -> None:
    """Two of them here; the other does not notice the death, and nothing stays behind."""
    code, out, err, temporary = done["gateways"]
    assert code == 0, err
    result = json.loads(out)

    assert result["wrong"] == []
    assert result["death"]["others"] == 1
    assert result["death"]["others_failed"] == 0
    assert result["death"]["others_requests"] > 20
    assert _nothing_is_left(temporary)


def _turn(name: str, milliseconds: list[float], **differs: Any) -> Turn:
    latencies = tuple(one / 1000 for one in milliseconds)
    return Turn(
        **({"name": name, "rate": 500.0, "asked": len(latencies), "failed": 0, "latencies": latencies} | differs)
    )


def test_what_is_added_is_the_difference_to_the_direct_way() -> None:
    """Of the same rate; a figure is the median of the rounds, so that one bad moment of the machine counts once."""
    turns = [_turn("direct", [0.2]), _turn("gateway", [0.5]), _turn("direct", [0.2]), _turn("gateway", [90.0])]
    turns += [_turn("direct", [0.3]), _turn("gateway", [0.6])]
    ways = added(turns)["rates"]["500"]

    assert ways["direct"]["p50_ms"] == 0.2
    assert ways["gateway"]["p99_ms"] == 0.6
    assert ways["gateway"]["added_p50_ms"] == 0.4
    assert "added_p50_ms" not in ways["direct"]


@pytest.mark.parametrize(("gateway", "kept"), [(1.1, True), (1.2, False), (3.3, False)])
def test_less_than_a_millisecond_must_be_added_at_500_a_second(gateway: float, kept: bool) -> None:
    """P50 and P99 each have their limit; other rates are told and not judged."""
    turns = [_turn("direct", [0.2]), _turn("gateway", [gateway]), _turn("gateway", [99.0], rate=2000.0)]
    result = added([*turns, _turn("direct", [0.2], rate=2000.0)])

    assert good(result) == kept
    assert result["must"]["added_p50_ms"]["kept"] == kept
    assert result["must"]["added_p99_ms"]["kept"] == (gateway < 3.2)


def test_a_request_that_failed_is_never_good() -> None:
    """However quick the others were."""
    assert not good(added([_turn("direct", [0.2]), _turn("gateway", [0.3], failed=1)]))
    assert not good(added([_turn("direct", [0.2]), _turn("gateway", [])]))


def test_the_processor_time_is_that_of_one_request() -> None:
    """Over all rounds; None where there is no proxy."""
    turns = [_turn("direct", [0.2]), _turn("gateway", [0.3] * 4, cpu=0.0003), _turn("gateway", [0.3] * 6, cpu=0.0002)]
    ways = added(turns)["rates"]["500"]

    assert ways["gateway"]["cpu_us"] == 50.0
    assert ways["direct"]["cpu_us"] is None


def test_the_absent_are_named_with_what_installs_them() -> None:
    """In every table."""
    result = added([_turn("direct", [0.2]), _turn("gateway", [0.5])])
    lines = list(told({**result, "absent": {"nginx": "apt-get install nginx-light"}, "rounds": 2, "seconds": 1}))

    assert any(line.split() == ["nginx", "not", "installed:", "apt-get", "install", "nginx-light"] for line in lines)
    assert any("P50 added at 500/s: 0.30 ms" in line for line in lines)


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_a_rival_is_one_worker_that_keeps_connections_and_writes_a_log(rival: Rival, tmp_path: Path) -> None:
    """As our gateways; everything that it writes is in the folder."""
    argv = rival.command(Address("127.0.0.1", 1001), Address("127.0.0.1", 1002), tmp_path)
    written = tmp_path.joinpath(f"{rival.name}.conf").read_text()

    assert argv[0].endswith(rival.program)
    assert str(tmp_path / f"{rival.name}.conf") in argv
    assert "127.0.0.1:1001;" in written or "bind 127.0.0.1:1001\n" in written
    assert "server 127.0.0.1:1002;" in written or "server one 127.0.0.1:1002\n" in written
    assert "log" in written


def test_only_requests_of_the_dead_are_excused() -> None:
    """Those that were due before it was back; without a return, all."""
    assert Death(killed=1.0, gone=1.1, back=2.0).excuses(1.9)
    assert not Death(killed=1.0, gone=1.1, back=2.0).excuses(2.0)
    assert Death(killed=1.0, gone=1.1, back=None).excuses(9.0)
    assert Death(killed=1.0, gone=1.1, back=2.5).seconds == 1.5


MANY: dict[str, Any] = {
    "count": 140,
    "publish_seconds": 9.0,
    "up_seconds": 12.0,
    "memory_bytes": 2_100_000_000,
    "watcher_memory_bytes": 60_000_000,
    "idle_cpu_percent": 20.0,
    "watcher_idle_cpu_percent": 2.0,
    "death": {
        "back_seconds": 0.2,
        "failed": 30,
        "failed_before_or_after": 0,
        "others": 19,
        "others_requests": 2000,
        "others_failed": 0,
    },
}


def test_what_must_hold_of_many_gateways_is_judged() -> None:
    """Sixty seconds, four gigabytes, and nobody notices the death of another."""
    death = MANY["death"]

    assert judged(MANY)["wrong"] == []
    assert judged({**MANY, "memory_bytes": None})["wrong"] == []
    assert len(judged({**MANY, "up_seconds": 60.0, "memory_bytes": 4_000_000_000})["wrong"]) == 2
    assert len(judged({**MANY, "death": {**death, "back_seconds": None, "others_failed": 1}})["wrong"]) == 2
    assert len(judged({**MANY, "death": {**death, "failed_before_or_after": 1}})["wrong"]) == 1


def test_an_aim_that_was_missed_is_said() -> None:
    """It is no failure."""
    lines = list(told_of_many(judged({**MANY, "up_seconds": 16.0})))

    assert [line for line in lines if "MISSED" in line] == [
        f"{'until all answer':<18} 16.0 s (aim: below 15 s, MISSED)"
    ]
    assert "All that must hold does" in lines[-1]
    assert any(line.endswith("2.10 GB, 15.0 MB each; the watcher 60 MB (aim: below 2.5 GB)") for line in lines)
