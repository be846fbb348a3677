"""What the vehicles say they did, as JSON lines: the third side to ask, after the client and the database.

Lines go to the file before the messages that they tell of go on the wire, without a buffer in between, so a reader
may look at any time, whatever became of the platform.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One line. `at`: seconds since 1970 by the clock of the machine that runs the fleet.

    what: `connected`, `disconnected`, `received`, `malformed`, `performed`, `tried` (began and failed), `answered`.
    """

    vin: str
    at: float
    what: str
    id: str | None = None
    service: str | None = None
    status: str | None = None


_encode_lines = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.Decoder(Entry).decode


class Record:
    """A file that only grows."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, entries: list[Entry]) -> None:
        """Append entries in one piece."""
        os.write(self._file, _encode_lines(entries))

    def close(self) -> None:
        """No more lines."""
        os.close(self._file)


def read_record(path: Path) -> Iterator[Entry]:
    """The entries in the order of writing. A last line that is not whole yet is left out."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield _decode(line)


def performed(entries: Iterable[Entry]) -> Counter[tuple[str, str]]:
    """How often each vehicle began to move for each command, by (vin, command id): more than once is a broken promise.

    A deed that failed on the way counts: the second try would have been a second deed.
    """
    return Counter(
        (entry.vin, entry.id) for entry in entries if entry.what in ("performed", "tried") and entry.id is not None
    )
