"""The listeners: where callers come in, and where Prometheus reads."""

from collections.abc import Sequence
from typing import Any

from outrider.common.ports import Address, is_ip, is_loopback
from outrider.gateway.compile.clusters import ADMIN
from outrider.gateway.compile.log import access_log
from outrider.gateway.compile.parts import Json, Source, digest, extension, from_file, seconds, typed
from outrider.gateway.compile.problems import local_replies
from outrider.gateway.compile.routes import IDLE
from outrider.gateway.compile.sockets import socket
from outrider.gateway.compile.tls import to_callers
from outrider.gateway.compile.tracing import tracing
from outrider.gateway.faults import Refused

HEAD_WITHIN = 10.0
"""Seconds in which a request's head must have come."""
KEPT = 60.0
"""Seconds for which a connection without requests is kept."""
_SLOWEST = 64 * 1024
"""Bytes per second: a body that comes slower than this, and takes more than a minute, is given up."""
_BUFFER = 64 * 1024
"""Bytes that are held for one connection in each direction; more waits with whoever sends it."""


def listeners(source: Source, filters: Sequence[Json]) -> tuple[tuple[dict[str, Any], ...], str]:
    """All listeners, and the name of the route configuration that they use: it changes with whatever they say."""
    place = source.placement
    if place.tls is None and not is_loopback(place.listen.host):
        raise Refused(
            f"{source.product.name}: it would listen at {place.listen} without TLS: give it `tls` with a `certificate` "
            "and a `key`, or let it listen on this machine only, such as at 127.0.0.1"
        )
    routes = f"routes-{digest(_main(source, filters, ''))}"
    stats = [_stats(source, place.stats)] if place.stats else []
    return (_main(source, filters, routes), *stats), routes


def _main(source: Source, filters: Sequence[Json], routes: str) -> dict[str, Any]:
    manager = _manager(
        "ingress",
        rds={"route_config_name": routes, "config_source": from_file(f"{routes}.json")},
        http_filters=filters,
        use_remote_address=True,
        xff_num_trusted_hops=source.placement.trusted_proxies,
        request_timeout=seconds(max(60.0, source.product.body_limit / _SLOWEST)),
        http2_protocol_options={
            "max_concurrent_streams": 100,
            "initial_stream_window_size": _BUFFER,
            "initial_connection_window_size": 1024 * 1024,
        },
        always_set_request_id_in_response=True,
        tracing=tracing(source),
        access_log=access_log(source),
        local_reply_config=local_replies(source),
    )
    return _listener(source, "main", source.placement.listen, {"filters": [manager], **to_callers(source)})


def _stats(source: Source, address: Address) -> dict[str, Any]:
    """Figures for Prometheus, and nothing else of the admin interface."""
    if not is_loopback(address.host):
        raise Refused(f"{source.product.name}: figures are for this machine only: let `stats` be at 127.0.0.1")
    get = [{"name": ":method", "string_match": {"exact": "GET"}}]
    route = {"name": "figures", "match": {"path": "/stats/prometheus", "headers": get}, "route": {"cluster": ADMIN}}
    host = {"name": "stats", "domains": ["*"], "routes": [route]}
    manager = _manager("stats", route_config={"name": "stats", "virtual_hosts": [host]}, http_filters=[])
    listener = _listener(source, "stats", address, {"filters": [manager]})
    return {**listener, "ignore_global_conn_limit": True}  # to be read in overload above all


def _manager(prefix: str, *, http_filters: Sequence[Json], **more: Any) -> dict[str, Any]:
    """What turns bytes into requests, with what protects it from those who send them."""
    router = extension(
        "envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", suppress_envoy_headers=True
    )
    return extension(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=prefix,
        server_header_transformation="PASS_THROUGH",
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        common_http_protocol_options={
            "idle_timeout": seconds(KEPT),
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        request_headers_timeout=seconds(HEAD_WITHIN),
        stream_idle_timeout=seconds(IDLE),
        http_filters=[*http_filters, router],
        **more,
    )


def _listener(source: Source, name: str, address: Address, chain: dict[str, Any]) -> dict[str, Any]:
    if not is_ip(address.host):
        raise Refused(f"{source.product.name}: it can listen at an IP address, not at the name {address.host}")
    return typed(
        "envoy.config.listener.v3.Listener",
        name=f"{name}@{address}",
        address=socket(address),
        per_connection_buffer_limit_bytes=_BUFFER,
        filter_chains=[{**chain, "transport_socket_connect_timeout": seconds(HEAD_WITHIN)}],
    )
