"""An issuer of tokens, for tests."""

import time
from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec


class Signer:
    """An issuer's keys by name, and tokens for one audience that are signed with them."""

    def __init__(self, issuer: str, audience: str, *names: str) -> None:
        self.keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in names}
        self._usual = {"iss": issuer, "aud": audience, "sub": "ada"}

    def jwk(self, name: str) -> dict[str, Any]:
        """The public key of that name."""
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.keys[name].public_key(), as_dict=True)
        return {**public, "kid": name, "alg": "ES256", "use": "sig"}

    def jwks(self, *names: str) -> str:
        """The set of these public keys."""
        return msgspec.json.encode({"keys": [self.jwk(name) for name in names]}).decode()

    def publish(self, file: Path, *names: str) -> None:
        """Put a JWKS of these keys in the place of the one before."""
        draft = file.with_suffix(".draft")
        draft.write_text(self.jwks(*names))
        draft.replace(file)

    def bearer(self, name: str, scope: str | list[str] | None, **claims: Any) -> dict[str, str]:
        """The header with a token of this key, in order but for what is said; a claim that is None is left out."""
        all_of_them = {**self._usual, "scope": scope, "exp": int(time.time()) + 600, **claims}
        said = {claim: value for claim, value in all_of_them.items() if value is not None}
        return {"authorization": "Bearer " + jwt.encode(said, self.keys[name], "ES256", headers={"kid": name})}
