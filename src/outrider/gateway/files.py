"""Files written whole or not at all, which reach the disk before the next step and belong to their folder's owner."""

import os
from contextlib import suppress
from pathlib import Path


def read(file: Path) -> bytes:
    """Its content. OSError if it is a link, too."""
    # A gateway that was broken into owns its folder; a link put there must not lead its watcher to other files.
    with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as opened:
        return opened.read()


def replace(file: Path, content: bytes) -> None:
    """Make or replace a file at once, for its owner's eyes only."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    put(draft, content, mode=0o600)
    draft.replace(file)
    sync(file.parent)


def put(draft: Path, content: bytes, mode: int) -> None:
    """Make a file that nobody looks at yet."""
    draft.unlink(missing_ok=True)  # left by a process of the same number that crashed
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as opened:
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
