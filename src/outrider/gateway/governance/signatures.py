"""How an approver signs a waiver or an approval, and how that is seen: a JWS (RFC 7515) whose content is not in it, for
the content is the entry in product.yaml itself.

Signed is every field of the entry, and the product: an entry that is changed by a letter, or taken to another product,
has no signature. Keys are Ed25519 (EdDSA) or P-256 (ES256), and a key says which it is, never a signature.
"""

import base64
from typing import TypeAlias

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt.api_jws import PyJWS

from outrider.gateway.product import Approval, Exemption

PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey
PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey

_KINDS = "Ed25519 or P-256 are taken: openssl genpkey -algorithm ed25519 -out me.pem"
_TYPE = "outrider-exemption"
"""So that nothing else that the key has signed can be taken for a yes."""
_JWS = PyJWS(algorithms=["EdDSA", "ES256"])


class NoKey(Exception):
    """What was to be a key is none that can be used; the message says what to do."""


def public_key(pem: str) -> PublicKey:
    """An approver's public key. Raises NoKey."""
    if "PRIVATE KEY" in pem:
        raise NoKey("is a private key: take it away, replace it, and put here what `openssl pkey -pubout` writes")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise NoKey(f"is no public key in PEM; {_KINDS}, and `openssl pkey -in me.pem -pubout`") from None
    if isinstance(key, Ed25519PublicKey) or (
        isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    ):
        return key
    raise NoKey(f"is a key of another kind; {_KINDS}")


def private_key(pem: bytes) -> PrivateKey:
    """An approver's own key. Raises NoKey."""
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise NoKey("has a password; write a copy without: openssl pkey -in me.pem -out /dev/shm/me.pem") from None
    except (ValueError, UnsupportedAlgorithm):
        raise NoKey(f"is no private key in PEM; {_KINDS}") from None
    if isinstance(key, Ed25519PrivateKey) or (
        isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)
    ):
        return key
    raise NoKey(f"is a key of another kind; {_KINDS}")


def signature(product: str, entry: Exemption, key: PrivateKey) -> str:
    """What belongs into the entry's `signature`."""
    algorithm = "EdDSA" if isinstance(key, Ed25519PrivateKey) else "ES256"
    head, _, proof = _JWS.encode(_content(product, entry), key, algorithm, headers={"typ": _TYPE}).split(".")
    return f"{head}..{proof}"


def is_signed(product: str, entry: Exemption, key: PublicKey) -> bool:
    """Is the entry's signature by this key, for this product, and for what the entry says now?"""
    parts = entry.signature.split(".")
    if len(parts) != 3 or parts[1]:
        return False
    content = base64.urlsafe_b64encode(_content(product, entry)).rstrip(b"=").decode()
    algorithm = "EdDSA" if isinstance(key, Ed25519PublicKey) else "ES256"
    try:
        found = _JWS.decode_complete(f"{parts[0]}.{content}.{parts[2]}", key, algorithms=[algorithm])
    except (jwt.PyJWTError, ValueError):
        return False
    return bool(found["header"].get("typ") == _TYPE)


def _content(product: str, entry: Exemption) -> bytes:
    """What is signed: JSON without blanks, its members by name."""
    kind = "approval" if isinstance(entry, Approval) else "waiver"
    fields = {name: str(getattr(entry, name)) for name in entry.__struct_fields__ if name != "signature"}
    return msgspec.json.encode({"kind": kind, "product": product, **fields}, order="sorted")
