"""Tokens: who is believed, and for how long."""

import asyncio
import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from outrider.adapters import tokens
from outrider.adapters.tokens import Caller, Keys, Tokens, jwks_url, read_jwks
from outrider.domain.errors import OutriderError, TemporarilyUnavailable, TokenExpired, TokenInvalid

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


class Issuer:
    """Signs tokens and publishes its keys; counts how often they are fetched. `ahead` moves the clock."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {"ec": EC_KEY, "rsa": RSA_KEY}
        self.fetched = 0
        self.reachable = True
        self.ahead = 0.0
        self.verifier = Tokens(Keys(self.fetch, self.now), clock=self.now)

    def now(self) -> float:
        return time.time() + self.ahead

    async def fetch(self) -> bytes:
        self.fetched += 1
        if not self.reachable:
            raise ConnectionError
        return json.dumps({"keys": [public_jwk(key, kid) for kid, key in self.keys.items()]}).encode()

    def token(self, kid: str = "ec", alg: str = "ES256", key: Any = None, **claims: Any) -> str:
        """A good token, but for what is said; a claim that is None is left out."""
        said = {"iss": "outrider", "aud": "outrider", "sub": "ada", "scope": "commands", "exp": self.now() + 600}
        said = {name: value for name, value in (said | claims).items() if value is not None}
        return jwt.encode(said, key or self.keys.get(kid, EC_KEY), alg, headers={"kid": kid})


def public_jwk(key: Any, kid: str) -> dict[str, Any]:
    algorithm: Any = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.mark.parametrize(("kid", "alg"), [("ec", "ES256"), ("rsa", "RS256")])
async def test_a_good_token_names_its_person_and_scopes(issuer: Issuer, kid: str, alg: str) -> None:
    """A token signed with a key of the JWKS says who asks and for what."""
    caller = await issuer.verifier.verify(issuer.token(kid, alg, scope="commands admin"))

    assert caller == Caller("ada", frozenset({"commands", "admin"}))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "someone"},
        {"iss": None},
        {"aud": "something"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a" * 129},
        {"sub": "a\nb"},
        {"sub": "\ud800"},
        {"sub": 7},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": 99_999_999_999},
        {"scope": ["admin"]},
    ],
)
async def test_every_claim_is_checked(issuer: Issuer, claims: dict[str, Any]) -> None:
    """A token of another issuer, for another audience, without end or without a person is not valid."""
    with pytest.raises(TokenInvalid):
        await issuer.verifier.verify(signed(issuer, claims))


def signed(issuer: Issuer, claims: dict[str, Any]) -> str:
    """Like `issuer.token`, for claims that PyJWT does not want to write."""
    said = {"iss": "outrider", "aud": "outrider", "sub": "ada", "exp": issuer.now() + 600} | claims
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.api_jws.encode(json.dumps(said).encode(), EC_KEY, "ES256", headers={"kid": "ec"})


async def test_an_issuers_clock_may_be_a_little_ahead(issuer: Issuer) -> None:
    """Five seconds of difference do not make a fresh token invalid."""
    assert await issuer.verifier.verify(issuer.token(nbf=issuer.now() + 4))


def forgeries() -> dict[str, str]:
    """Tokens that someone without the private keys could make."""
    issuer = Issuer()
    good = issuer.token()
    header, claims, signature = good.split(".")
    public_pem = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with_secret = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    hs_header = part({"alg": "HS256", "typ": "JWT", "kid": "rsa"})
    mac = with_secret.sign(f"{hs_header}.{claims}".encode(), public_pem)
    return {
        "alg none": f"{part({'alg': 'none', 'kid': 'ec'})}.{claims}.",
        "alg none, signature kept": f"{part({'alg': 'none', 'kid': 'ec'})}.{claims}.{signature}",
        "HS256 with the public key": f"{hs_header}.{claims}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        "another key under a known id": issuer.token(key=ec.generate_private_key(ec.SECP256R1())),
        "unknown key id": issuer.token("stranger", key=ec.generate_private_key(ec.SECP256R1())),
        "the other key's id": issuer.token("rsa", "ES256", key=EC_KEY),
        "no key id": jwt.encode({"sub": "ada"}, EC_KEY, "ES256"),
        "PS256": issuer.token("rsa", "PS256", key=RSA_KEY),
        "other claims, old signature": f"{header}.{part({'sub': 'eve', 'exp': 9e9})}.{signature}",
        "key in the header": jwt.encode({"sub": "eve"}, EC_KEY, "ES256", headers={"jwk": public_jwk(EC_KEY, "x")}),
        "not a token": "a.b.c",
        "nothing": "",
        "not ASCII": "ä.ö.ü",
        "endless": "a" * 10_000,
    }


@pytest.mark.parametrize("name", forgeries().keys())
async def test_a_forged_token_is_refused(issuer: Issuer, name: str) -> None:
    """The algorithm is the key's and never the token's word; nothing unsigned is believed."""
    with pytest.raises(TokenInvalid):
        await issuer.verifier.verify(forgeries()[name])


async def test_no_token_is_believed_past_its_end(issuer: Issuer) -> None:
    """A verified token is remembered, but never past its exp."""
    token = issuer.token(exp=issuer.now() + 30)
    await issuer.verifier.verify(token)

    issuer.ahead = 31

    with pytest.raises(TokenExpired):
        await issuer.verifier.verify(token)


async def test_a_verified_token_is_not_verified_again_at_once(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a minute a known token costs no signature check; after it, it does again."""
    token, checks = issuer.token(), []
    decode = jwt.decode
    monkeypatch.setattr(jwt, "decode", lambda *args, **kwargs: checks.append(1) or decode(*args, **kwargs))
    await issuer.verifier.verify(token)
    await issuer.verifier.verify(token)
    assert len(checks) == 1

    issuer.ahead = 61
    await issuer.verifier.verify(token)

    assert len(checks) == 2


