"""Files written whole or not at all, which reach the disk before the next step and belong to their folder's owner."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from outrider.gateway.faults import Refused

_ADVICE = {
    errno.EACCES: "it is another user's: be that user, or choose another folder with --state",
    errno.EPERM: "it is another user's: be that user, or choose another folder with --state",
    errno.EROFS: "choose a folder that can be written, with --state",
    errno.ENOSPC: "make room on that disk, and try again",
    errno.EDQUOT: "this user may not keep more there: make room, and try again",
    errno.EFBIG: "this process may not write so much: `ulimit -f unlimited`, and try again",
    errno.EISDIR: "a folder is where a file has to be: move it away, and try again",
    errno.ENOTDIR: "a file is where a folder has to be: move it away, and try again",
    errno.ELOOP: "a link is where a file has to be: remove it, and try again",
    errno.EMFILE: "too many files are open: raise `ulimit -n`, and try again",
}

T = TypeVar("T")


def read(file: Path) -> bytes:
    """Its content. OSError if it is a link, too."""
    # A gateway that was broken into owns its folder; a link put there must not lead its watcher to other files, and a
    # pipe must not hold it up.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with named(file), open(os.open(file, flags), "rb") as opened:
        return opened.read()


def decoded(file: Path, kind: type[T]) -> T | None:
    """What JSON is in a file; None if there is none. Refused where it was damaged."""
    try:
        return msgspec.json.decode(read(file), type=kind)
    except FileNotFoundError:
        return None
    except PermissionError:  # it is somebody else's, and all right
        raise
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise Refused(f"{file} was damaged and can't be read: {error}") from None


def replace(file: Path, content: bytes) -> None:
    """Make or replace a file at once, for its owner's eyes only."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with named(file):
        try:
            put(draft, content, mode=0o600)
            draft.replace(file)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            raise
        sync(file.parent)


def put(draft: Path, content: bytes, mode: int) -> None:
    """Make a file that nobody looks at yet."""
    draft.unlink(missing_ok=True)  # left by a process of the same number that crashed
    with named(draft), open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as opened:
        opened.write(content)
        opened.flush()
        give(opened.fileno(), draft.parent)
        os.fsync(opened.fileno())


def give(made: int | Path, folder: Path) -> None:
    """What root makes in a folder belongs to the folder's owner, who could not use it otherwise."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(made, owner.st_uid, owner.st_gid)


def remove(file: Path) -> None:
    """Remove a file, if there is one."""
    with suppress(FileNotFoundError):
        file.unlink()
        sync(file.parent)


def sync(folder: Path) -> None:
    """What was made, renamed or removed in a folder reaches the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def problem(error: OSError) -> str:
    """What kept a file from being read or written, in a line: which file, why, and what to do."""
    parts = (error.filename, error.strerror or error, _ADVICE.get(error.errno or 0, "mend that, and try again"))
    return ": ".join(str(part) for part in parts if part)


@contextmanager
def named(file: Path) -> Iterator[None]:
    """An error in the block names this file: the system's own names a draft, a number, or nothing."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(file), None
        raise
