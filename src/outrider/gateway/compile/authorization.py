"""The form of the header `Authorization` where a token is needed: `Bearer`, one token, and nothing else.

The token check finds its token anywhere in the header. An upstream that relies on the gateway may look elsewhere: of
`bearer FORGED, Bearer VALID` each would see another one.
"""

from outrider.gateway.compile.parts import DISABLED, Filter, Json, Source, typed
from outrider.gateway.product import Operation

NAME = "authorization"
FORM = "Bearer [A-Za-z0-9._~+/-]+=*"
"""RFC 6750, 2.1."""


def _chain(source: Source) -> Json | None:
    if not source.asks_for_tokens:
        return None
    there = {"header": {"name": "authorization", "present_match": True}}
    in_order = {"header": {"name": "authorization", "string_match": {"safe_regex": {"regex": FORM}}}}
    policy = {"permissions": [{"any": True}], "principals": [{"and_ids": {"ids": [there, {"not_id": in_order}]}}]}
    refuse = typed(
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        rules={"action": "DENY", "policies": {NAME: policy}},
        rules_stat_prefix=NAME,
    )
    return {"name": NAME, "typed_config": refuse}


def _operation(source: Source, operation: Operation) -> Json | None:
    return DISABLED if operation.public and source.asks_for_tokens else None


def _own(source: Source) -> Json | None:
    return DISABLED if source.asks_for_tokens else None


FILTER = Filter(name=NAME, chain=_chain, operation=_operation, own=_own)
