"""Tokens: who is asking, and for what? JWTs (RFC 7519) signed with ES256 or RS256 by a key of the JWKS (RFC 7517).

What must hold here: the algorithm is the key's, never the token's word; nothing is believed past `exp`; a key that is
gone from the JWKS is believed for `KEYS_FRESH_FOR` longer at most; no token appears in a log or in an error.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from outrider.adapters.dev_key import AUDIENCE, ISSUER
from outrider.domain.errors import TemporarilyUnavailable, TokenExpired, TokenInvalid
from outrider.domain.registry import PERSON

log = structlog.get_logger()

LONGEST_TOKEN = 8192
LEEWAY = 5.0
"""Seconds by which an issuer's clock may be ahead of ours (`nbf`). There is none for `exp`."""
CACHED_FOR = 60.0
"""Seconds for which a verified token is believed without looking at its signature again."""
MOST_CACHED = 4096
KEYS_FRESH_FOR = 60.0
"""Seconds after which the JWKS is read again, so that a key that was taken out is not believed any more."""
UNKNOWN_KEY_EVERY = 10.0
"""Seconds between two looks for a key id that the JWKS did not have."""
SMALLEST_RSA = 2048

Fetch = Callable[[], Awaitable[bytes]]


class Caller(msgspec.Struct, frozen=True):
    """Who asks: a person, and the scopes of the token."""

    person: str
    scopes: frozenset[str]


class Key(msgspec.Struct, frozen=True):
    """A public key and the one algorithm that it is used with."""

    algorithm: str
    public: Any


