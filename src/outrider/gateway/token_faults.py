"""What is wrong with a token for one operation: what the gateway checks, and in the same order. Pure.

Nothing here repeats the token, nor whose it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jwt
import msgspec
from jwt.api_jws import PyJWS

from outrider.gateway.compile.token import CLOCK_SKEW
from outrider.gateway.explain import scopes_said
from outrider.gateway.product import Operation

_SHOWN = 100
"""Characters of a claim that are repeated at most."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a token must be like. keys: the JWKS that the gateway has now; None: it is not known."""

    issuer: str
    audiences: Sequence[str]
    operation: Operation
    keys: str | None


def token_faults(token: str, asked: Asked, now: float) -> list[str]:
    """Everything that is wrong, in sentences; empty: the gateway takes it. now: Unix time."""
    token = token.strip().removeprefix("Bearer ").strip()
    try:
        whole = PyJWS().decode_complete(token, options={"verify_signature": False})
        claims = msgspec.json.decode(whole["payload"])
    except (jwt.PyJWTError, msgspec.DecodeError, ValueError, RecursionError):
        return ["It is no JWT: three parts with dots between them, the first two Base64url of JSON objects (401)."]
    if not isinstance(claims, dict):
        return ["It is no JWT: its second part is not a JSON object (401)."]
    return [
        *_forms(claims),
        *_signature(token, whole["header"], asked.keys),
        *_whose(claims, asked),
        *_times(claims, now),
        *_scopes(claims, asked.operation),
    ]


def _forms(claims: Mapping[str, Any]) -> Iterator[str]:
    for name in ("iss", "sub", "jti"):
        if not isinstance(claims.get(name, ""), str):
            yield f"Its `{name}` is no text (401)."
    for name in ("exp", "nbf", "iat"):
        if _time(claims.get(name, 0)) is None:
            yield f"Its `{name}` is no number (401)."


def _signature(token: str, header: Mapping[str, Any], keys: str | None) -> Iterator[str]:
    if keys is None:
        return
    kid, algorithm = header.get("kid"), header.get("alg")
    known = jwt.PyJWKSet.from_json(keys).keys
    candidates = [key for key in known if kid in (None, key.key_id)]
    if not candidates:
        ids = ", ".join(_said(key.key_id) for key in known)
        yield f"It is signed with a key ({_said(kid)}) that the gateway does not have now; it has {ids} (401)."
    elif not any(_signed(token, key, algorithm) for key in candidates):
        yield f"Its signature ({_said(algorithm)}) does not belong to it: not by that key, or it was changed (401)."


def _signed(token: str, key: jwt.PyJWK, algorithm: Any) -> bool:
    try:
        PyJWS().decode_complete(token, key.key, algorithms=[algorithm])
    except (jwt.PyJWTError, TypeError, ValueError, NotImplementedError):
        return False
    return True


def _whose(claims: Mapping[str, Any], asked: Asked) -> Iterator[str]:
    if claims.get("iss") != asked.issuer:
        yield f"Its issuer (`iss`) is {_said(claims.get('iss'))}; only {asked.issuer} is believed (401)."
    audience = claims.get("aud")
    given = audience if isinstance(audience, list) else [audience]
    if not set(asked.audiences) & {each for each in given if isinstance(each, str)}:
        wanted = " or ".join(asked.audiences)
        yield f"It is for {_said(audience)} (`aud`), not for {wanted} (401)."


def _times(claims: Mapping[str, Any], now: float) -> Iterator[str]:
    expires, begins = _time(claims.get("exp")), _time(claims.get("nbf"))
    if expires is None:
        yield "It has no expiry (`exp`, in seconds since 1970), which every token must have (401)."
    elif expires + CLOCK_SKEW < now:
        yield f"It expired {_span(now - expires)} ago (401)."
    if begins is not None and begins - CLOCK_SKEW > now:
        yield f"It is not valid yet (`nbf`): in {_span(begins - now)} (401)."


def _time(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _scopes(claims: Mapping[str, Any], operation: Operation) -> Iterator[str]:
    scope = claims.get("scope", "")
    given = scope.split() if isinstance(scope, str) else scope if isinstance(scope, list) else []
    has = {each for each in given if isinstance(each, str)}
    if operation.public or any(has.issuperset(wanted) for wanted in operation.scopes):
        return
    wanted = scopes_said(operation.scopes)
    yield f"Its scopes (`scope`) are {_said(' '.join(sorted(has)) or None)}; {operation.id} wants {wanted} (403)."


def _span(seconds: float) -> str:
    for name, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"


def _said(value: Any) -> str:
    """A claim as it can be shown: no control characters, and not too long."""
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
