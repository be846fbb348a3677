"""Scopes: who has a token may call an operation only with the scopes that it names.

The filter by itself refuses everything; each route opens itself. A route that was forgotten would be closed.
"""

import re
from typing import Any

from outrider.gateway.compile.parts import CLAIMS, JWT_AUTHN, Filter, Json, Source, typed
from outrider.gateway.faults import Refused
from outrider.gateway.product import Operation

SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""What a scope may be called (RFC 6749, 3.3)."""
_ROUTE = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute"
_OPEN = typed(_ROUTE)


def _chain(source: Source) -> Json | None:
    if not source.asks_for_tokens:
        return None
    refuse_all = typed("envoy.extensions.filters.http.rbac.v3.RBAC", rules={"action": "ALLOW", "policies": {}})
    return {"name": "envoy.filters.http.rbac", "typed_config": refuse_all}


def _operation(source: Source, operation: Operation) -> Json | None:
    if not source.asks_for_tokens:
        return None
    if operation.public or () in operation.scopes:  # any token of this issuer, for this audience, will do
        return _OPEN
    if not operation.scopes:
        raise Refused(f"{operation.id}: it is not public, and no scopes open it: nobody could ever call it")
    for scope in sorted({scope for alternative in operation.scopes for scope in alternative}):
        if not SCOPE.fullmatch(scope):
            raise Refused(f"{operation.id}: no token can have the scope {scope!r}: it has a blank, a quote or the like")
    principals = [_all(alternative) for alternative in operation.scopes]
    policy = {"permissions": [{"any": True}], "principals": principals}
    return typed(_ROUTE, rbac={"rules": {"action": "ALLOW", "policies": {"scopes": policy}}})


def challenge(operation: Operation) -> dict[str, str]:
    """What an operation asks for: in words, and as `WWW-Authenticate` has it, which knows no alternatives."""
    if not operation.scopes or () in operation.scopes:
        return {}
    words = [" and ".join(f"`{scope}`" for scope in alternative) for alternative in operation.scopes]
    return {"needs": ", or ".join(words), "scope": " ".join(operation.scopes[0])}


def _own(source: Source) -> Json | None:
    return _OPEN if source.asks_for_tokens else None


def _all(scopes: tuple[str, ...]) -> dict[str, Any]:
    return {"and_ids": {"ids": [_has(scope) for scope in scopes]}}


def _has(scope: str) -> dict[str, Any]:
    value = {"list_match": {"one_of": {"string_match": {"exact": scope}}}}
    path = [{"key": CLAIMS}, {"key": "scope"}]
    matcher = {"filter": JWT_AUTHN, "path": path, "value": value}
    return {"sourced_metadata": {"metadata_matcher": matcher, "metadata_source": "DYNAMIC"}}


FILTER = Filter(name="envoy.filters.http.rbac", chain=_chain, operation=_operation, own=_own)
