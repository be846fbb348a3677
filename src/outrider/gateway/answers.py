"""Why a request got the answer that it got: a line of the access log, in words. Pure.

Envoy writes down why it answered (`details`) and what happened on the way (`flags`). Its words are listed here once,
each with what it means for whoever asked; what is not listed is shown as Envoy wrote it.
"""

from collections.abc import Iterable, Iterator

import msgspec

from outrider.gateway.compile.routes import MEDIA_TYPE, METHOD_NOT_ALLOWED, NO_SUCH_OPERATION, OTHER_HOST, PREFLIGHT
from outrider.gateway.compile.token import CLOCK_SKEW


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the access log, as far as it says why. ms: until the last byte was sent; upstream_ms: until the first
    one came from the upstream. limit: which limit refused it, as in the header RateLimit-Policy.
    """

    time: str
    code: int
    request_id: str | None = None
    route: str | None = None
    method: str | None = None
    details: str | None = None
    flags: str | None = None
    limit: str | None = None
    ms: int | None = None
    upstream_ms: int | None = None
    version: str | None = None
    upstream: str | None = None
    attempts: int | None = None
    trace_id: str | None = None


def find(lines: Iterable[str], request_id: str) -> Entry | None:
    """The line about one request, by its X-Request-Id (the `trace_id` of a problem document) or its W3C trace id."""
    for line in lines:
        if request_id in line:
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except (msgspec.DecodeError, RecursionError):  # cut short: the disk was full, or Envoy was killed
                continue
            if request_id in (entry.request_id, entry.trace_id):
                return entry
    return None


def told(entry: Entry) -> list[str]:
    """The answer in sentences, the reason first."""
    return [_reason(entry), *_flags(entry), *_way(entry)]


_ROUTES = {
    NO_SUCH_OPERATION: "No published operation has its path.",
    METHOD_NOT_ALLOWED: "Its path is published, but not with its method; `Allow` in the answer said with which.",
    MEDIA_TYPE: "Its Content-Type is none that the operation takes; `Accept` in the answer said which.",
    OTHER_HOST: "Its Host is none that this gateway serves in this environment.",
    PREFLIGHT: "It was a preflight, which the gateway answers by itself.",
}
"""Answers that the gateway gives by a route of its own."""

_TOKEN = "jwt_authn_access_denied"  # noqa: S105
_RESET = "upstream_reset_before_response_started"
_DETAILS = {
    f"{_TOKEN}{{Jwt_is_missing": "It had no token; one is looked for in `Authorization: Bearer ...` only.",
    f"{_TOKEN}{{Jwt_is_expired": f"Its token had expired more than {CLOCK_SKEW} seconds before.",
    f"{_TOKEN}{{Jwt_not_yet_valid": "Its token was not valid yet (`nbf`); the issuer's clock may be ahead of ours.",
    f"{_TOKEN}{{Jwt_issuer_is_not_configured": "Its token came from an issuer that is not believed here (`iss`).",
    f"{_TOKEN}{{Audiences_in_Jwt_are_not_allowed": "Its token was for something else (`aud`).",
    f"{_TOKEN}{{Jwks_doesn't_have_key_to_match": "Its token was signed with a key, or in a way, that the issuer does "
    "not publish: it was withdrawn, it is too new, or it is somebody else's.",
    f"{_TOKEN}{{Jwt_verification_fails": "Its token's signature was wrong, or it had no expiry (`exp`).",
    f"{_TOKEN}{{Jwt_is_not_in_the_form": "What it sent as a token is none: it has not three parts with dots between.",
    _TOKEN: "Its token was not valid.",
    "rbac_access_denied_matched_policy[authorization]": "Its `Authorization` was not `Bearer`, a blank and one token.",
    "rbac_access_denied_matched_policy[audience]": "Its token was for something else (`aud`), if only by a letter.",
    "rbac_access_denied": "Its token was valid but lacks the scopes that the operation asks for.",
    "local_rate_limited": "It was one too many at that moment.",
    "request_payload_too_large": "Its body was larger than the product's `body_limit`.",
    "path_normalization_failed": "Its path could not be read, or had an escaped slash.",
    "http1.unexpected_underscore": "A header's name had an underscore, which is refused.",
    "http2.unexpected_underscore": "A header's name had an underscore, which is refused.",
    "http1.headers_too_large": "Its head was too large.",
    "http1.too_many_headers": "It had too many headers.",
    "http2.too_many_headers": "It had too many headers.",
    "http1.invalid_transfer_encoding": "Its Transfer-Encoding was not `chunked`.",
    "http1.codec_error": "It was not HTTP.",
    "http1.": "It broke the rules of HTTP/1.",
    "http2.": "It broke the rules of HTTP/2.",
    "missing_host_header": "It named no host.",
    "low_version": "It was HTTP/1.0; HTTP/1.1 is the least.",
    "upgrade_failed": "It wanted to become another protocol (WebSocket) or a tunnel (CONNECT); neither goes through.",
    "request_header_timeout": "Its head took too long to come.",
    "request_overall_timeout": "It took too long to come, body included.",
    "stream_idle_timeout": "Nothing was sent either way for so long that it was given up.",
    "overload": "The gateway itself was at its limit of memory or connections.",
    "no_healthy_upstream": "No address of the version was healthy: health checks failed, or all were left out after "
    "errors. The upstream did not get it.",
    "cluster_not_found": "The configuration names a version that Envoy does not know; see `outrider gateway drift`.",
    "route_not_found": "Envoy has no route for it; see `outrider gateway drift`.",
    "route_configuration_not_found": "Envoy had no routes yet; see `outrider gateway drift`.",
    f"{_RESET}{{overflow": "The version had as much open as its breakers allow. The upstream did not get it.",
    f"{_RESET}{{remote_connection_failure": "No connection to the upstream came about. It did not get the request.",
    f"{_RESET}{{local_connection_failure": "No connection to the upstream came about. It did not get the request.",
    f"{_RESET}{{connection_timeout": "The upstream did not accept a connection in time. It did not get the request.",
    f"{_RESET}{{protocol_error": "The upstream's answer was not HTTP. What was asked for may have been done.",
    _RESET: "The upstream broke the connection off before it answered. What was asked for may have been done.",
    "upstream_reset_after_response_started": "The upstream broke off in the middle of its answer.",
    "response_timeout": "The upstream had not answered in the operation's time. What was asked for may have been done.",
    "upstream_response_timeout": "The upstream had not answered in time. What was asked for may have been done.",
    "upstream_per_try_timeout": "The upstream had not answered in time. What was asked for may have been done.",
    "upstream_max_stream_duration_reached": "It had been open for as long as is allowed.",
    "downstream_remote_disconnect": "Whoever asked went away before the answer was complete.",
    "downstream_local_disconnect": "The gateway closed the connection before the answer was complete.",
    "via_upstream": "The upstream itself gave this answer; the gateway passed it on.",
}
"""Beginnings of Envoy's `details`; the longest that fits counts."""