async def test_the_memory_for_tokens_is_bounded(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tokens come, no more than so many are remembered."""
    monkeypatch.setattr(tokens, "MOST_CACHED", 3)
    for number in range(6):
        await issuer.verifier.verify(issuer.token(sub=f"person {number}"))

    assert len(issuer.verifier._seen) == 3


async def test_a_new_key_is_found_at_once_but_strangers_cause_no_storm(issuer: Issuer) -> None:
    """An unknown key id makes us read the JWKS anew, at most every 10 s."""
    await issuer.verifier.verify(issuer.token())
    issuer.keys["next"] = ec.generate_private_key(ec.SECP256R1())
    issuer.ahead = 11
    assert await issuer.verifier.verify(issuer.token("next"))
    assert issuer.fetched == 2

    for _ in range(20):
        with pytest.raises(TokenInvalid):
            await issuer.verifier.verify(issuer.token("stranger", key=EC_KEY))

    assert issuer.fetched == 2


async def test_a_key_that_was_taken_out_is_not_believed_any_more(issuer: Issuer) -> None:
    """A minute after a key left the JWKS no token signed with it is believed, remembered or not."""
    token = issuer.token()
    await issuer.verifier.verify(token)
    del issuer.keys["ec"]
    issuer.ahead = 50
    await issuer.verifier.verify(issuer.token(sub="bob", key=EC_KEY))
    issuer.ahead = 61

    with pytest.raises(TokenInvalid):
        await issuer.verifier.verify(token)
    with pytest.raises(TokenInvalid):
        await issuer.verifier.verify(issuer.token(sub="bob", key=EC_KEY))


async def test_known_keys_survive_an_outage_of_the_issuer(issuer: Issuer) -> None:
    """Who was believed before the JWKS became unreachable is believed on."""
    await issuer.verifier.verify(issuer.token())
    issuer.reachable, issuer.ahead = False, 300

    assert await issuer.verifier.verify(issuer.token())


async def test_without_any_keys_we_say_so(issuer: Issuer) -> None:
    """While the JWKS was never read, a token is not called wrong: the platform is not ready."""
    issuer.reachable = False

    with pytest.raises(TemporarilyUnavailable):
        await issuer.verifier.verify(issuer.token())


async def test_many_strangers_at_once_share_one_look() -> None:
    """Requests that come while the JWKS is being read wait for that reading."""
    issuer = Issuer()
    callers = await asyncio.gather(*(issuer.verifier.verify(issuer.token(sub=f"p{n}")) for n in range(10)))

    assert len({caller.person for caller in callers}) == 10
    assert issuer.fetched == 1


def test_only_keys_that_can_sign_here_are_read() -> None:
    """Symmetric, encryption, weak, private and nameless keys of a JWKS are left out."""
    weak = rsa.generate_private_key(65537, 1024)
    good = public_jwk(EC_KEY, "good")
    private = {**jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY, as_dict=True), "kid": "private"}
    others = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric"},
        {**good, "kid": "encryption", "use": "enc"},
        {**good, "kid": "other-algorithm", "alg": "ES384"},
        public_jwk(weak, "weak"),
        public_jwk(ec.generate_private_key(ec.SECP384R1()), "p384"),
        {name: value for name, value in good.items() if name != "kid"},
        {"kty": "EC", "crv": "P-256", "x": "no", "y": "point", "kid": "broken"},
        private,
        "nonsense",
    ]

    assert list(read_jwks(json.dumps({"keys": [*others, good]}).encode())) == ["good"]


async def test_a_jwks_can_be_read_from_an_address() -> None:
    """The JWKS of an identity provider is fetched over HTTP."""
    body = json.dumps({"keys": [public_jwk(EC_KEY, "ec")]}).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        verifier = Tokens(Keys(jwks_url(f"http://127.0.0.1:{port}/jwks.json")))
        assert await verifier.verify(Issuer().token())


async def test_no_error_repeats_the_token(issuer: Issuer) -> None:
    """What is said of a bad token never contains it."""
    for token in (token for token in forgeries().values() if len(token) > 6):
        with pytest.raises(OutriderError) as refused:
            await issuer.verifier.verify(token)
        assert token not in refused.value.detail
