"""CORS: which web pages may call from a browser, and what they may see."""

from typing import Any

from outrider.gateway.compile.parts import Filter, Json, Source, extension, typed
from outrider.gateway.faults import Refused
from outrider.gateway.product import Cors

NAME = "envoy.filters.http.cors"


def policy(cors: Cors, methods: str = "") -> dict[str, Any]:
    """The product's policy; with the methods of one path in answer to a preflight."""
    if cors.credentials and "*" in cors.origins:
        raise Refused("cors: `credentials` for every origin (`*`) would let any web page act for whoever visits it")
    exact = [{"exact": origin} for origin in cors.origins]
    patterns = [{"safe_regex": {"regex": pattern}} for pattern in cors.origin_patterns]
    made = typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=[*exact, *patterns],
        allow_credentials=cors.credentials,
        expose_headers=", ".join(cors.expose),
        forward_not_matching_preflights=False,
    )
    asked = {"allow_methods": methods, "allow_headers": ", ".join(cors.headers), "max_age": str(cors.max_age)}
    return {**made, **asked} if methods else made


def _chain(source: Source) -> Json | None:
    return extension(NAME, "envoy.extensions.filters.http.cors.v3.Cors") if source.product.cors else None


def _everywhere(source: Source, _: object = None) -> Json | None:
    return policy(source.product.cors) if source.product.cors else None


FILTER = Filter(name=NAME, chain=_chain, host=_everywhere)
