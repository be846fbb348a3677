"""What must hold of many gateways on one machine, what is aimed at, and how the figures are told. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from outrider.cli.shown import styled

GIGABYTE = 1e9
UP_SECONDS, MEMORY_BYTES = 60.0, 4 * GIGABYTE
"""What must be kept to."""
UP_AIM, MEMORY_AIM, BACK_AIM = 15.0, 2.5 * GIGABYTE, 1.0


def judged(result: Mapping[str, Any]) -> dict[str, Any]:
    """The figures with what is wrong with them; nothing, if all holds that must."""
    return {**result, "wrong": list(_wrong(result))}


def _wrong(result: Mapping[str, Any]) -> Iterator[str]:
    death = result["death"]
    if result["up_seconds"] >= UP_SECONDS:
        yield f"it took {result['up_seconds']:.1f} s until all answered, which must be below {UP_SECONDS:g} s"
    if (result["memory_bytes"] or 0) >= MEMORY_BYTES:
        yield f"they take {_gigabytes(result['memory_bytes'])}, which must be below {_gigabytes(MEMORY_BYTES)}"
    if death["back_seconds"] is None:
        yield "the one that was killed did not come back"
    if death["others_failed"]:
        yield f"{death['others_failed']} requests to the others failed when one was killed"
    if death["failed_before_or_after"]:
        yield f"{death['failed_before_or_after']} requests to the killed one failed while it lived"


def told(result: Mapping[str, Any]) -> Iterator[str]:
    """The figures for people, a few aligned lines."""
    death = result["death"]
    lines = {
        "gateways": f"{result['count']}, published in {result['publish_seconds']:.1f} s",
        "until all answer": _against(f"{result['up_seconds']:.1f} s", result["up_seconds"], UP_AIM, "15 s"),
        "memory (PSS)": _memory(result),
        "CPU while idle": _cpu(result),
        "kill -9 of one": _death(death),
        "the others": f"{death['others']} under load: {death['others_requests']} requests, "
        f"{death['others_failed']} failed",
    }
    yield from (f"{name:<18} {text}" for name, text in lines.items() if text)
    if result["wrong"]:
        yield from (styled(line, "red", bold=True) for line in result["wrong"])
    else:
        yield styled("All that must hold does: below 60 s, below 4 GB, and no other notices a death.", "green")


def _memory(result: Mapping[str, Any]) -> str:
    if result["memory_bytes"] is None:
        return "can't be told here (/proc/PID/smaps_rollup)"
    each = result["memory_bytes"] / result["count"] / 1e6
    own = (
        "" if result["watcher_memory_bytes"] is None else f"; the watcher {result['watcher_memory_bytes'] / 1e6:.0f} MB"
    )
    text = f"{_gigabytes(result['memory_bytes'])}, {each:.1f} MB each{own}"
    return _against(text, result["memory_bytes"], MEMORY_AIM, "2.5 GB")


def _cpu(result: Mapping[str, Any]) -> str:
    if "idle_cpu_percent" not in result:
        return ""
    watcher = f"the watcher {result['watcher_idle_cpu_percent']:.1f} %"
    return f"{result['idle_cpu_percent']:.1f} % of one core for all; {watcher}"


def _death(death: Mapping[str, Any]) -> str:
    if death["back_seconds"] is None:
        return "it did not come back"
    text = f"serves again after {death['back_seconds']:.2f} s; {death['failed']} requests met nobody"
    return _against(text, death["back_seconds"], BACK_AIM, "1 s")


def _against(text: str, value: float, aim: float, shown: str) -> str:
    return f"{text} (aim: below {shown}{'' if value < aim else ', MISSED'})"


def _gigabytes(size: float) -> str:
    return f"{size / GIGABYTE:.2f} GB"
