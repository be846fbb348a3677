"""Addresses as Envoy writes them, and whether one is on this machine alone."""

from ipaddress import ip_address
from typing import Any

from outrider.common.ports import LOOPBACK, Address

LONGEST_SOCKET_PATH = 107
"""Bytes."""


def socket(address: Address) -> dict[str, Any]:
    """A TCP address; `localhost` by its number, for Envoy listens at numbers only. `::` is all there is, IPv4 too."""
    both = {"ipv4_compat": True} if address.host == "::" else {}
    return {"socket_address": {"address": number(address.host), "port_value": address.port, **both}}


def pipe(path: str) -> dict[str, Any]:
    """A Unix socket. ValueError where its path is too long for one."""
    if len(path.encode()) > LONGEST_SOCKET_PATH:
        raise ValueError(f"{path}: the path of a Unix socket may have {LONGEST_SOCKET_PATH} bytes; this has more")
    return {"pipe": {"path": path}}


def number(host: str) -> str:
    """The host, `localhost` by its number."""
    return LOOPBACK if host == "localhost" else host


def is_ip(host: str) -> bool:
    """Is it an IP address, and not a name?"""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_number(host: str) -> bool:
    """Is it an IP address, or `localhost`, which stands for one?"""
    return is_ip(number(host))


def is_loopback(host: str) -> bool:
    """Does it lead to this machine whatever a name server says?"""
    return is_number(host) and ip_address(number(host)).is_loopback
