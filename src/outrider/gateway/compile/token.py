"""The token check: header only, signature, issuer, audience, and an expiry that must be there.

The keys are no part of what is compiled: the filter's settings come from a file of their own, into which they are put
when they are read and again whenever they change. Replacing that file also empties Envoy's cache of tokens already
checked, so that a withdrawn key is refused at once.
"""

from typing import Any

from outrider.gateway.compile.parts import CLAIMS, JWT_AUTHN, Filter, Json, Source, digest, from_file, typed
from outrider.gateway.faults import Refused
from outrider.gateway.product import Operation

SETTINGS = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
REQUIREMENT = "token"
CACHED_TOKENS = 1000
"""Tokens whose signature is not checked again; checking one costs up to 0.15 ms, looking it up 0.006 ms."""
CLOCK_SKEW = 30
"""Seconds by which our clock and the issuer's may differ."""


def settings(source: Source) -> dict[str, Any] | None:
    """The filter without any key; None where every operation is public."""
    if not source.asks_for_tokens:
        return None
    if source.placement.issuer is None:
        raise Refused(
            f"{source.product.name}: operations ask for a token, but the environment {source.placement.environment} "
            "names no issuer for it: give it `issuer:` with `issuer` and `jwks`"
        )
    provider = {
        "issuer": source.placement.issuer.issuer,
        "audiences": list(source.product.audiences),
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "require_expiration": True,
        "clock_skew_seconds": CLOCK_SKEW,
        "jwt_cache_config": {"jwt_cache_size": CACHED_TOKENS},
        "forward": True,  # the upstream checks it again
        "payload_in_metadata": CLAIMS,
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
    }
    requirement = {"provider_name": "issuer"}
    return typed(SETTINGS, providers={"issuer": provider}, requirement_map={REQUIREMENT: requirement})


def file_name(found: Json) -> str:
    """The file from which Envoy takes these settings, with the keys."""
    return f"token-{digest(found)}.json"


def _chain(source: Source) -> Json | None:
    found = settings(source)
    if found is None:
        return None
    discovery = {"config_source": from_file(file_name(found)), "type_urls": [f"type.googleapis.com/{SETTINGS}"]}
    return {"name": JWT_AUTHN, "config_discovery": discovery}


def _operation(source: Source, operation: Operation) -> Json | None:
    if operation.public:
        return None
    return typed("envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", requirement_name=REQUIREMENT)


# By route, so that an unknown path is a 404 without a token too.
FILTER = Filter(name=JWT_AUTHN, chain=_chain, operation=_operation)
