"""Keys that can be used, and keys that can't."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from outrider.gateway import jwks
from outrider.gateway.environment import KeySource
from outrider.gateway.jwks import Keys, KeysUnreadable, checked, read_keys


def key(kid: str | None = "1", **members: Any) -> dict[str, Any]:
    public = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    return {**public, **({} if kid is None else {"kid": kid}), **members}


def rsa_key(bits: int) -> dict[str, Any]:
    private = rsa.generate_private_key(65537, bits)
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": "rsa"}


def okp_key() -> dict[str, Any]:
    private = ed25519.Ed25519PrivateKey.generate()
    return {**jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": "okp"}


def document(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


def ids(text: str) -> list[str]:
    return [one["kid"] for one in json.loads(text)["keys"]]


@asynccontextmanager
async def issuer(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Somebody who publishes keys by HTTP; what he was asked."""
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json", asked


def response(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def test_keys_of_all_kinds_that_envoy_verifies_are_usable() -> None:
    """RSA, EC and Ed25519."""
    assert ids(checked(document(rsa_key(2048), key("ec"), okp_key()), "here").text) == ["ec", "okp", "rsa"]


def test_only_a_change_of_keys_changes_the_text() -> None:
    """Their order, their form, certificates and names of other use are no change."""
    one, two = key("1"), key("2")

    assert checked(document(one, two), "").text == checked(document({**two, "x5c": ["..."]}, one), "").text
    assert checked(document(one), "").text != checked(document(two), "").text


@pytest.mark.parametrize(
    ("unusable", "why"),
    [
        (key(None), "has no `kid`"),
        (key(use="enc"), "not for signatures"),
        (key(alg="RS256"), "algorithm other than ES256"),
        (key(x="AAAA"), "damaged"),
        (key(crv="secp256k1"), "is neither"),
        (key(kty=["EC"]), "is neither"),
        (rsa_key(1024), "has 1024 bits"),
        ({"kid": "1", "kty": "AKP"}, "is neither"),
    ],
)
def test_a_key_that_is_of_no_use_is_left_out(unusable: dict[str, Any], why: str) -> None:
    """The others stay; where there is no other, the set is refused with the reason."""
    found = checked(document(unusable, key("good")), "here")
    assert ids(found.text) == ["good"]
    assert why in found.ignored[0]

    with pytest.raises(KeysUnreadable, match=f"no usable key.*{why}"):
        checked(document(unusable), "here")


@pytest.mark.parametrize("private", [{"d": "AAAA"}, {"kty": "oct", "k": "AAAA"}])
def test_a_private_key_makes_the_whole_set_unusable(private: dict[str, Any]) -> None:
    """Whoever can read it can make tokens; that is said loudly, and nothing of the key is."""
    with pytest.raises(KeysUnreadable, match="PRIVATE") as refused:
        checked(document(key("good"), key("bad", **private)), "here")

    assert "AAAA" not in str(refused.value)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"keys":{}}', b'{"keys":[1]}', b'{"keys":[]}', b"\xff"])
async def test_what_is_no_set_of_keys_is_refused_by_name(tmp_path: Path, raw: bytes) -> None:
    """The message says which file."""
    file = tmp_path / "jwks.json"
    file.write_bytes(raw)

    with pytest.raises(KeysUnreadable, match=r"jwks\.json"):
        await read_keys(KeySource(file=str(file)))


async def test_what_is_no_file_or_too_large_is_refused(tmp_path: Path) -> None:
    """Nothing hangs on it, and nothing fills the memory."""
    (tmp_path / "large").write_bytes(b" " * (jwks.LARGEST + 1))

    for name, why in (("missing", "No such file"), (".", "not a file"), ("large", "more than")):
        with pytest.raises(KeysUnreadable, match=why):
            await read_keys(KeySource(file=str(tmp_path / name)))


async def test_keys_come_by_http_from_this_machine() -> None:
    """The answer is what a file would hold."""
    async with issuer(response(document(key("far")))) as (url, _):
        assert ids(await read_keys(KeySource(url=url))) == ["far"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (response(b"", "500 Internal Server Error"), "answers 500"),
        (response(b"", "302 Found\r\nlocation: http://127.0.0.1/"), "answers 302"),
        (response(b" " * (jwks.LARGEST + 1)), "more than"),
        (b"", "disconnected"),
        (response(b"no"), "no JSON Web Key Set"),
        (response(b"[" * 100_000), "no JSON Web Key Set"),
    ],
)
async def test_an_issuer_that_answers_something_else_is_named(answer: bytes, why: str) -> None:
    """No redirection is followed, and nothing endless is read."""
    async with issuer(answer) as (url, _):
        with pytest.raises(KeysUnreadable, match=why) as refused:
            await read_keys(KeySource(url=url))
        assert url in str(refused.value)


@pytest.mark.parametrize("url", ["http://issuer.example/jwks", "ftp://127.0.0.1/jwks", "jwks.json"])
async def test_keys_are_not_fetched_where_somebody_could_change_them_on_the_way(url: str) -> None:
    """HTTPS, or this machine."""
    with pytest.raises(KeysUnreadable, match="by https"):
        await read_keys(KeySource(url=url))


async def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    """Missing or no certificate."""
    (tmp_path / "ca.pem").write_text("no")
    for name in ("ca.pem", "none.pem"):
        with pytest.raises(KeysUnreadable, match=name):
            await read_keys(KeySource(url="https://127.0.0.1:1/", ca=str(tmp_path / name)))


async def test_a_url_is_asked_once_for_all_and_no_more_often_than_said() -> None:
    """A hundred products of one issuer make one request; the next comes when it is time."""
    async with issuer(response(document(key("far")))) as (url, asked):
        keys, rare, often = Keys(), KeySource(url=url, refresh=3600), KeySource(url=url, refresh=0)

        assert len(set(await asyncio.gather(*(keys.of(rare) for _ in range(100))))) == 1
        assert len(asked) == 1
        for _ in range(3):
            await keys.of(often)
        assert len(asked) == 4


async def test_a_url_that_fails_is_not_asked_more_often_either() -> None:
    """Each who asks is told why there are no keys."""
    async with issuer(b"") as (url, asked):
        keys, source = Keys(), KeySource(url=url, refresh=3600)
        for _ in range(3):
            with pytest.raises(KeysUnreadable, match="disconnected"):
                await keys.of(source)
        assert len(asked) == 1


async def test_a_file_is_read_whenever_somebody_asks(tmp_path: Path) -> None:
    """It costs nothing, and a withdrawn key is to be gone soon."""
    file, keys = tmp_path / "jwks.json", Keys()
    source = KeySource(file=str(file), refresh=3600)
    for kid in ("1", "2"):
        file.write_bytes(document(key(kid)))
        assert ids(await keys.of(source)) == [kid]
