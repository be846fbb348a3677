"""The development key: made once, and believed as other keys are."""

import base64
import hashlib
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from outrider.adapters.dev_key import make_dev_key, mint
from outrider.adapters.tokens import Caller, Keys, Tokens, jwks_file
from outrider.domain.errors import TokenExpired


async def test_the_development_key_mints_tokens(tmp_path: Path) -> None:
    """A development key is made once, is private, and its tokens are believed."""
    keys = tmp_path / "keys"
    make_dev_key(keys)
    pem = (keys / "token-key.pem").read_bytes()
    make_dev_key(keys)

    assert (keys / "token-key.pem").read_bytes() == pem
    assert stat.S_IMODE((keys / "token-key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    verifier = Tokens(Keys(jwks_file(keys / "jwks.json")))
    token = mint(keys, "operator", "commands admin", 60)
    assert await verifier.verify(token) == Caller("operator", frozenset({"commands", "admin"}))
    with pytest.raises(TokenExpired):
        await verifier.verify(mint(keys, "operator", "admin", -1))


def test_the_key_id_is_the_thumbprint_of_rfc_7638(tmp_path: Path) -> None:
    """The key id can be computed by anyone from the key itself."""
    make_dev_key(tmp_path)
    (jwk,) = json.loads((tmp_path / "jwks.json").read_bytes())["keys"]

    members = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    digest = hashlib.sha256(members.encode()).digest()
    assert jwk["kid"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert "d" not in jwk


def test_a_token_is_minted_without_http() -> None:
    """Minting loads no HTTP client: `outrider token` is quick, and needs no network."""
    probe = "import sys, outrider.adapters.dev_key; print('httpx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout.strip() == "False"
