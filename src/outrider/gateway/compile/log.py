"""The access log: one line of JSON for each request. No path, no query, no token and no name of a person is in it.

Nothing that a caller made up is written down: HTTP/2 takes any word for a method, so only those that there are appear.
"""

from typing import Any

from outrider.gateway.compile.parts import Source, extension

FILE = "./access.log"
METHODS = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
OTHER = "other"
"""Stands for every other method."""

_LINE = {
    "time": "%START_TIME%",
    "route": "%ROUTE_NAME%",
    "method": f"%CEL(request.method in {list(METHODS)} ? request.method : '{OTHER}')%",
    "code": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "limit": "%RESP(RATELIMIT-POLICY)%",
    "ms": "%DURATION%",
    "upstream_ms": "%RESPONSE_DURATION%",
    "version": "%UPSTREAM_CLUSTER%",
    "upstream": "%UPSTREAM_HOST%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "bytes_in": "%BYTES_RECEIVED%",
    "bytes_out": "%BYTES_SENT%",
    "protocol": "%PROTOCOL%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace_id": "%TRACE_ID%",
}
"""`ms` until the last byte was sent, `upstream_ms` until the first came from the upstream."""


def access_log(source: Source) -> list[dict[str, Any]]:
    """Where Envoy writes what became of each request."""
    kind = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    line = {"product": source.product.name, **_LINE}
    return [extension("envoy.access_loggers.file", kind, path=FILE, log_format={"json_format": line})]
