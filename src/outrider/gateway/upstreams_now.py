"""How the upstreams of a gateway are now, as its Envoy sees them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from outrider.gateway.envoy import Admin

_FLAGS = {
    "failed_active_health_check": "its health path does not answer as it should",
    "failed_outlier_check": "it is left out after errors",
    "failed_active_degraded_check": "it says that it is degraded",
    "pending_dynamic_removal": "it is being removed",
    "pending_active_hc": "its health path was not asked yet",
    "active_hc_timeout": "its health path does not answer in time",
}


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """One address of a version. why: what speaks against it; empty: it gets requests."""

    address: str
    why: Sequence[str] = ()


async def upstreams_now(admin: Admin) -> dict[str, list[Upstream]]:
    """The addresses of each version. Raises NotRunning and NotAnswering."""
    return upstreams(msgspec.json.decode(await admin.get("/clusters?format=json")))


def upstreams(clusters: Mapping[str, Any]) -> dict[str, list[Upstream]]:
    """The same, from what Envoy shows."""
    return {
        cluster["name"]: [_upstream(host) for host in cluster.get("host_statuses", ())]
        for cluster in clusters.get("cluster_statuses", ())
    }


def _upstream(host: Mapping[str, Any]) -> Upstream:
    health = host.get("health_status", {})
    return Upstream(
        address=_address(host["address"]), why=tuple(words for flag, words in _FLAGS.items() if health.get(flag))
    )


def _address(address: Mapping[str, Any]) -> str:
    if "pipe" in address:
        return str(address["pipe"]["path"])
    place = address["socket_address"]
    host = f"[{place['address']}]" if ":" in place["address"] else place["address"]
    return f"{host}:{place['port_value']}"
