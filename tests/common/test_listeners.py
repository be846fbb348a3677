"""Who listens on this machine."""

import os
import socket
from pathlib import Path

import pytest

from outrider.common import listeners
from outrider.common.ports import LOOPBACK, Address

pytestmark = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the kernel shows it in /proc")


@pytest.mark.parametrize("host", [LOOPBACK, "::1", "0.0.0.0"])
def test_a_listener_is_seen_with_the_process_that_has_it(host: str) -> None:
    """By its address, of either kind, and by its user."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"no {host} here")
    with made:
        address = Address(host, made.getsockname()[1])
        (found,) = [one for one in listeners.listeners() if one.address == address]
        holder = listeners.holder(found)

        assert found.user == os.geteuid()
        assert holder is not None
        assert holder.pid == os.getpid()
        assert listeners.sockets_of(os.getpid())[found.inode] == made.fileno()


def test_a_socket_that_only_connects_is_no_listener() -> None:
    """Nor is the listener's end of the connection."""
    with socket.create_server((LOOPBACK, 0)) as made, socket.create_connection(made.getsockname()) as other:
        ports = [one.address.port for one in listeners.listeners()]

        assert ports.count(made.getsockname()[1]) == 1
        assert other.getsockname()[1] not in ports


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("127.0.0.1:80", "127.0.0.1:80", True),
        ("127.0.0.1:80", "127.0.0.1:81", False),
        ("127.0.0.1:80", "127.0.0.2:80", False),
        ("127.0.0.1:80", "0.0.0.0:80", True),
        ("[::]:80", "127.0.0.1:80", True),
    ],
)
def test_addresses_overlap_where_a_connection_could_be_for_either(one: str, other: str, same: bool) -> None:
    """The same port, at the same address or at all of them."""
    assert listeners.overlap(Address.parse(one), Address.parse(other)) is same
    assert listeners.overlap(Address.parse(other), Address.parse(one)) is same
