"""Who can have which address."""

import os
import socket

from outrider.common.ports import LOOPBACK, Address, free_ports
from outrider.gateway.addresses import Claim, refused


def claim(product: str, *ports: int, processes: tuple[int, ...] = ()) -> Claim:
    return Claim(product=product, addresses=tuple(Address(LOOPBACK, port) for port in ports), processes=processes)


def test_free_addresses_can_be_had() -> None:
    """Whether for callers or for statistics."""
    ports = free_ports(3)

    assert refused([claim("charging", *ports[:2]), claim("maps", ports[2])]) == {}


def test_two_that_want_the_same_address_get_it_both_or_neither() -> None:
    """Nobody can tell which one is meant; but the one that has it already keeps it."""
    one, other, third, fourth = free_ports(4)
    charging, maps, parking = claim("charging", one, other), claim("maps", third, other), claim("parking", fourth)

    assert refused([charging, maps, parking]) == {
        "charging": f"charging: maps is to listen on 127.0.0.1:{other} as well",
        "maps": f"maps: charging is to listen on 127.0.0.1:{other} as well",
    }
    with socket.create_server((LOOPBACK, other)):
        running = claim("charging", one, other, processes=(os.getpid(),))
        assert refused([running, maps, parking]).keys() == {"maps"}


def test_who_runs_already_may_keep_what_it_has() -> None:
    """And what somebody else has beside it is told."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((LOOPBACK, 0))
        held.listen()
        port = held.getsockname()[1]

        assert refused([claim("maps", port, processes=(os.getpid(),))]) == {}
        assert f"127.0.0.1:{port} is taken by process {os.getpid()} (" in refused([claim("maps", port)])["maps"]
        assert "is taken by" in refused([claim("maps", port, processes=(1,))])["maps"]


def test_an_address_that_this_machine_does_not_have_is_told() -> None:
    """In the system's own words."""
    nowhere = Claim(product="maps", addresses=(Address("192.0.2.1", 8080),))

    assert refused([nowhere]) == {"maps": "maps: can't listen on 192.0.2.1:8080: Cannot assign requested address"}
