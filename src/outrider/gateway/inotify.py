"""How many files a user may have watched: each file that an Envoy follows takes one inotify instance of its user.

Where there are too few, Envoy ends as it starts, or when it is told to follow one more; so they are counted before.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from outrider.gateway.faults import Refused

_PROC = Path("/proc")
_LIMIT = "fs.inotify.max_user_instances"
SPARE = 6
"""Instances that stay free: while one gateway is changed or handed over, it follows files twice."""


def needed(files: Mapping[str, bytes]) -> int:
    """The instances that a gateway with this configuration takes: one for each file, or folder, that it follows."""
    return len({one for content in files.values() for one in _followed(msgspec.json.decode(content))})


def limit() -> int | None:
    """How many a user may have; None where there is no such limit (macOS)."""
    try:
        return int(_PROC.joinpath("sys", *_LIMIT.split(".")).read_text())
    except (OSError, ValueError):
        return None


def in_use(users: set[int]) -> dict[int, int]:
    """How many each user has now, as far as this user may see it."""
    found = dict.fromkeys(users, 0)
    for entry in _PROC.iterdir() if _PROC.joinpath("self", "fd").exists() else ():
        with suppress(OSError):  # gone since it was listed, or not ours to see
            if entry.name.isdigit() and (user := entry.stat().st_uid) in users:
                found[user] += of(int(entry.name))
    return found


def of(pid: int) -> int:
    """How many a process has now. OSError if it is gone, or not ours to see."""
    return sum(_is_instance(file) for file in _PROC.joinpath(str(pid), "fd").iterdir())


def check(wanted: Mapping[int, int]) -> None:
    """Refused if a user can't have so many more; `wanted`: how many each one will take, in all."""
    most = limit()
    if most is None:
        return
    there = in_use(set(wanted))
    for user, more in wanted.items():
        if more and there[user] + more + SPARE > most:
            raise Refused(_too_few(user, more, there[user], most))


def _too_few(user: int, more: int, there: int, most: int) -> str:
    enough = there + more + SPARE
    ways = [f"raise the limit (as root: sysctl -w {_LIMIT}={max(1024, enough)})"]
    ways.append("leave out --one-user" if os.geteuid() == 0 else "run it as root, where each gateway is its own user")
    return (
        f"{more} inotify instances are needed and {SPARE} kept spare, user {user} has {there} in use, and the kernel "
        f"allows each user {most} ({_LIMIT}): {', or '.join(ways)}"
    )


def _is_instance(file: Path) -> bool:
    try:
        return os.readlink(file) == "anon_inode:inotify"
    except OSError:
        return False


def _followed(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Each subscription: the file, and the name of what wants something from it, for one file may hold several."""
    if isinstance(value, list):
        return [one for inner in value for one in _followed(inner, name)]
    if not isinstance(value, dict):
        return []
    if "path_config_source" in value:
        return [(value["path_config_source"]["path"], name)]
    if "watched_directory" in value:  # of a certificate
        return [(value["watched_directory"]["path"], name)]
    return [one for inner in value.values() for one in _followed(inner, str(value.get("name", name)))]