_FLAGS = {
    "DC": "whoever asked went away",
    "DF": "the upstream's name could not be found in DNS",
    "DO": "dropped because of overload",
    "DPE": "the request broke the rules of HTTP",
    "DT": "the connection or the request was open for too long",
    "FI": "an error was put in on purpose",
    "IH": "it had headers that Envoy refuses",
    "LH": "the gateway's own health check failed",
    "LR": "the gateway reset the connection to the upstream",
    "NC": "the version is not known to Envoy",
    "NFCF": "the filter's configuration was not there yet: no keys have come to the gateway",
    "NR": "no route, host or filter chain fits",
    "OM": "the gateway was at its limit of memory or connections",
    "RL": "a limit was reached",
    "SI": "nothing was sent either way for too long",
    "UAEX": "another service refused it",
    "UC": "the upstream closed the connection",
    "UF": "the upstream could not be reached",
    "UH": "the version had no healthy address",
    "UMSDR": "it was open for as long as is allowed",
    "UO": "the version had as much open as its breakers allow",
    "UPE": "the upstream's answer was not HTTP",
    "UR": "the upstream reset the connection",
    "URX": "it was tried as often as is allowed",
    "UT": "the upstream had not answered in time",
}
"""Envoy's flags in a few words."""

_LIMITS = {"person": "the person (`sub`)", "client": "the client's address", "product": "the product as a whole"}


def _reason(entry: Entry) -> str:
    details = entry.details or ""
    if details == "direct_response" and entry.route in _ROUTES:
        return _ROUTES[entry.route]
    if entry.route == PREFLIGHT:
        return _ROUTES[PREFLIGHT]
    name = (entry.limit or "").partition(";")[0].strip('"')
    if details == "local_rate_limited" and name in _LIMITS:
        return f"It was one too many for {_LIMITS[name]} at that moment."
    known = [beginning for beginning in _DETAILS if details.startswith(beginning)]
    return _DETAILS[max(known, key=len)] if known else f"Envoy's reason: {details or 'none'}."


def _flags(entry: Entry) -> Iterator[str]:
    flags = [flag for flag in (entry.flags or "").split(",") if flag not in ("", "-")]
    if flags:
        yield f"Envoy's flags: {'; '.join(f'{flag} ({_FLAGS[flag]})' if flag in _FLAGS else flag for flag in flags)}."


def _way(entry: Entry) -> Iterator[str]:
    if entry.upstream:
        attempts = f", at attempt {entry.attempts}" if (entry.attempts or 0) > 1 else ""
        first = f", first byte after {entry.upstream_ms} ms" if entry.upstream_ms is not None else ""
        yield f"It went to {entry.upstream} ({entry.version}){attempts}{first}."
    if entry.ms is not None:
        yield f"It took {entry.ms} ms in all."