class Keys:
    """The keys of a JWKS by key id, read again when they are old or one is missing. `fetch` gets the JWKS."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._raw = b""
        self._by_id: Mapping[str, Key] = {}
        self._looked_at = -math.inf
        self._reading: asyncio.Task[None] | None = None

    async def current(self) -> Mapping[str, Key]:
        """The keys as last read, no longer ago than `KEYS_FRESH_FOR`; another object when they changed."""
        if self._clock() - self._looked_at > KEYS_FRESH_FOR:
            await self._read()
        return self._by_id

    async def find(self, key_id: str) -> Key | None:
        """The key with this id; looks for it anew, but not at every stranger's request.

        Raises TemporarilyUnavailable while no keys could be read at all.
        """
        known = key_id in await self.current()
        if not known and (self._reading is not None or self._clock() - self._looked_at > UNKNOWN_KEY_EVERY):
            await self._read()
        if not self._raw:
            raise TemporarilyUnavailable("The keys that tokens are checked with can't be read now.", retry_after=10)
        return self._by_id.get(key_id)

    async def _read(self) -> None:
        if self._reading is None:
            self._looked_at = self._clock()
            self._reading = asyncio.create_task(self._read_once())
        await asyncio.shield(self._reading)  # shared: who asked first may go away

    async def _read_once(self) -> None:
        try:
            raw = await self._fetch()
            if raw != self._raw:
                self._by_id, self._raw = read_jwks(raw), raw
        except Exception as error:
            # Who was believed a minute ago is believed on; the next look comes.
            log.warning("jwks_unreadable", error=type(error).__name__)
        finally:
            self._reading = None


class _Seen(msgspec.Struct, frozen=True):
    caller: Caller
    believed_until: float


class Tokens:
    """Verifies tokens of one issuer for one audience."""

    def __init__(
        self,
        keys: Keys,
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._seen_with: Mapping[str, Key] | None = None

    async def verify(self, token: str) -> Caller:
        """Who this token speaks for. Raises TokenInvalid, TokenExpired."""
        keys = await self._keys.current()
        if keys is not self._seen_with:  # the keys changed: nothing that an old one proved counts any more
            self._seen.clear()
            self._seen_with = keys
        seen = self._seen.get(token)
        if seen is not None and self._clock() < seen.believed_until:
            return seen.caller
        caller, expires_at = await self._prove(token)
        self._remember(token, _Seen(caller, min(self._clock() + CACHED_FOR, expires_at)))
        return caller

    def _remember(self, token: str, seen: _Seen) -> None:
        self._seen.pop(token, None)
        if len(self._seen) >= MOST_CACHED:
            del self._seen[next(iter(self._seen))]
        self._seen[token] = seen

    async def _prove(self, token: str) -> tuple[Caller, float]:
        try:
            if len(token) > LONGEST_TOKEN:
                raise TokenInvalid(f"The token is longer than {LONGEST_TOKEN} characters.")
            header = jwt.get_unverified_header(token)
            key_id = header.get("kid")
            key = await self._keys.find(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise TokenInvalid("It is signed with a key that is not known here; get a new token.")
            claims = jwt.decode(
                token,
                key.public,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": ["exp", "sub", "iss", "aud"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenInvalid(_WHY.get(type(error), "It can't be verified; get a new token.")) from None
        return self._caller(claims)

    def _caller(self, claims: Mapping[str, Any]) -> tuple[Caller, float]:
        now, expires_at, person = self._clock(), claims["exp"], claims["sub"]
        if not _is_time(expires_at) or not _is_time(claims.get("nbf", 0)):
            raise TokenInvalid("exp and nbf must be seconds since 1970; get a new token.")
        if now >= expires_at:
            raise TokenExpired("The token has expired; get a new one.")
        if claims.get("nbf", 0) > now + LEEWAY:
            raise TokenInvalid("The token is not valid yet; check the clock of its issuer.")
        if not isinstance(person, str) or not PERSON.fullmatch(person):
            raise TokenInvalid("sub must name a person in 1 to 128 characters; get a new token.")
        scope = claims.get("scope", "")
        if not isinstance(scope, str):
            raise TokenInvalid("scope must be words with spaces between them; get a new token.")
        return Caller(person, frozenset(scope.split())), float(expires_at)


_WHY: dict[type[Exception], str] = {
    jwt.InvalidIssuerError: "It comes from another issuer; get one from the issuer of this platform.",
    jwt.InvalidAudienceError: "It is meant for another audience; get one for this platform.",
    jwt.InvalidAlgorithmError: "It is not signed with the algorithm of its key; get a new token.",
    jwt.InvalidSignatureError: "Its signature is wrong; get a new token.",
    jwt.MissingRequiredClaimError: "It must have exp, sub, iss and aud; get a new token.",
}


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_jwks(raw: bytes) -> dict[str, Key]:
    """The keys of a JWKS that can sign tokens here, by id; others are left out. ValueError: it is no JWKS."""
    document = msgspec.json.decode(raw)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("a JWKS has a list of keys")
    named = [jwk for jwk in document["keys"] if isinstance(jwk, dict) and isinstance(jwk.get("kid"), str)]
    return {jwk["kid"]: key for jwk in named if (key := _key(jwk)) is not None}


def _key(jwk: Mapping[str, Any]) -> Key | None:
    """A symmetric key, one for encryption, a weak or a private one is none."""
    algorithm = {("EC", "P-256"): "ES256", ("RSA", None): "RS256"}.get((str(jwk.get("kty")), jwk.get("crv")))
    if algorithm is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        public = jwt.PyJWK(dict(jwk), algorithm).key
    except jwt.PyJWTError:
        return None
    if isinstance(public, rsa.RSAPublicKey):
        return Key(algorithm, public) if public.key_size >= SMALLEST_RSA else None
    return Key(algorithm, public) if isinstance(public, ec.EllipticCurvePublicKey) else None


def jwks_file(path: Path) -> Fetch:
    """Reads a JWKS from a file."""

    async def fetch() -> bytes:
        return await asyncio.to_thread(path.read_bytes)

    return fetch


def jwks_url(url: str) -> Fetch:
    """Reads a JWKS over HTTP; redirects are not followed."""

    async def fetch() -> bytes:
        async with httpx.AsyncClient(timeout=3.0) as client:
            answer = await client.get(url)
            answer.raise_for_status()
            return answer.content

    return fetch
