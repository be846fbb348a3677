"""Who publishes, and which commit: as git says it, where there is git."""

import getpass
import os
import subprocess
from pathlib import Path

_WITHIN = 10.0
"""Seconds for git to answer."""


def author(folder: Path) -> str:
    """Git's `user.name <user.email>` in this folder, or else the login."""
    name, mail = (_git(folder, "config", key) for key in ("user.name", "user.email"))
    return f"{name} <{mail}>" if name and mail else name or mail or _login()


def commit(folder: Path) -> str:
    """The commit of a folder, with `-dirty` where something in it is not committed; empty where no git keeps it."""
    head = _git(folder, "rev-parse", "--verify", "HEAD")
    if not head or not _git(folder, "ls-files", "--", "."):
        return ""
    return f"{head}-dirty" if _git(folder, "status", "--porcelain", "--", ".") else head


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in many containers
        return f"user {os.getuid()}"


def _git(folder: Path, *words: str) -> str:
    """What git says; empty where it says nothing, or is not there. It writes nothing, not even its index."""
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        said = subprocess.run(["git", *words], cwd=folder, env=env, capture_output=True, text=True, timeout=_WITHIN)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
