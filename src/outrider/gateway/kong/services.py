"""Kong's services, and in each the routes of operations and the plugins that guard them.

Timeouts and retries are said of a whole service, so operations that share them share one. Of two routes that fit, Kong
takes the one with the greater `regex_priority`, which is the order in which the compiled routes are tried.
"""

import re
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import msgspec

from outrider.common.problems import MEDIA_TYPE, type_of
from outrider.gateway.compile.clusters import CONNECT_WITHIN
from outrider.gateway.compile.routes import IDLE_OPEN_END, retirement
from outrider.gateway.environment import Placement
from outrider.gateway.kong.upstreams import certificate_names, upstream_name
from outrider.gateway.matching import with_path
from outrider.gateway.product import Limit, Operation, Product
from outrider.gateway.templates import by_precedence, pattern

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""What a route can be asked with; nginx itself refuses TRACE and CONNECT."""

_PERIODS = {1: "second", 60: "minute", 3600: "hour", 86400: "day"}


class _Group(msgspec.Struct, frozen=True, order=True):
    """What operations of one Kong service have in common. timeout 0: none."""

    timeout: float
    retries: int

    @property
    def name(self) -> str:
        return f"{f'{self.timeout:g}s' if self.timeout else 'no-timeout'}-{self.retries}-retries"


def services(product: Product, placement: Placement, operations: Sequence[Operation]) -> Iterator[dict[str, Any]]:
    """All services of a product."""
    paths = by_precedence(operation.path for operation in operations)
    ranks = {pattern(path): rank for rank, path in enumerate(reversed(paths))}
    routes: dict[_Group, list[dict[str, Any]]] = {}
    for operation in operations:
        route = _route(product, placement, operation, ranks[pattern(operation.path)])
        routes.setdefault(_group(product, operation), []).append(route)
    others = [_others(product, placement, operations, path, ranks[pattern(path)]) for path in paths]
    for number, group in enumerate(sorted(routes)):
        # Kong answers those itself, so it does not matter which service has them.
        yield _service(product, placement, group, routes[group] + (others if number == 0 else []))


def window(limit: Limit) -> tuple[int, int]:
    """The limit in one of Kong's windows: its seconds and the requests in it; the next longer where there is none."""
    seconds = next(each for each in _PERIODS if each >= limit.per)
    return seconds, limit.requests * seconds // limit.per


def _group(product: Product, operation: Operation) -> _Group:
    timeout = product.timeout_of(operation)
    # Kong would repeat whatever nginx finds idempotent, also when it was sent; only reading is surely harmless.
    return _Group(timeout, product.retries if operation.method.upper() in ("GET", "HEAD") else 0)


def _service(product: Product, placement: Placement, group: _Group, routes: list[dict[str, Any]]) -> dict[str, Any]:
    tls = bool(certificate_names(product, placement))
    # Kong counts from byte to byte, which is how a stream that is silent is given up.
    within = ceil(1000 * (group.timeout or IDLE_OPEN_END))
    return {
        "name": f"{product.name}-{group.name}",
        "host": upstream_name(product),
        "protocol": "https" if tls else "http",
        **({"tls_verify": True} if tls else {}),
        "connect_timeout": ceil(1000 * CONNECT_WITHIN),
        "read_timeout": within,
        "write_timeout": within,
        "retries": group.retries,
        "tags": [product.name],
        "plugins": list(_service_plugins(product, placement)),
        "routes": routes,
    }


def _service_plugins(product: Product, placement: Placement) -> Iterator[dict[str, Any]]:
    yield _plugin("correlation-id", header_name="x-request-id", generator="uuid", echo_downstream=True)
    cors = product.cors
    # Without any origin, Kong would let all in.
    if cors and (origins := [*cors.origins, *(f"^(?:{origin})$" for origin in cors.origin_patterns)]):
        yield _plugin(
            "cors",
            origins=origins,
            methods=list(METHODS[:-1]),
            headers=list(cors.headers),
            exposed_headers=list(cors.expose),
            credentials=cors.credentials,
            max_age=cors.max_age,
        )
    yield _plugin("request-size-limiting", allowed_payload_size=product.body_limit, size_unit="bytes")
    yield _limiting(product, product.limits.product, "service")
    figures = ("status_code_metrics", "latency_metrics", "bandwidth_metrics", "upstream_health_metrics")
    yield _plugin("prometheus", **dict.fromkeys(figures, True))
    if tracing := placement.tracing:
        yield _plugin(
            "opentelemetry",
            traces_endpoint=f"http://{tracing.otlp}/v1/traces",
            resource_attributes={"service.name": product.name},
            sampling_rate=tracing.sample_percent / 100,
        )


def _route(product: Product, placement: Placement, operation: Operation, rank: int) -> dict[str, Any]:
    guard = _limiting(product, product.limits.client, "ip") if operation.public else _TOKEN
    headers = [f"{name}:{value}" for name, value in retirement(operation).items()]
    return {
        "name": f"{product.name}-{_name(operation.id)}",
        "methods": [operation.method.upper()],
        **_matching(product, placement, operation.path, rank),
        **({"response_buffering": False} if operation.streams else {}),
        "plugins": [guard, *([_plugin("response-transformer", add={"headers": headers})] if headers else [])],
    }


def _name(operation: str) -> str:
    """An operation's id in what Kong allows in names; two never become the same."""
    return re.sub(r"[^A-Za-z0-9._-]", lambda found: f"~{ord(found[0]):x}", operation)


def _others(
    product: Product, placement: Placement, operations: Sequence[Operation], path: str, rank: int
) -> dict[str, Any]:
    """Where a path is asked with a method that it does not have: 405, or the answer to a preflight."""
    allowed = list(with_path(operations, path))
    problem = {
        "type": type_of("method_not_allowed"),
        "title": "Method not allowed",
        "status": 405,
        "detail": f"Allowed here: {', '.join(allowed)}.",
        "code": "method_not_allowed",
        "retryable": False,
        "may_have_happened": False,
    }
    body = msgspec.json.encode(problem).decode()
    return {
        "name": f"{product.name}-other-methods-{rank + 1}",
        "methods": [method for method in METHODS if method not in allowed],
        **_matching(product, placement, path, rank),
        "plugins": [
            _plugin("request-termination", status_code=405, content_type=MEDIA_TYPE, body=body),
            _plugin("response-transformer", add={"headers": [f"Allow:{', '.join(allowed)}"]}),
        ],
    }


def _matching(product: Product, placement: Placement, path: str, rank: int) -> dict[str, Any]:
    """The whole path, never a prefix."""
    return {
        **({"hosts": list(placement.hosts)} if placement.hosts else {}),
        "paths": [f"~{pattern(path)}$"],
        "regex_priority": rank,
        "protocols": ["https" if placement.tls else "http"],
        "strip_path": False,
        # With TLS, the host that is asked for is the name that is checked.
        "preserve_host": not certificate_names(product, placement),
        "tags": [product.name],
    }


def _limiting(product: Product, limit: Limit, limit_by: str) -> dict[str, Any]:
    seconds, requests = window(limit)
    quiet = not product.limits.headers
    counted = {_PERIODS[seconds]: requests, "limit_by": limit_by, "policy": "local", "hide_client_headers": quiet}
    return _plugin("rate-limiting", **counted)


def _plugin(name: str, **config: Any) -> dict[str, Any]:
    return {"name": name, "config": config}


_TOKEN = _plugin(
    "jwt",
    key_claim_name="kid",
    claims_to_verify=["exp"],
    header_names=["authorization"],
    uri_param_names=[],
    cookie_names=[],
    run_on_preflight=False,
)
