"""The bootstrap file: what Envoy reads once, when it starts.

It holds nothing that a team changes, for a change here takes a new process.
"""

from typing import Any

from outrider.gateway.compile.parts import Source, extension, from_file

CONNECTIONS = 5000
"""Callers' connections at once; more are turned away."""
HEAP = 256 * 1024 * 1024
"""Bytes of memory at which the gateway would rather refuse requests than be killed by the system."""
REGEX = 10_000
"""Instructions of the largest regular expression. Envoy's own limit of 100 is less than some paths have."""
STATISTICS = (
    "cluster.", "cluster_manager.", "extension_config_discovery.", "http.ingress.", "limit.", "listener_manager.",
    "overload.", "sds.", "server.", "tracing.",
)  # fmt: skip
"""Beginnings of the names of the statistics that are kept: what rollouts, `status` and a switch read."""


def bootstrap(source: Source) -> dict[str, Any]:
    """The file's content."""
    return {
        "node": {"id": source.product.name, "cluster": source.product.name},
        "admin": {"address": {"pipe": {"path": "./admin.sock", "mode": 0o600}}},
        "dynamic_resources": {"cds_config": from_file("cds.json"), "lds_config": from_file("lds.json")},
        "stats_config": {"stats_matcher": {"inclusion_list": {"patterns": [{"prefix": one} for one in STATISTICS]}}},
        "overload_manager": _overload(),
        "layered_runtime": {
            "layers": [
                {"name": "limits", "static_layer": {"re2.max_program_size.error_level": REGEX}},
                {"name": "admin", "admin_layer": {}},
            ]
        },
    }


def _overload() -> dict[str, Any]:
    connections = extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=CONNECTIONS,
    )
    heap = extension(
        "envoy.resource_monitors.fixed_heap",
        "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
        max_heap_size_bytes=HEAP,
    )
    actions = {"shrink_heap": 0.9, "disable_http_keepalive": 0.92, "stop_accepting_requests": 0.95}
    return {
        "resource_monitors": [connections, heap],
        "actions": [
            {
                "name": f"envoy.overload_actions.{action}",
                "triggers": [{"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": share}}],
            }
            for action, share in actions.items()
        ],
    }
