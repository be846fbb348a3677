"""Routes: exactly the operations of the OpenAPI document, and the gateway's own answer to everything else.

A route's name is its operation's id; those that the gateway answers by itself have names in angle brackets, which no
operation has. The log and `explain` go by these names.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import format_datetime
from typing import Any

import msgspec

from outrider.common.times import moment
from outrider.gateway.compile.cors import NAME as CORS
from outrider.gateway.compile.cors import policy
from outrider.gateway.compile.limits import BY_CLIENT, BY_TOKEN
from outrider.gateway.compile.parts import OUTRIDER, Source, appended, seconds, typed
from outrider.gateway.compile.scopes import challenge
from outrider.gateway.faults import Refused
from outrider.gateway.product import Operation
from outrider.gateway.release import SPLIT
from outrider.gateway.templates import by_precedence, canonical, is_literal, pattern

NO_SUCH_OPERATION = "<no-such-operation>"
METHOD_NOT_ALLOWED = "<method-not-allowed>"
MEDIA_TYPE = "<media-type>"
PREFLIGHT = "<preflight>"
OTHER_HOST = "<other-host>"
TUNNEL = "<tunnel>"

IDLE = 30.0
"""Seconds without a byte in either direction after which a request is given up, where it has a total timeout."""
IDLE_OPEN_END = 300.0
"""The same where it has none: longer than the pauses between the signs of life of any event stream."""

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_UNSEEN = "connect-failure,refused-stream,reset-before-request"
"""The upstream can't have seen the request: whatever it is, trying it again does nothing twice."""
_HARMLESS = f"{_UNSEEN},reset,gateway-error"
"""Asking twice does no harm: an upstream that breaks off or says 502, 503 or 504 is asked again too."""

