"""Problem documents for everything that the gateway itself answers, as one table. Upstreams' answers pass unchanged.

Envoy says of each of its answers why it gave it (`response.code_details`); a row turns that into what a caller can act
on. The first row that matches counts.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from outrider.common.problems import MEDIA_TYPE, type_of
from outrider.gateway.compile.audience import NAME as AUDIENCE
from outrider.gateway.compile.authorization import NAME as AUTHORIZATION
from outrider.gateway.compile.limits import POLICY
from outrider.gateway.compile.parts import OUTRIDER, Source, appended, extension

_CEL = "envoy.access_loggers.extension_filters.cel"
_RESET = "upstream_reset_before_response_started"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of answer. when: a condition in CEL. status: instead of Envoy's own. may_have_happened: the upstream may
    have had the request. detail, headers: with Envoy's `%...%`, and our `{...}`.
    """

    code: str
    when: str
    status: int | None = None
    title: str
    detail: str
    retryable: bool = False
    may_have_happened: bool = False
    headers: Mapping[str, str] = {}


def _details(exact: str) -> str:
    return f"response.code_details == '{exact}'"


def _begin(*prefixes: str) -> str:
    return " || ".join(f"response.code_details.startsWith('{prefix}')" for prefix in prefixes)


def _limited(by: str) -> str:
    return f"response.code == 429 && response.headers['{POLICY}'].startsWith('\"{by}\"')"


_INVALID = {"www-authenticate": 'Bearer realm="{product}", error="invalid_token"'}
_SOON = {"retry-after": "1"}

ROWS = (
    Row(
        code="token_missing",
        when=_details("jwt_authn_access_denied{Jwt_is_missing}"),
        title="There is no token",
        detail="Send a token of {issuer} as `Authorization: Bearer ...`; it is looked for nowhere else.",
        headers={"www-authenticate": 'Bearer realm="{product}"'},
    ),
    Row(
        code="token_expired",
        when=_details("jwt_authn_access_denied{Jwt_is_expired}"),
        title="The token has expired",
        detail="Get a new token of {issuer} and send the request again.",
        headers=_INVALID,
    ),
    Row(
        code="token_invalid",
        when=_begin("jwt_authn_access_denied"),
        status=401,  # Envoy says 403 to a token for someone else
        title="The token is not valid",
        detail="%LOCAL_REPLY_BODY%. It must be signed with a current key of {issuer}, be for the audience {audiences}, "
        "and have an expiry.",
        headers=_INVALID,
    ),
    Row(
        code="token_invalid",
        when=_details(f"rbac_access_denied_matched_policy[{AUDIENCE}]"),
        status=401,
        title="The token is not valid",
        detail="It is for somebody else: its `aud` must be {audiences}, letter by letter.",
        headers=_INVALID,
    ),
    Row(
        code="token_malformed",
        when=_details(f"rbac_access_denied_matched_policy[{AUTHORIZATION}]"),
        status=401,
        title="The token is not where it should be",
        detail="`Authorization` must be `Bearer`, one blank and one token, and must be there once.",
        headers=_INVALID,
    ),
    Row(
        code="scope_missing",
        when=_begin("rbac_access_denied"),
        title="The token does not allow this",
        detail="This operation needs %METADATA(ROUTE:{namespace}:needs)%; get a token with that.",
        headers={
            "www-authenticate": 'Bearer realm="{product}", error="insufficient_scope", '
            'scope="%METADATA(ROUTE:{namespace}:scope)%"'
        },
    ),
    Row(
        code="client_limit",
        when=_limited("client"),
        title="Too many requests from this address",
        detail="Wait for the seconds in `Retry-After`.",
        retryable=True,
    ),
    Row(
        code="person_limit",
        when=_limited("person"),
        title="Too many requests of this person",
        detail="Wait for the seconds in `Retry-After`.",
        retryable=True,
    ),
    Row(
        code="product_limit",
        when="response.code == 429",
        title="Too many requests to this product",
        detail="Everyone together asks for more than it can do. Wait for the seconds in `Retry-After`.",
        retryable=True,
    ),
    Row(
        code="host_not_served",
        when="response.code == 421",
        title="This host is not served here",
        detail="Send the request under a host name of this product.",
    ),
    Row(
        code="method_not_allowed",
        when="response.code == 405",
        title="This can't be done here",
        detail="This path has other methods: see `Allow`.",
    ),
    Row(
        code="no_such_operation",
        when="response.code == 404",
        title="There is no such operation",
        detail="The API of {product} has nothing at this path; its OpenAPI document says what there is.",
    ),
    Row(
        code="wrong_media_type",
        when="response.code == 415",
        title="This operation does not take such a body",
        detail="Send one of the media types in `Accept`, and say so in `Content-Type`.",
    ),
    Row(
        code="too_large",
        when="response.code == 413",
        title="The request is too large",
        detail="A body may have up to {body_limit} bytes.",
    ),
    Row(
        code="head_too_large",
        when="response.code == 431",
        title="The request's head is too large",
        detail="Send fewer or shorter headers.",
    ),
    Row(
        code="http_too_old",
        when="response.code == 426",
        title="This version of HTTP is too old",
        detail="Use HTTP/1.1 or HTTP/2.",
    ),
    Row(
        code="upgrade_refused",
        when=_details("upgrade_failed"),
        title="There is nothing to upgrade to",
        detail="WebSocket, other upgrades and tunnels (`CONNECT`) do not go through this gateway.",
    ),
    Row(
        code="request_too_slow",
        when="response.code == 408",
        title="The request took too long to come",
        detail="Send it again, faster.",
        retryable=True,
    ),
    Row(
        code="malformed_request",
        when="response.code < 500",
        title="The request can't be read",
        detail="It breaks HTTP, or has what is refused here: escaped slashes in the path, underscores in header names.",
    ),
    Row(
        code="not_supported",
        when="response.code == 501",
        title="This is not done here",
        detail="The service did not get this request. Of transfer codings only `chunked` is read: send the body as it "
        "is.",
    ),
    Row(
        code="timeout",
        when="response.code == 504",
        title="The service did not answer in time",
        detail="What was asked for may have been done: look before you repeat what must not happen twice.",
        retryable=True,
        may_have_happened=True,
    ),
    Row(
        code="busy",
        when="response.code_details.contains('overflow')",
        title="The service has all that it can take",
        detail="It did not get this request. Try again later.",
        retryable=True,
        headers=_SOON,
    ),
    Row(
        code="not_reached",
        when=_begin(f"{_RESET}{{remote_connection_failure", f"{_RESET}{{local_connection_failure")
        + " || "
        + _begin(f"{_RESET}{{connection_timeout"),
        title="The service can't be reached",
        detail="It did not get this request. Try again later.",
        retryable=True,
        headers=_SOON,
    ),
    Row(
        code="no_upstream",
        when=_details("no_healthy_upstream"),
        title="The service is not there",
        detail="It did not get this request: no address of it is healthy now. Try again later.",
        retryable=True,
        headers={"retry-after": "2"},
    ),
    Row(
        code="overloaded",
        when=_begin("overload"),
        title="The gateway has all that it can take",
        detail="The service did not get this request. Try again later.",
        retryable=True,
        headers=_SOON,
    ),
    Row(
        code="broken_off",
        when=_begin(_RESET),
        title="The service broke off",
        detail="What was asked for may have been done: look before you repeat what must not happen twice.",
        retryable=True,
        may_have_happened=True,
    ),
    Row(
        code="gateway_error",
        when="response.code >= 500",
        title="Something is wrong here",
        detail="Tell the owner of {product} the trace id.",
        may_have_happened=True,
    ),
)


