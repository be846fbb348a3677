"""New connections to the newest of two processes that listen at the same address.

With SO_REUSEPORT the kernel spreads new connections over both. Those that the old one was given and had not taken yet
when it closes its listener are lost (measured: one hand-over in five at 2,500 new connections/s). So a filter of the
kernel's own sends every new one to the newest listener first, and the old one has time to take what it was given. It
goes wrong silently: where this user may not reach into the new process, the loss just stays as small as it is.
"""

import ctypes
import os
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from outrider.common.listeners import listeners, sockets_of

_PIDFD_GETFD = 438
"""A system call of Linux 5.6, the same number on all machines; Python has no name for it."""
_ATTACH_FILTER = 51
"""SO_ATTACH_REUSEPORT_CBPF, likewise."""
_RETURN_CONSTANT = 0x06


def steer_to(pid: int) -> bool:
    """Give all new connections at its addresses to this process, which was the last to listen there. Was it done?

    When the others have closed their listeners the filter names none that exists, and the kernel goes by chance again.
    """
    everyone, own = listeners(), sockets_of(pid)
    mine = [one for one in everyone if one.inode in own]
    beside = Counter(one.address for one in everyone)
    try:
        for one in mine:
            with _borrowed(pid, own[one.inode]) as listening:
                _send_all_to(listening, beside[one.address] - 1)  # the last to come is the last in the row
    except (AttributeError, OSError):  # not Linux; or not permitted: another user's, or not our child under Yama
        return False
    return bool(mine)


@contextmanager
def _borrowed(pid: int, descriptor: int) -> Iterator[socket.socket]:
    """An open socket of another process, for a moment: held longer, it would go on listening after that one's death."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    try:
        ours = libc.syscall(_PIDFD_GETFD, process, descriptor, 0)
    finally:
        os.close(process)
    if ours < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    with socket.socket(fileno=ours) as borrowed:
        yield borrowed


def _send_all_to(listening: socket.socket, index: int) -> None:
    """Attach a filter of one instruction to all that listen at this address: always the one with that index."""
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN_CONSTANT, 0, 0, index))
    listening.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(instruction)))
