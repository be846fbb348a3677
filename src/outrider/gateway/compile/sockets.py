"""Sockets as Envoy writes them, TCP and Unix."""

import os
from typing import Any

from outrider.common.ports import LONGEST_SOCKET_PATH, Address


def socket(address: Address) -> dict[str, Any]:
    """A TCP address. `::` is all there is, IPv4 too."""
    both = {"ipv4_compat": True} if address.host == "::" else {}
    return {"socket_address": {"address": address.host, "port_value": address.port, **both}}


def pipe(path: str) -> dict[str, Any]:
    """A Unix socket. ValueError where its path is too long for one."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise ValueError(f"{path}: the path of a Unix socket may have {LONGEST_SOCKET_PATH} bytes; this has more")
    return {"pipe": {"path": path}}
