"""What runs on this machine: a process is known by its id together with its start, for ids come again.

Linux is read from /proc, which needs no program; elsewhere (macOS) `ps` is asked.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_LOOK_EVERY = 0.05
"""Seconds between two looks at a process that is to end."""


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A live process. `started` has meaning only by being equal; `command` is its argv, joined by spaces."""

    pid: int
    started: str
    command: str

    def alive(self) -> bool:
        """Is it this very process that has the id now? A zombie is not alive."""
        now = look(self.pid)
        return now is not None and now.started == self.started


def look(pid: int) -> Process | None:
    """The live process with this id, if there is one."""
    if _PROC.joinpath("self", "stat").exists():
        return _from_proc(pid)
    return next(_from_ps("-p", str(pid)), None)


def ours() -> Iterator[Process]:
    """Every live process of this user."""
    if _PROC.joinpath("self", "stat").exists():
        for entry in _PROC.iterdir():
            with suppress(OSError):  # gone since it was listed
                if entry.name.isdigit() and entry.stat().st_uid == os.geteuid():
                    process = _from_proc(int(entry.name))
                    if process:
                        yield process
    else:
        yield from _from_ps("-x", "-U", str(os.geteuid()))


async def end(process: Process, within: float = 5.0) -> None:
    """End a process that leads its own group, and the group with it: asked first, killed after `within` seconds."""
    for sign, patience in ((signal.SIGTERM, within), (signal.SIGKILL, 5.0)):
        if not process.alive():
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while process.alive():
                    await asyncio.sleep(_LOOK_EVERY)


def _from_proc(pid: int) -> Process | None:
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text("utf-8", "replace")
        command = _PROC.joinpath(str(pid), "cmdline").read_bytes()
    except OSError:
        return None
    # "pid (name) state ...": the name may hold spaces and brackets, so count from its last bracket (proc(5)).
    state, *rest = stat.rpartition(")")[2].split()
    if state in "ZX":
        return None
    words = command.rstrip(b"\0").replace(b"\0", b" ")
    return Process(pid=pid, started=rest[18], command=os.fsdecode(words))  # 22nd field: clock ticks since boot


def _from_ps(*which: str) -> Iterator[Process]:
    shown = subprocess.run(
        ["ps", "-ww", *which, "-o", "pid=,state=,lstart=,command="],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,  # ps has status 1 when nothing matches
    )
    for line in shown.stdout.splitlines():
        pid, state, *started, command = line.split(maxsplit=7)  # lstart: Sun Nov 22 02:03:07 2026
        if not state.startswith("Z"):
            yield Process(pid=int(pid), started=" ".join(started), command=command)
