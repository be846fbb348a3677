"""Limits: for each person, for each client address where nobody is known, and for the product as a whole.

Three filters, for each has its own place in the chain. Buckets are this gateway's own and begin full. They fill
evenly, so `Retry-After` is the time until the next token is there, rounded up.
"""

from math import ceil
from typing import Any

from outrider.gateway.compile.authorization import FORM
from outrider.gateway.compile.parts import CLAIMS, DISABLED, JWT_AUTHN, OUTRIDER, Filter, Json, Source, appended, typed
from outrider.gateway.product import Limit

KNOWN = 10_000
"""People and client addresses whose buckets are kept; the one not seen for longest is forgotten, and begins anew."""
POLICY = "ratelimit-policy"
"""The header of a refusal that tells which limit it was."""
BY_CLIENT, BY_TOKEN = "client", "token"
"""Under these names a route says how it is limited: by client address, or by person where there is a token."""
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}


def _limiter(name: str, limit: Limit, **more: Any) -> dict[str, Any]:
    told = {"retry-after": str(ceil(limit.per / limit.requests)), POLICY: f'"{name}";q={limit.requests};w={limit.per}'}
    settings = typed(
        "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix=f"limit.{name}",
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS,
        response_headers_to_add=appended(told),
        **more,
    )
    return {"name": f"limit-{name}", "typed_config": settings}


def _bucket(limit: Limit) -> dict[str, Any]:
    return {"max_tokens": limit.requests, "tokens_per_fill": limit.requests, "fill_interval": f"{limit.per}s"}


def _buckets(limit: Limit, *keys: dict[str, str]) -> dict[str, Any]:
    return {"entries": list(keys), "token_bucket": _bucket(limit)}


def _route_says(by: str) -> dict[str, Any]:
    """Goes on only on routes that say so."""
    key = {"key": OUTRIDER, "path": [{"key": by}]}
    return {"metadata": {"descriptor_key": by, "metadata_key": key, "source": "ROUTE_ENTRY"}}


_ADDRESS = {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}
_NO_TOKEN = {
    "header_value_match": {
        "descriptor_value": "no-token",
        "expect_match": False,
        "headers": [{"name": "authorization", "string_match": {"safe_regex": {"regex": FORM}}}],
    }
}
"""Nothing that the token check would look at. Whether a token is genuine is not known before its signature was checked,
and then a limit no longer saves anything.
"""


def _headers(source: Source) -> dict[str, Any]:
    return {"enable_x_ratelimit_headers": "DRAFT_VERSION_03"} if source.product.limits.headers else {}


def _client(source: Source) -> Json | None:
    limit = source.product.limits.client
    known, no_token = _route_says(BY_CLIENT), _route_says(BY_TOKEN)
    address = {"key": "masked_remote_address"}
    return _limiter(
        "client",
        limit,
        descriptors=[
            _buckets(limit, {"key": BY_CLIENT, "value": "yes"}, address),
            _buckets(limit, {"key": BY_TOKEN, "value": "yes"}, {"key": "header_match", "value": "no-token"}, address),
        ],
        max_dynamic_descriptors=KNOWN,
        rate_limits=[{"actions": [known, _ADDRESS]}, {"actions": [no_token, _NO_TOKEN, _ADDRESS]}],
        **_headers(source),
    )


def _person(source: Source) -> Json | None:
    if not source.asks_for_tokens:
        return None
    limit = source.product.limits.person
    subject = {"key": JWT_AUTHN, "path": [{"key": CLAIMS}, {"key": "sub"}]}
    # Tokens that name nobody share one bucket: without one, they would have no limit.
    claim = {"descriptor_key": "sub", "metadata_key": subject, "source": "DYNAMIC", "default_value": "nobody"}
    return _limiter(
        "person",
        limit,
        descriptors=[_buckets(limit, {"key": BY_TOKEN, "value": "yes"}, {"key": "sub"})],
        max_dynamic_descriptors=KNOWN,
        rate_limits=[{"actions": [_route_says(BY_TOKEN), {"metadata": claim}]}],
        **_headers(source),
    )


def _product(source: Source) -> Json | None:
    return _limiter("product", source.product.limits.product, token_bucket=_bucket(source.product.limits.product))


CLIENT = Filter(name="limit-client", chain=_client)
PERSON = Filter(name="limit-person", chain=_person)
PRODUCT = Filter(name="limit-product", chain=_product, own=lambda _: DISABLED)
