"""Which certificates a gateway could not load: it starts without them, and then cuts off whoever needs them.

Envoy's statistics don't tell: a file that is mended later is loaded without being counted, and one that is named once
more is counted without being loaded. What it shows at `/certs` is what it uses.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from outrider.gateway.envoy import Admin, NotAnswering, NotRunning
from outrider.gateway.store import Instance

_LISTENER, _CLIENTS = "certificate", "client-ca"


async def missing(instance: Instance, admin: Admin) -> tuple[str, ...]:
    """The files of certificates, or keys of theirs, of which at least one could not be loaded; none: all are there."""
    try:
        files = instance.files()
        wanted = dict(_wanted(files))
        if not wanted:
            return ()
        loaded = msgspec.json.decode(await admin.get("/certs"))["certificates"]
        tls_clusters = sum("transport_socket" in one for one in msgspec.json.decode(files["cds.json"])["resources"])
    except (NotRunning, NotAnswering, OSError, msgspec.DecodeError, RecursionError, LookupError, TypeError):
        return ()  # others say so
    own = any(one["cert_chain"] for one in loaded)
    upstreams = sum(bool(one["ca_cert"]) and not one["cert_chain"] for one in loaded)
    there = {name: own if name in (_LISTENER, _CLIENTS) else upstreams >= tls_clusters for name in wanted}
    return tuple(file for name, its in wanted.items() for file in its if not there[name])


def _wanted(files: Mapping[str, bytes]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the gateway is to load: the name of each secret, and its files."""
    for name, content in files.items():
        if name.startswith("secret-"):
            for secret in msgspec.json.decode(content)["resources"]:
                yield secret["name"], tuple(_filenames(secret))


def _filenames(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(file := value.get("filename"), str):
            yield file
        for member in value.values():
            yield from _filenames(member)
