"""The issuer of tokens as Kong knows it: one consumer with a credential for each of its public keys."""

from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK, PyJWKSet

_UNUSED = "unused"
"""decK's schema wants a secret in every JWT credential; Kong reads it for HS256 and the like only."""


class PublicKey(msgspec.Struct, frozen=True):
    """One key of the issuer: its id (`kid`), the one algorithm that it is for, and itself as PEM."""

    id: str
    algorithm: str
    pem: str


def public_keys(jwks: str) -> tuple[PublicKey, ...]:
    """The keys of a JWKS as `keys.read_keys` gives it: usable and public ones only, each with its `kid`."""
    return tuple(PublicKey(str(key.key_id), key.algorithm_name, _pem(key)) for key in PyJWKSet.from_json(jwks).keys)


def consumer(issuer: str, keys: Sequence[PublicKey]) -> dict[str, Any]:
    """Kong finds the key by the token's `kid`; by `iss`, which is its custom, an issuer could have one key only."""
    credentials = [
        {"key": key.id, "algorithm": key.algorithm, "rsa_public_key": key.pem, "secret": _UNUSED} for key in keys
    ]
    return {"username": issuer, "jwt_secrets": credentials}


def _pem(key: PyJWK) -> str:
    encoded: bytes = key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode()
