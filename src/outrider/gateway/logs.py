"""A gateway's logs: kept short, and read as if they were one file.

Envoy neither rotates its access log nor notices when somebody else does, until it is told to open it anew.
"""

import os
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

ACCESS, OWN = "access.log", "envoy.log"
"""One line for each request, as JSON; and what Envoy says of itself."""
LARGEST = 10_000_000
"""Bytes of one file."""
KEPT = 5
"""Older files that stay, `access.log.1` the newest of them."""
_SAFELY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def rotate(folder: Path, largest: int) -> bool:
    """Put aside what has become too large. True: Envoy is to be told to open its access log anew, if it runs."""
    _cut(folder / OWN, largest)
    file = folder / ACCESS
    if _size(file) >= largest:
        _shift(file)
    # Also where it could not be told the last time, or has had nothing to write since.
    return not file.exists() and _older(file, 1).exists()


def last_lines(file: Path, count: int) -> list[str]:
    """The last lines, the newest last, over all files that there are of this log."""
    found: deque[str] = deque()
    for one in (file, *(_older(file, number) for number in range(1, KEPT + 1))):
        missing = count - len(found)
        if missing <= 0:
            break
        with suppress(FileNotFoundError), _opened(one) as opened:
            found.extendleft(reversed(deque((line for line in opened if line.strip()), maxlen=missing)))
    return [line.rstrip("\n") for line in found]


def every_line(file: Path) -> Iterator[str]:
    """All lines that there are of this log, the newest file first."""
    for one in (file, *(_older(file, number) for number in range(1, KEPT + 1))):
        with suppress(FileNotFoundError), _opened(one) as opened:
            yield from opened


class Following:
    """A log from now on, through all that is put aside meanwhile."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rest = ""
        self._opened = self._open()
        if self._opened:
            self._opened.seek(0, os.SEEK_END)

    def more(self) -> list[str]:
        """The lines that were written since."""
        lines = self._read()
        if self._was_replaced():
            lines += self._read()  # what was written to it before the new one was there
            self.close()
            self._opened = self._open()
            lines += self._read()
        return lines

    def close(self) -> None:
        """End it."""
        if self._opened:
            self._opened.close()

    def _read(self) -> list[str]:
        if not self._opened:
            return []
        if self._opened.tell() > os.fstat(self._opened.fileno()).st_size:  # emptied
            self._opened.seek(0)
        *lines, self._rest = (self._rest + self._opened.read()).split("\n")
        return [line for line in lines if line.strip()]

    def _open(self) -> TextIO | None:
        with suppress(FileNotFoundError):
            return _opened(self._file)
        return None

    def _was_replaced(self) -> bool:
        with suppress(FileNotFoundError):
            there = self._file.stat()
            return self._opened is None or not os.path.samestat(there, os.fstat(self._opened.fileno()))
        return False


def _cut(file: Path, largest: int) -> None:
    """Put aside what an open file holds and empty it; it is only appended to. What is written in between is lost."""
    if _size(file) < largest:
        return
    owner, aside = file.stat(), _older(file, 1)
    aside.unlink(missing_ok=True)
    # The folder may be another user's, who must not lead us to files elsewhere.
    made = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(made, "wb") as kept, open(os.open(file, _SAFELY | os.O_RDWR), "rb+") as grown:
        if os.geteuid() == 0:
            os.fchown(made, owner.st_uid, owner.st_gid)
        shutil.copyfileobj(grown, kept)
        grown.truncate(0)


def _shift(file: Path) -> None:
    for number in range(KEPT, 1, -1):
        with suppress(FileNotFoundError):
            _older(file, number - 1).replace(_older(file, number))
    with suppress(FileNotFoundError):
        file.replace(_older(file, 1))


def _older(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}")


def _opened(file: Path) -> TextIO:
    return open(os.open(file, _SAFELY | os.O_RDONLY), encoding="utf-8", errors="replace", newline="\n")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
