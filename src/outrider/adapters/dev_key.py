"""The development key: an issuer of one's own in the data folder, for a platform that has no other yet.

Only this module writes `token-key.pem` and `jwks.json`. What it signs is verified like the tokens of any other issuer.
"""

import base64
import hashlib
import time
from pathlib import Path

import jwt
import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from outrider.common import private_files

ISSUER = AUDIENCE = "outrider"
"""Who issues its tokens, and for whom."""
KEY_FILE, JWKS_FILE = "token-key.pem", "jwks.json"


def make_dev_key(folder: Path) -> None:
    """Make the development key (EC P-256) and its JWKS in this folder, if it is not there yet. Git is to leave it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private_files.write(folder / ".gitignore", b"*\n")
    key_file = folder / KEY_FILE
    if not key_file.exists():
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        private_files.write(key_file, pem)
    private_files.write(folder / JWKS_FILE, msgspec.json.encode({"keys": [_public_jwk(_dev_key(folder))]}))


def mint(folder: Path, person: str, scopes: str, ttl: float, issuer: str = ISSUER, audience: str = AUDIENCE) -> str:
    """A token signed with the development key: for a person, with scopes (words with spaces between), for ttl seconds.

    FileNotFoundError: the key was not made yet.
    """
    key, now = _dev_key(folder), time.time()
    claims = {"iss": issuer, "aud": audience, "sub": person, "scope": scopes, "iat": int(now), "exp": now + ttl}
    return jwt.encode(claims, key, "ES256", headers={"kid": _public_jwk(key)["kid"]})


def _dev_key(folder: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key((folder / KEY_FILE).read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{folder / KEY_FILE} is not an EC key; remove it, and a new one is made")
    return key


def _public_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """The public key as a JWK; its id is its RFC 7638 thumbprint."""
    numbers = key.public_key().public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _base64url(numbers.x), "y": _base64url(numbers.y)}
    thumbprint = hashlib.sha256(msgspec.json.encode(members, order="sorted")).digest()
    return {**members, "kid": _text(thumbprint), "use": "sig", "alg": "ES256"}


def _base64url(number: int) -> str:
    return _text(number.to_bytes(32, "big"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
