"""Who listens where on this machine, as the kernel shows it (Linux); elsewhere nothing is known.

A socket that was bound with SO_REUSEPORT hides from whoever binds with it too; here each one is seen.
"""

import os
import socket
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from outrider.common.ports import Address
from outrider.common.processes import Process, look

_PROC = Path("/proc")
_LISTENS = "0A"


class Listener(msgspec.Struct, frozen=True):
    """A listening TCP socket: where, its number, and the user that it belongs to."""

    address: Address
    inode: int
    user: int


def listeners() -> list[Listener]:
    """Every listening TCP socket of this machine (of this network namespace)."""
    return [*_listed("tcp"), *_listed("tcp6")]


def at(address: Address, among: Collection[Listener]) -> list[Listener]:
    """Those that nobody can listen beside at this address: the same port, there or everywhere."""
    return [one for one in among if overlap(one.address, address)]


def overlap(one: Address, other: Address) -> bool:
    """Would a connection to one address be one to the other as well?"""
    return one.port == other.port and (one.host == other.host or bool({one.host, other.host} & {"0.0.0.0", "::"}))  # noqa: S104


def sockets_of(pid: int) -> dict[int, int]:
    """The sockets that a process has open: number to file descriptor; none where that may not be seen."""
    found = {}
    with suppress(OSError):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):  # closed since it was listed
                target = os.readlink(entry)
                if target.startswith("socket:["):
                    found[int(target[8:-1])] = int(entry.name)
    return found


def holder(listener: Listener) -> Process | None:
    """The process that has the socket; None where that may not be seen."""
    with suppress(OSError):
        for entry in _PROC.iterdir():
            if entry.name.isdigit() and listener.inode in sockets_of(int(entry.name)):
                return look(int(entry.name))
    return None


def _listed(kind: str) -> Iterator[Listener]:
    try:
        lines = (_PROC / "net" / kind).read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        words = line.split()  # sl local_address rem_address st queues timer retrnsmt uid timeout inode (proc(5))
        if words[3] == _LISTENS:
            yield Listener(_address(words[1]), int(words[9]), int(words[7]))


def _address(text: str) -> Address:
    """`0100007F:1F90` is 127.0.0.1:8080: words of 32 bits in the machine's own order."""
    host, _, port = text.partition(":")
    words = [int(host[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(host), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return Address(socket.inet_ntop(family, b"".join(words)), int(port, 16))
