"""A command as a person reads it: what was asked, and each hop with its time, backend and vehicle apart."""

from collections.abc import Iterator, Mapping
from typing import Any

from outrider.cli.shown import assignments, short_time, state_colour, styled

_WIDE = 34
"""Columns for what the backend did: `queued: vehicle_offline (attempt 2)` is about the longest."""

HEAD = f"{'AFTER':>11}  {'BACKEND':<{_WIDE}}  VEHICLE"

_HAPPENED = {"no": "no", "yes": "yes, it was sent", "perhaps": "perhaps: it was sent, and no answer came"}


def told(command: Mapping[str, Any]) -> Iterator[str]:
    """The whole story of a command, line by line."""
    yield from _asked(command)
    yield from ("", styled(HEAD, bold=True))
    yield from map(hop_line, command["timeline"])
    yield from ("", summary(command))


def _asked(command: Mapping[str, Any]) -> Iterator[str]:
    yield f"{command['service']}  {verdict(command)}"
    happened = str(command["happened"])
    facts = {
        "vehicle": command["vin"],
        "command": command["id"],
        "asked": assignments(command["params"]),
        "result": assignments(command.get("result")),
        "accepted": short_time(command["accepted_at"]),
        "expires": f"{short_time(command['expires_at'])}, deadline {short_time(command['deadline'])}",
        "happened": _HAPPENED.get(happened, happened),
    }
    yield from (f"  {name:<9} {text}" for name, text in facts.items() if text)


def verdict(command: Mapping[str, Any]) -> str:
    """`executed: verified`, `queued: vehicle_offline`, in the state's colour."""
    return styled(plain_verdict(command), state_colour(command["state"]))


def plain_verdict(command: Mapping[str, Any]) -> str:
    """The state, and what there is to say about it."""
    why = command.get("reason") or command.get("outcome")
    return f"{command['state']}: {why}" if why else str(command["state"])


def hop_line(hop: Mapping[str, Any]) -> str:
    """One hop in its column: `      1.250 s                        executed`."""
    what = f"{hop['what']}: {hop['reason']}" if hop.get("reason") else str(hop["what"])
    if (hop.get("attempt") or 0) > 1:
        what += f" (attempt {hop['attempt']})"
    column = "" if hop["by"] == "backend" else " " * (_WIDE + 2)
    return f"{hop['after']:>9.3f} s  {column}{styled(what, state_colour(hop['state']))}"


def summary(command: Mapping[str, Any]) -> str:
    """How long it took, and whose time that was."""
    took = command["seconds"]
    so_far = "in all" if command["settled"] else "so far"
    return f"{took['total']:.3f} s {so_far}: {took['backend']:.3f} s backend, {took['vehicle']:.3f} s vehicle"
