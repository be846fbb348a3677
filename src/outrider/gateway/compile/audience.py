"""The audience of a token, letter by letter: the token check takes `https://parking/` for `parking`, which may be
somebody else's.

The filter by itself refuses everybody; public operations and the gateway's own answers leave it out.
"""

from typing import Any

from outrider.gateway.compile.parts import CLAIMS, DISABLED, JWT_AUTHN, Filter, Json, Source, typed
from outrider.gateway.product import Operation

NAME = "audience"


def _chain(source: Source) -> Json | None:
    if not source.asks_for_tokens:
        return None
    forms = [form for audience in source.product.audiences for form in _forms(audience)]
    one_of_ours = {"or_ids": {"ids": [_is(form) for form in forms]}} if forms else {"not_id": {"any": True}}
    policy = {"permissions": [{"any": True}], "principals": [{"not_id": one_of_ours}]}
    refuse = typed(
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        rules={"action": "DENY", "policies": {NAME: policy}},
        rules_stat_prefix=NAME,
    )
    return {"name": NAME, "typed_config": refuse}


def _forms(audience: str) -> tuple[dict[str, Any], ...]:
    """One text, or a list that has it."""
    text = {"string_match": {"exact": audience}}
    return text, {"list_match": {"one_of": text}}


def _is(value: dict[str, Any]) -> dict[str, Any]:
    matcher = {"filter": JWT_AUTHN, "path": [{"key": CLAIMS}, {"key": "aud"}], "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher, "metadata_source": "DYNAMIC"}}


def _operation(source: Source, operation: Operation) -> Json | None:
    return DISABLED if operation.public and source.asks_for_tokens else None


def _own(source: Source) -> Json | None:
    return DISABLED if source.asks_for_tokens else None


FILTER = Filter(name=NAME, chain=_chain, operation=_operation, own=_own)
