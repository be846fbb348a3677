"""Clusters: one for each version, and two of the gateway's own: its admin interface, and where spans go."""

from typing import Any

from outrider.common.ports import is_ip, is_loopback
from outrider.gateway.compile.parts import Source, seconds, typed
from outrider.gateway.compile.sockets import pipe, socket
from outrider.gateway.compile.tls import to_upstreams
from outrider.gateway.environment import Backend, Upstream
from outrider.gateway.faults import Refused
from outrider.gateway.product import Health, Product

ADMIN, TRACES = "admin", "traces"
OWN = frozenset((ADMIN, TRACES))
"""What no version may be called."""
CONNECT_WITHIN = 1.0
IDLE = 3.0
"""Seconds after which an unused connection to an upstream is closed: before the 5 s after which common servers close
it, or a request that may not be sent twice would now and then be lost in between."""


def clusters(source: Source) -> tuple[dict[str, Any], ...]:
    """All clusters, by name. Refused for an upstream without TLS anywhere but on this machine."""
    taken = OWN & set(source.product.versions)
    if taken:
        raise Refused(f"{source.product.name}: a version can't be called {min(taken)}; the gateway uses that name")
    made = [_version(source, name) for name in source.product.versions]
    return tuple(sorted([*made, _admin(), _traces(source)], key=lambda cluster: str(cluster["name"])))


def _version(source: Source, name: str) -> dict[str, Any]:
    product, place = source.product, source.placement
    backend = place.versions.get(name)
    if backend is None or not backend.upstreams:
        raise Refused(f"{product.name}: the environment {place.environment} has no upstream for version {name}")
    try:
        addresses = [_address(upstream, backend) for upstream in backend.upstreams]
    except ValueError as error:
        raise Refused(f"{product.name}: version {name}: {error}") from None
    by_name = any(one.address and not is_ip(one.address.host) for one in backend.upstreams)
    return {
        **_cluster(name, addresses, by_name=by_name),
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": _breakers(product),
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},  # none healthy: say so at once
        **_connections(),
        **_outliers(product, several=by_name or len(addresses) > 1, addresses=len(addresses)),
        **_health(product.health, _host(source, backend)),
        **to_upstreams(backend.tls),
    }


def _address(upstream: Upstream, backend: Backend) -> dict[str, Any]:
    if upstream.socket is not None:
        return pipe(upstream.socket)
    if upstream.address is None:
        raise ValueError("an upstream has neither an address nor a socket")
    if backend.tls is None and not is_loopback(upstream.address.host):
        raise ValueError(f"{upstream.address} is not on this machine: it needs `tls` with a `ca` and a `name`")
    return socket(upstream.address)


def _host(source: Source, backend: Backend) -> str:
    """The host name under which an upstream's health is asked: one that it serves."""
    if source.placement.hosts and "*" not in source.placement.hosts[0]:
        return source.placement.hosts[0]
    return backend.tls.name if backend.tls else "localhost"


def _cluster(name: str, addresses: list[dict[str, Any]], *, by_name: bool = False) -> dict[str, Any]:
    endpoints = [{"endpoint": {"address": address}} for address in addresses]
    return typed(
        "envoy.config.cluster.v3.Cluster",
        name=name,
        connect_timeout=seconds(CONNECT_WITHIN),
        load_assignment={"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]},
        **({"type": "STRICT_DNS", "dns_lookup_family": "V4_PREFERRED"} if by_name else {"type": "STATIC"}),
    )


def _connections() -> dict[str, Any]:
    kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    options = typed(
        kind,
        common_http_protocol_options={"idle_timeout": seconds(IDLE)},
        explicit_http_config={"http_protocol_options": {}},
    )
    return {"typed_extension_protocol_options": {kind: options}, "per_connection_buffer_limit_bytes": 65536}


def _breakers(product: Product) -> dict[str, Any]:
    threshold = {
        "max_connections": product.breakers.connections,
        "max_pending_requests": product.breakers.pending,
        "max_requests": product.breakers.requests,
        "track_remaining": True,
        # Retries are a part of the load at most, or they would finish off what is nearly down.
        "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 3},
    }
    return {"thresholds": [threshold]}


def _outliers(product: Product, *, several: bool, addresses: int) -> dict[str, Any]:
    """Leaving out an address needs another one: of a single address five errors in a row would be an outage for all."""
    if not several:
        return {}
    return {
        "outlier_detection": {
            "consecutive_5xx": product.outliers.after,
            "base_ejection_time": seconds(product.outliers.out_for),
            "interval": "1s",
            "max_ejection_percent": 100 * (addresses - 1) // addresses or 50,
            "enforcing_success_rate": 0,  # no comparing with others: what is said is what is done
        }
    }


def _health(health: Health | None, host: str) -> dict[str, Any]:
    if health is None:
        return {}
    check = {
        "timeout": seconds(health.within),
        "interval": seconds(health.every),
        "no_traffic_interval": seconds(health.every),
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": health.path, "host": host},
    }
    return {"health_checks": [check]}


def _admin() -> dict[str, Any]:
    return _cluster(ADMIN, [pipe("./admin.sock")])


def _traces(source: Source) -> dict[str, Any]:
    """Empty where nobody collects spans: the tracer that begins traces wants a place for them all the same."""
    tracing = source.placement.tracing
    if tracing is None:
        return _cluster(TRACES, [])
    if not is_loopback(tracing.otlp.host):
        raise Refused(
            f"{source.product.name}: spans go out without TLS, so only to this machine, not to {tracing.otlp}: "
            "put an OpenTelemetry collector beside the gateway"
        )
    return _cluster(TRACES, [socket(tracing.otlp)])
