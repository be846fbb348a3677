"""The data folder: who may write to it, and where the platform on it can be found.

Only this module knows `outrider.lock` and `platform.json`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from outrider.common import private_files


class DataFolderInUse(Exception):
    """Another process writes to this data folder."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What a running platform tells of itself: its process, and where people, vehicles and services connect.

    api: the address for everyone, a gateway's where there is one. behind: where the API itself listens behind it, the
    path of a Unix socket or an address; None without one, and then `no_gateway` says why, if one was wanted.
    """

    pid: int
    api: str
    behind: str | None = None
    no_gateway: str | None = None
    mqtt: str | None = None
    nats: str | None = None


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Be the one that writes: SQLite has one writer. The lock goes with the process, however that ends."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(data / "outrider.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise DataFolderInUse(
                f"{data} is in use by process {lock.read().strip() or 'unknown'}: SQLite has one writer, so creation "
                "and processing run in one process. Stop that one, or use another folder with --data."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def told(data: Path, note: Note) -> Iterator[None]:
    """Leave a note for as long as the platform runs. It is written whole or not at all, and for the owner only."""
    file = data / "platform.json"
    private_files.write(file, msgspec.json.encode(note))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def where(data: Path) -> Note | None:
    """The note of the platform on this folder, or None if there is none. It may be left from one that was killed."""
    try:
        return msgspec.json.decode((data / "platform.json").read_bytes(), type=Note)
    except (OSError, msgspec.MsgspecError):
        return None
