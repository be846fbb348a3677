"""New connections go to the newest of those that listen at an address."""

import os
import socket

import pytest

from outrider.common.ports import LOOPBACK
from outrider.gateway.steering import steer_to


def listener(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((LOOPBACK, port))
    made.listen(100)
    made.setblocking(False)
    return made


def taken(made: socket.socket) -> int:
    count = 0
    while True:
        try:
            made.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def connect(port: int, times: int = 40) -> None:
    for _ in range(times):
        socket.create_connection((LOOPBACK, port)).close()


def test_all_new_connections_go_to_the_last_that_came() -> None:
    """By chance before, never to the older one after; and what is left when it is gone gets all again."""
    with listener(0) as older, listener(older.getsockname()[1]) as newer:
        port = older.getsockname()[1]
        connect(port)
        assert taken(older) > 0 < taken(newer)

        if not steer_to(os.getpid()):
            pytest.skip("this system has no such filter, or it may not be set here")
        connect(port)
        assert (taken(older), taken(newer)) == (0, 40)
        older.close()
        connect(port)
        assert taken(newer) == 40

        with listener(port) as newest:
            newer.close()
            connect(port)
            assert taken(newest) == 40


def test_who_is_gone_gets_nothing() -> None:
    """And it is no error."""
    assert not steer_to(2**22 - 1)
