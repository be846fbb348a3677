import socket

import pytest

from outrider.common.ports import Address, free_ports, is_free, is_listening


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("0.0.0.0:8883", "0.0.0.0", 8883),
        ("[::1]:1883", "::1", 1883),
        ("1883", "127.0.0.1", 1883),
        ("127.0.0.1:0", "127.0.0.1", 0),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, host: str, port: int) -> None:
    """Host and port, a bracketed IPv6 host, or the port alone on loopback."""
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize("text", ["", "host", "host:", "host:-1", "host:65536", "host:8８"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """A mistyped address is a mistake that is named, never a guess."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        Address.parse(text)


def test_an_address_is_written_so_that_it_can_be_read_again() -> None:
    """An IPv6 host stays apart from its port."""
    assert str(Address("::1", 1883)) == "[::1]:1883"
    assert Address.parse(str(Address("10.0.0.1", 1))) == Address("10.0.0.1", 1)


def test_a_listener_on_all_interfaces_is_reached_on_loopback() -> None:
    """ "All interfaces" is where one listens, not where one connects."""
    assert Address("0.0.0.0", 1).from_here() == Address("127.0.0.1", 1)


def test_free_ports_are_free_and_differ() -> None:
    """Ports that are asked for together never collide with each other."""
    ports = free_ports(20)

    assert len(set(ports)) == 20
    assert all(is_free(Address("127.0.0.1", port)) for port in ports)


async def test_a_port_is_taken_while_somebody_listens() -> None:
    """Free and listening are told apart on the real thing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address("127.0.0.1", server.getsockname()[1])
        assert not is_free(address)
        assert await is_listening(address)

    assert is_free(address)
    assert not await is_listening(address)
