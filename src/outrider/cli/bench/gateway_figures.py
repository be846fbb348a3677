"""From the turns of all ways to an upstream to what each adds. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

import msgspec

from outrider.cli.bench.figures import percentile
from outrider.cli.shown import styled

DIRECT, GATEWAY = "direct", "gateway"
MUST_RATE = 500.0
MUST = {"p50": 1.0, "p99": 3.0}
"""Milliseconds that a gateway may add at that rate."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Some seconds of load on one way. latencies: seconds, sorted. late: by how much the load fell behind at most.
    cpu: seconds that the proxy used; None where there is none, or it can't be told.
    """

    name: str
    rate: float
    asked: int
    failed: int
    latencies: Sequence[float]
    late: float = 0.0
    cpu: float | None = None


def added(turns: Sequence[Turn]) -> dict[str, Any]:
    """The figures of each way at each rate, what it adds, and whether what must hold does."""
    rates = {
        f"{rate:g}": {name: _way([turn for turn in turns if (turn.rate, turn.name) == (rate, name)]) for name in names}
        for rate, names in _asked(turns).items()
    }
    for ways in rates.values():
        for name, way in ways.items():
            if name != DIRECT:
                way |= {f"added_{p}_ms": round(way[f"{p}_ms"] - ways[DIRECT][f"{p}_ms"], 3) for p in MUST}
    return {"rates": rates, "must": _must(rates), "failed": sum(turn.failed for turn in turns)}


def _asked(turns: Sequence[Turn]) -> dict[float, list[str]]:
    names = list(dict.fromkeys(turn.name for turn in turns))
    return dict.fromkeys(sorted({turn.rate for turn in turns}), names)


def _way(turns: Sequence[Turn]) -> dict[str, Any]:
    asked = sum(turn.asked for turn in turns)
    cpus = [turn.cpu for turn in turns if turn.cpu is not None]
    return {
        **{f"p{p}_ms": _milliseconds([percentile(turn.latencies, p) for turn in turns]) for p in (50, 95, 99)},
        "asked": asked,
        "failed": sum(turn.failed for turn in turns),
        "late_ms": round(1000 * max(turn.late for turn in turns), 2),
        "cpu_us": round(1e6 * sum(cpus) / asked, 1) if cpus and asked else None,
    }


def _milliseconds(rounds: Sequence[float | None]) -> float:
    """The median of the rounds; a round without an answer is an endless one."""
    return round(1000 * median(float("inf") if one is None else one for one in rounds), 3)


def _must(rates: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    way = rates.get(f"{MUST_RATE:g}", {}).get(GATEWAY)
    if way is None:
        return {}
    return {
        f"added_{p}_ms": {"below": limit, "is": way[f"added_{p}_ms"], "kept": way[f"added_{p}_ms"] < limit}
        for p, limit in MUST.items()
    }


def good(result: Mapping[str, Any]) -> bool:
    """Did no request fail, and does all hold that must?"""
    return not result["failed"] and all(must["kept"] for must in result["must"].values())


def told(result: Mapping[str, Any]) -> Iterator[str]:
    """The figures for people: a table for each rate."""
    for rate, ways in result["rates"].items():
        yield f"{rate + ' requests/s':<18} {'P50':>8} {'P95':>8} {'P99':>8}   {'adds P50':>9} {'P99':>8} {'CPU':>11}"
        for name, way in ways.items():
            adds = ("added_p50_ms", "added_p99_ms") if name != DIRECT else ()
            yield (
                f"{name:<18} {way['p50_ms']:8.2f} {way['p95_ms']:8.2f} {way['p99_ms']:8.2f}   "
                + "".join(f"{way[one]:9.2f}" for one in adds)
                + (f" {way['cpu_us']:8.0f} us" if way["cpu_us"] is not None else "")
            ).rstrip()
        yield from (f"{name:<18} not installed: {install}" for name, install in result["absent"].items())
        yield ""
    rounds = f"{result['rounds']} rounds of {result['seconds']:g} s"
    yield f"Milliseconds, each the median of {rounds}. CPU: of the proxy, for one request."
    for name, must in result["must"].items():
        words = f"{'P50' if 'p50' in name else 'P99'} added at {MUST_RATE:g}/s: {must['is']:.2f} ms"
        kept = f"must be below {must['below']:g} ms"
        yield styled(f"{words}, {kept}", "green" if must["kept"] else "red", bold=not must["kept"])
    if result["failed"]:
        yield styled(f"{result['failed']} requests FAILED", "red", bold=True)
