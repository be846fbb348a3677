"""The public keys (JWKS, RFC 7517) of those whose tokens are believed: where they come from, and which can be used."""

import asyncio
import os
import ssl
import stat
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from outrider.common.ports import is_loopback
from outrider.gateway.environment import KeySource
from outrider.gateway.faults import Refused

log = structlog.get_logger(__name__)

SMALLEST_RSA = 2048
"""Bits."""
LARGEST = 256 * 1024
"""Bytes of a JWKS; each key has fewer than a thousand."""
FETCH_WITHIN = 5.0
"""Seconds for an issuer to answer in full."""

_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC P-256": ("ES256",),
    "EC P-384": ("ES384",),
    "EC P-521": ("ES512",),
    "OKP Ed25519": ("EdDSA",),
}
"""What Envoy verifies: kind and curve of a key, and its algorithms; the first where the key names none."""
_PUBLIC = ("kty", "kid", "use", "alg", "crv", "x", "y", "n", "e")
_PRIVATE = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


class KeysUnreadable(Refused):
    """There are no keys at the source that can be used; the message says why and what to do."""


async def read_keys(source: KeySource) -> str:
    """The keys that a source has now, as a JWKS of nothing but usable public keys. Raises KeysUnreadable."""
    return (await _look(source)).text


class Keys:
    """What the issuers of many products publish: each source is looked at by one, and a URL no more often than it says.

    What is wrong at a source is logged once, unless it is `quiet`. An object belongs to one event loop.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._seen: dict[KeySource, _Seen] = {}

    async def of(self, source: KeySource) -> str:
        """Its keys, read now or lately. Raises KeysUnreadable; then the next look comes no earlier either."""
        seen = self._seen.setdefault(source, _Seen())
        async with seen.looking:
            if time.monotonic() >= seen.next_look:
                before = seen.found
                await seen.look(source)
                if not self._quiet:
                    _log_change(source, before, seen.found)
        if isinstance(seen.found, KeysUnreadable):
            raise KeysUnreadable(*seen.found.args)
        return seen.found.text


class _Checked(msgspec.Struct, frozen=True):
    """Usable keys as a JWKS, and why others are left out."""

    text: str
    ignored: tuple[str, ...] = ()


class _Seen:
    """What was found at one source, and when to look again."""

    def __init__(self) -> None:
        self.looking = asyncio.Lock()
        self.next_look = 0.0
        self.found: _Checked | KeysUnreadable = KeysUnreadable("not looked at yet")

    async def look(self, source: KeySource) -> None:
        try:
            self.found = await _look(source)
        except KeysUnreadable as error:
            self.found = error
        # A file costs nothing to look at, so whoever asks gets what is there.
        self.next_look = time.monotonic() + source.refresh if source.url else 0.0


def _log_change(source: KeySource, before: _Checked | KeysUnreadable, now: _Checked | KeysUnreadable) -> None:
    if isinstance(now, KeysUnreadable):
        if str(now) != str(before):
            log.warning("keys_unreadable", reason=str(now))
    elif now != before and now.ignored:
        log.warning("keys_ignored", source=source.url or source.file, reasons=now.ignored)


async def _look(source: KeySource) -> _Checked:
    if source.url is not None:
        return checked(await _fetched(source.url, source.ca), source.url)
    if source.file is not None:
        return checked(_file_content(source.file), source.file)
    raise KeysUnreadable("the environment says neither in which file nor at which URL the issuer's keys are")


def checked(raw: bytes, place: str) -> _Checked:
    """The usable keys of a JWKS, in an order and a form that change only with the keys. Raises KeysUnreadable.

    Keys for encryption, of unknown kinds and too short ones are left out, as RFC 7517 wants it; one private key makes
    the whole set unusable, for whoever reads it can make tokens.
    """
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise KeysUnreadable(f"{place}: no JSON Web Key Set: {error}") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise KeysUnreadable(f'{place}: no JSON Web Key Set: it wants {{"keys": [...]}}')
    usable, ignored = [], []
    for number, key in enumerate(keys):
        name = repr(key.get("kid", f"number {number}"))
        if _PRIVATE & key.keys():
            raise KeysUnreadable(f"{place}: key {name} is PRIVATE: publish only the public half, and replace that key")
        if why := _unusable(key):
            ignored.append(f"key {name} {why}")
        else:
            usable.append({member: key[member] for member in _PUBLIC if member in key})
    if not usable:
        raise KeysUnreadable(f"{place}: no usable key: {'; '.join(ignored) or 'the set is empty'}")
    usable.sort(key=lambda key: (key["kid"], msgspec.json.encode(key)))
    return _Checked(msgspec.json.encode({"keys": usable}).decode(), tuple(ignored))


def _unusable(key: Mapping[str, Any]) -> str:
    """Why tokens can't be verified with this key; empty if they can."""
    known = _ALGORITHMS.get(f"{key.get('kty')} {key.get('crv', '')}".rstrip())
    if not known:
        return "is neither RSA nor EC (P-256, P-384, P-521) nor OKP (Ed25519)"
    if not isinstance(key.get("kid"), str) or not key["kid"]:
        return "has no `kid`"
    if key.get("use", "sig") != "sig":
        return "is not for signatures"
    if key.get("alg", known[0]) not in known:
        return f"has an algorithm other than {', '.join(known)}"
    try:
        public = jwt.PyJWK(dict(key), known[0]).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return "is damaged"
    if isinstance(public, RSAPublicKey) and public.key_size < SMALLEST_RSA:
        return f"has {public.key_size} bits; {SMALLEST_RSA} are the least"
    return ""


def _file_content(file: str) -> bytes:
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would hold up everything
        try:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise KeysUnreadable(f"{file}: not a file")
            raw = os.read(opened, LARGEST + 1)
        finally:
            os.close(opened)
    except OSError as error:
        raise KeysUnreadable(f"{file}: {error.strerror}") from None
    return _small(raw, file)


async def _fetched(url: str, ca: str | None) -> bytes:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise KeysUnreadable(f"{url}: keys are fetched by https; by http only from this machine")
    try:
        trusted = _trusted(ca, Path(ca).stat().st_mtime_ns if ca else 0)
    except (OSError, ssl.SSLError) as error:
        raise KeysUnreadable(f"{url}: its CA file {ca} can't be read: {error}") from None
    raw = b""
    try:
        async with (
            asyncio.timeout(FETCH_WITHIN),
            httpx.AsyncClient(verify=trusted, trust_env=False, timeout=FETCH_WITHIN) as client,
            client.stream("GET", url, headers={"accept": "application/json", "accept-encoding": "identity"}) as answer,
        ):
            if answer.status_code != 200:
                raise KeysUnreadable(f"{url}: it answers {answer.status_code}, not 200")
            async for part in answer.aiter_raw():
                raw = _small(raw + part, url)
    except TimeoutError:
        raise KeysUnreadable(f"{url}: no whole answer within {FETCH_WITHIN:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise KeysUnreadable(f"{url}: {str(error) or type(error).__name__}") from None
    return raw


def _small(raw: bytes, place: str) -> bytes:
    if len(raw) > LARGEST:
        raise KeysUnreadable(f"{place}: more than {LARGEST} bytes, which no set of keys needs")
    return raw


@lru_cache(maxsize=32)
def _trusted(ca: str | None, changed: int) -> ssl.SSLContext:
    """Which issuers' certificates are believed: those of the file, else of the system. Made anew when it changes."""
    return ssl.create_default_context(cafile=ca)
