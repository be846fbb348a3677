"""Addresses on this machine: which are free, and where somebody listens."""

import asyncio
import socket
from contextlib import ExitStack, closing
from ipaddress import ip_address
from typing import Self

import msgspec

LOOPBACK = "127.0.0.1"
LONGEST_SOCKET_PATH = 103
"""Bytes of a Unix socket's path: its address has 104 with the end on macOS, 108 on Linux."""


class Address(msgspec.Struct, frozen=True):
    """Where something listens. Port 0 stands for "any free one" until one is chosen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """`HOST:PORT`, `[V6]:PORT` or `PORT` alone (then on loopback). ValueError says what is wrong with `text`."""
        host, _, port = text.rpartition(":")
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError(f"{text!r} is not HOST:PORT with a port from 0 to 65535")
        return cls(host.removeprefix("[").removesuffix("]") or LOOPBACK, int(port))

    def from_here(self) -> "Address":
        """The same listener as this machine reaches it: "all interfaces" is no address to connect to."""
        return Address({"0.0.0.0": LOOPBACK, "::": "::1"}.get(self.host, self.host), self.port)  # noqa: S104


def is_ip(host: str) -> bool:
    """Is it an IP address, and not a name?"""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Does it lead to this machine whatever a name server says? Of a name, `localhost` too, nobody can tell."""
    return is_ip(host) and ip_address(host).is_loopback


def free_ports(count: int, host: str = LOOPBACK) -> list[int]:
    """`count` different ports on which nobody listens now. Another program may take one before it is used."""
    with ExitStack() as held:  # all are held until the last is found, or the same one could come twice
        return [held.enter_context(closing(_bound(host, 0))).getsockname()[1] for _ in range(count)]


def is_free(address: Address) -> bool:
    """Could a program of this user listen there now?"""
    return why_not_free(address) is None


def why_not_free(address: Address) -> str | None:
    """Why a program of this user could not listen there now, in the system's words; None: it could."""
    try:
        _bound(address.host, address.port).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


async def is_listening(address: Address, within: float = 1.0) -> bool:
    """Does somebody accept connections there?"""
    try:
        async with asyncio.timeout(within):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except OSError:  # a TimeoutError is one too
        return False
    writer.close()
    return True


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        # As servers do: a connection that lingers after its listener's end does not make a port taken.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    return bound