PerFilter = Mapping[str, Any]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What filters want on routes: everywhere, on those of an operation, on those that the gateway answers itself."""

    host: PerFilter
    operation: Callable[[Operation], PerFilter]
    own: PerFilter


def routes(source: Source, name: str, rules: Rules) -> dict[str, Any]:
    """The route configuration, under this name."""
    product = {
        "name": source.product.name,
        "domains": list(source.placement.hosts) or ["*"],
        "routes": list(_routes(source, rules)),
        "typed_per_filter_config": dict(rules.host),
    }
    return typed(
        "envoy.config.route.v3.RouteConfiguration",
        name=name,
        validate_clusters=True,
        ignore_port_in_host_matching=True,
        response_headers_to_remove=["server", "x-envoy-upstream-service-time", "x-envoy-overloaded"],
        virtual_hosts=[product, *([_other_hosts(rules)] if source.placement.hosts else [])],
    )


def _other_hosts(rules: Rules) -> dict[str, Any]:
    answer = _answer(OTHER_HOST, {"prefix": "/"}, 421, rules.own)
    return {"name": "other-hosts", "domains": ["*"], "routes": [_tunnel(rules), answer]}


def _routes(source: Source, rules: Rules) -> Iterator[dict[str, Any]]:
    by_pattern = defaultdict(list)
    for operation in source.operations:
        by_pattern[pattern(operation.path)].append(operation)
    for template in by_precedence(operation.path for operation in source.operations):
        yield from _path(source, template, by_pattern[pattern(template)], rules)
    yield _tunnel(rules)
    yield _answer(NO_SUCH_OPERATION, {"prefix": "/"}, 404, rules.own, _readable(source))


def _tunnel(rules: Rules) -> dict[str, Any]:
    """`CONNECT` has no path, so no other route fits it. With this one Envoy refuses it as the upgrade that it is; with
    none, the scopes would, which it has none of.
    """
    return _answer(TUNNEL, {"connect_matcher": {}}, 403, rules.own)


def _path(source: Source, template: str, operations: Sequence[Operation], rules: Rules) -> Iterator[dict[str, Any]]:
    """All routes of one path."""
    path = {"path": canonical(template)} if is_literal(template) else {"safe_regex": {"regex": pattern(template)}}
    by_method = {operation.method.upper(): operation for operation in operations}
    if len(by_method) < len(operations):
        ids = ", ".join(sorted(operation.id for operation in operations))
        raise Refused(f"{template}: which operation is meant can't be told apart: {ids}")
    methods = sorted(by_method)
    if source.product.cors:
        yield _preflight(source, path, methods)
        methods = sorted({*methods, "OPTIONS"})
    for method in sorted(by_method):
        yield from _operation(source, path, by_method[method], rules)
    yield _answer(METHOD_NOT_ALLOWED, path, 405, rules.own, {"allow": ", ".join(methods), **_readable(source)})


def _operation(source: Source, path: PerFilter, operation: Operation, rules: Rules) -> Iterator[dict[str, Any]]:
    match = {**path, "headers": [_header(":method", {"exact": operation.method.upper()})]}
    by = {BY_CLIENT: "yes"} if operation.public else {BY_TOKEN: "yes", **challenge(operation)}
    common = {"metadata": _says(by), "typed_per_filter_config": dict(rules.operation(operation))}
    types = _media_types(operation)
    yield {
        "name": operation.id,
        "match": {**match, "headers": [*match["headers"], *types]},
        "route": _upstream(source, operation),
        **_headers(retirement(operation)),
        **common,
    }
    if types:  # what the operation refuses, it refuses only to those who may call it
        headers = {"accept": ", ".join(operation.media_types), **_readable(source)}
        yield {"name": MEDIA_TYPE, "match": match, "direct_response": {"status": 415}, **_headers(headers), **common}


def _upstream(source: Source, operation: Operation) -> dict[str, Any]:
    product = source.product
    timeout = product.timeout_of(operation)
    idle = timeout + 5 if timeout else IDLE_OPEN_END
    route: dict[str, Any] = {"cluster": SPLIT, "timeout": seconds(timeout)}
    if idle > IDLE:
        route["idle_timeout"] = seconds(idle)
    if product.retries:
        route["retry_policy"] = {
            "retry_on": _HARMLESS if operation.method.upper() in _SAFE_METHODS else _UNSEEN,
            "num_retries": product.retries,
            "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
            "retry_host_predicate": [
                {
                    "name": "envoy.retry_host_predicates.previous_hosts",
                    "typed_config": typed("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
                }
            ],
            "host_selection_retry_max_attempts": 3,
        }
    return route


def _media_types(operation: Operation) -> list[dict[str, Any]]:
    """The condition that a body is what the operation takes; a request that says nothing of it is let through.

    No comma, not even between quotes: Envoy joins two headers with one, and the quotes may be one in each.
    """
    if not operation.media_types:
        return []
    types = "|".join(re.escape(one).replace(r"\*", r"[^;,\s]+") for one in sorted(operation.media_types))
    regex = {"safe_regex": {"regex": rf"(?i)|\s*({types})\s*(;[^,]*)?"}}
    return [{**_header("content-type", regex), "treat_missing_header_as_empty": True}]


def _preflight(source: Source, path: PerFilter, methods: Sequence[str]) -> dict[str, Any]:
    """A browser asks before it calls. The CORS filter answers; it does so only on routes that lead to an upstream."""
    assert source.product.cors is not None
    present = [{"name": name, "present_match": True} for name in ("origin", "access-control-request-method")]
    return {
        "name": PREFLIGHT,
        "match": {**path, "headers": [_header(":method", {"exact": "OPTIONS"}), *present]},
        "route": {"cluster": SPLIT},
        "typed_per_filter_config": {CORS: policy(source.product.cors, ", ".join(methods))},
    }


def _readable(source: Source) -> dict[str, str]:
    """The CORS filter leaves these answers alone. They are the same for everyone, so that any web page may read them:
    one that could not would be told of a CORS error instead of a wrong path.
    """
    return {"access-control-allow-origin": "*"} if source.product.cors else {}


def _answer(
    name: str, match: PerFilter, status: int, own: PerFilter, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The gateway's own answer, limited by client address: nobody is known here."""
    return {
        "name": name,
        "match": dict(match),
        "direct_response": {"status": status},
        "metadata": _says({BY_CLIENT: "yes"}),
        **_headers(headers or {}),
        "typed_per_filter_config": dict(own),
    }


def retirement(operation: Operation) -> dict[str, str]:
    """RFC 9745 and 8594. Without a date it is the older form of `Deprecation`, which knew `true`."""
    said = {}
    if operation.deprecated:
        since = moment(operation.deprecated_since)
        said["deprecation"] = f"@{int(since.timestamp())}" if since else "true"
    if end := moment(operation.sunset):
        said["sunset"] = format_datetime(end, usegmt=True)
    return said


def _says(values: Mapping[str, str]) -> dict[str, Any]:
    return {"filter_metadata": {OUTRIDER: dict(values)}}


def _headers(values: Mapping[str, str]) -> dict[str, Any]:
    return {"response_headers_to_add": appended(values)} if values else {}


def _header(name: str, matches: PerFilter) -> dict[str, Any]:
    return {"name": name, "string_match": dict(matches)}
