"""Traces (W3C Trace Context): each request has one, begun here where the caller began none.

Spans are recorded only where the environment says where they go. They name the operation; the path, which may hold a
VIN, is cut off.
"""

from typing import Any

from outrider.gateway.compile.clusters import TRACES
from outrider.gateway.compile.parts import Source, extension

_WITHIN = "1s"


def tracing(source: Source) -> dict[str, Any]:
    """The connection manager's tracing."""
    place = source.placement.tracing
    collector = {"uri": f"http://{place.otlp if place else TRACES}/v1/traces", "cluster": TRACES, "timeout": _WITHIN}
    provider = extension(
        "envoy.tracers.opentelemetry",
        "envoy.config.trace.v3.OpenTelemetryConfig",
        service_name=source.product.name,
        http_service={"http_uri": collector},
    )
    return {
        "provider": provider,
        "random_sampling": {"value": place.sample_percent if place else 0.0},
        "max_path_tag_length": 1,
        "operation": "%ROUTE_NAME%",
    }
