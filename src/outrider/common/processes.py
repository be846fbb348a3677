"""What runs on this machine: a process is known by its id together with its start, for ids come again.

Linux is read from /proc, which needs no program; elsewhere (macOS) `ps` is asked.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Collection, Iterator
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
        return now is not None and self.is_same(now)

    def is_same(self, other: "Process") -> bool:
        """Is it the same process? The command tells nothing: it may have been looked at before it was there."""
        return (self.pid, self.started) == (other.pid, other.started)


def look(pid: int) -> Process | None:
    """The live process with this id, if there is one."""
    if _PROC.joinpath("self", "stat").exists():
        return _from_proc(pid)
    return next(_from_ps("-p", str(pid)), None)


def ours() -> Iterator[Process]:
    """Every live process of this user."""
    for _, process in of_users({os.geteuid()}):
        yield process


def of_users(users: Collection[int]) -> Iterator[tuple[int, Process]]:
    """Every live process of these users, each with its user."""
    if _PROC.joinpath("self", "stat").exists():
        for entry in _PROC.iterdir():
            with suppress(OSError):  # gone since it was listed
                if entry.name.isdigit() and (user := entry.stat().st_uid) in users:
                    process = _from_proc(int(entry.name))
                    if process:
                        yield user, process
    else:
        for user in users:
            for process in _from_ps("-x", "-U", str(user)):
                yield user, process


async def end(process: Process, within: float = 5.0) -> None:
    """End a process, and the group that it leads with it: asked first, killed after `within` seconds."""
    for sign, patience in ((signal.SIGTERM, within), (signal.SIGKILL, 5.0)):
        if not process.alive():
            return
        with suppress(ProcessLookupError):
            leads = os.getpgid(process.pid) == process.pid
            (os.killpg if leads else os.kill)(process.pid, sign)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while process.alive():
                    await asyncio.sleep(_LOOK_EVERY)


async def until_gone(process: Process) -> None:
    """Return when it has ended: at once where the system tells it (Linux); elsewhere it is looked at now and then."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    try:
        told = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux; gone; or no file can be opened any more
        while process.alive():
            await asyncio.sleep(_LOOK_EVERY)
        return
    try:
        if process.alive():  # and not another that has its id by now
            loop.add_reader(told, ended.set)
            await ended.wait()
    finally:
        loop.remove_reader(told)
        os.close(told)


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