def local_replies(source: Source) -> dict[str, Any]:
    """How Envoy says what it answers by itself."""
    issuer = source.placement.issuer.issuer if source.placement.issuer else ""
    known = {
        "product": source.product.name,
        "issuer": issuer,
        "audiences": " or ".join(source.product.audiences),
        "body_limit": str(source.product.body_limit),
        "namespace": OUTRIDER,
    }
    told = {name: value.replace("%", "%%") for name, value in known.items()}
    return {"mappers": [_mapper(row, told) for row in ROWS if source.asks_for_tokens or not _of_tokens(row)]}


def _of_tokens(row: Row) -> bool:
    return row.code.startswith(("token_", "scope_", "person_"))


def _mapper(row: Row, told: Mapping[str, str]) -> dict[str, Any]:
    kind = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    document = {
        "type": type_of(row.code),
        "title": row.title,
        "status": "%RESPONSE_CODE%",
        "detail": row.detail.format_map(told),
        "code": row.code,
        "retryable": row.retryable,
        "may_have_happened": row.may_have_happened,
        "trace_id": "%REQ(X-REQUEST-ID)%",
    }
    headers = {name: value.format_map(told) for name, value in row.headers.items()}
    return {
        "filter": {"extension_filter": extension(_CEL, kind, expression=row.when)},
        # What can't be read at all has no id yet: then the member is left out.
        "body_format_override": {"content_type": MEDIA_TYPE, "json_format": document, "omit_empty_values": True},
        **({"headers_to_add": appended(headers)} if headers else {}),
        **({"status_code": row.status} if row.status else {}),
    }
