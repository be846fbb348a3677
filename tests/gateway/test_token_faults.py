"""What is wrong with a token, as `explain` says it, against what Envoy does with it."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from outrider.gateway.configuration import keys_in
from outrider.gateway.product import Operation
from outrider.gateway.token_faults import Asked, token_faults
from tests.gateway.published import ISSUER, NAME, SESSION, charging
from tests.gateway.signer import Signer

SIGNER = Signer(ISSUER, NAME, "first", "second")
NOW = 1_800_000_000
CLAIMS = {"iss": ISSUER, "aud": NAME, "sub": "ada", "scope": "charging", "exp": NOW + 600}
KEYS = SIGNER.jwks("first")


def signed(key: str = "first", kid: str | None = None, **changed: Any) -> str:
    """A token that is in order, but for what is said; a claim that is None is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    payload = json.dumps(claims).encode()  # not by jwt.encode, which would refuse some of them
    return jwt.PyJWS().encode(payload, SIGNER.keys[key], "ES256", headers={"kid": kid or key})


def asked(operation: Operation = SESSION) -> Asked:
    return Asked(issuer=ISSUER, audiences=(NAME, "everything"), operation=operation, keys=KEYS)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "It is no JWT"),
        ("a.b", "It is no JWT"),
        ("a.b.c", "It is no JWT"),
        (jwt.PyJWS().encode(b"[]", SIGNER.keys["first"], "ES256"), "It is no JWT"),
        (signed("second"), "It is signed with a key ('second') that the gateway does not have now; it has 'first'"),
        (signed("second", kid="first"), "Its signature ('ES256') does not belong to it"),
        (signed(iss="https://other.example"), "Its issuer (`iss`) is 'https://other.example'"),
        (signed(iss=None), "Its issuer (`iss`) is nothing"),
        (signed(aud="maps"), "It is for 'maps' (`aud`), not for charging or everything (401)"),
        (signed(aud=["maps", "shops"]), 'It is for ["maps","shops"] (`aud`)'),
        (signed(exp=None), "It has no expiry"),
        (signed(exp=NOW - 7200), "It expired 2 hours ago"),
        (signed(nbf=NOW + 90), "It is not valid yet (`nbf`): in 90 seconds"),
        (signed(scope="maps"), "Its scopes (`scope`) are 'maps'; getSession wants charging (403)"),
        (signed(scope=None), "Its scopes (`scope`) are nothing"),
        (signed(sub=17), "Its `sub` is no text"),
        (signed(aud="x" * 5000), "It is for '" + "x" * 99 + "..."),
        (signed(iss="\x1b[31m"), "'\\x1b[31m'"),
    ],
)
def test_one_thing_that_is_wrong_is_one_sentence(token: str, said: str) -> None:
    """It says what is there and what should be, without the token itself and with nothing that a terminal obeys."""
    (fault,) = token_faults(token, asked(), NOW)

    assert said in fault
    assert not token or token not in fault
    assert fault.isprintable()


@pytest.mark.parametrize(
    "token",
    [
        signed(),
        "Bearer " + signed(),
        signed() + "\n",
        signed(exp=NOW - 29),
        signed(nbf=NOW + 29),
        signed(aud=["maps", "everything"]),
        signed(scope="maps charging"),
        signed(scope=["charging"]),
    ],
)
def test_a_token_that_is_in_order_has_no_faults(token: str) -> None:
    """Clocks may differ by half a minute; audiences and scopes may be one or several."""
    assert token_faults(token, asked(), NOW) == []


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """One look is enough to mend it."""
    token = signed("second", iss="x", aud="x", exp=None, nbf=NOW + 100, scope="x")

    assert len(token_faults(token, asked(), NOW)) == 6


def test_where_the_keys_are_not_known_the_rest_is_told() -> None:
    """A gateway that has never run has none."""
    unknown = Asked(issuer=ISSUER, audiences=(NAME,), operation=SESSION, keys=None)

    assert token_faults(signed("second"), unknown, NOW) == []


@pytest.mark.parametrize(
    ("scopes", "scope", "opens"),
    [
        (((),), "", True),
        ((("a",), ("b", "c")), "a", True),
        ((("a",), ("b", "c")), "c b", True),
        ((("a",), ("b", "c")), "b", False),
    ],
)
def test_one_of_the_alternatives_is_enough(scopes: tuple[tuple[str, ...], ...], scope: str, opens: bool) -> None:
    """Of one alternative, all scopes are needed."""
    operation = Operation(id="any", method="GET", path="/", scopes=scopes)

    assert (token_faults(signed(scope=scope), asked(operation), NOW) == []) is opens


async def test_envoy_agrees(tmp_path: Path) -> None:
    """What has no faults is let through; what has, gets one of the codes that they name."""
    now = int(time.time())
    async with charging(tmp_path) as product:
        product.signer = SIGNER
        SIGNER.publish(product.jwks, "first")
        release = await product.publish(audiences=(NAME, "everything"))
        await product.start()
        (content,) = product.instance.tokens().values()
        there = Asked(issuer=ISSUER, audiences=release.product.audiences, operation=SESSION, keys=keys_in(content))
        async with httpx.AsyncClient(trust_env=False) as client:
            for token in _tokens(now):
                headers = {"authorization": f"Bearer {token}"}
                code = (await client.get(f"{product.url}/sessions/7", headers=headers)).status_code
                faults = token_faults(token, there, now)

                assert (code == 200) is (faults == []), (token, code, faults)
                assert code == 200 or any(f"({code})" in fault for fault in faults), (token, code, faults)


def _tokens(now: int) -> list[str]:
    changes: list[dict[str, Any]] = [
        {},
        *({"iss": value} for value in (None, "x", 17)),
        *({"sub": value} for value in (None, "", 17)),
        *({"aud": value} for value in (None, "x", ["x"], ["x", NAME], "everything", 17, {})),
        *({"exp": value} for value in (None, now - 3600, now - 10, now + 60.5, str(now + 60), True)),
        *({"nbf": value} for value in (now + 3600, now + 10, now - 10, "x")),
        *({"iat": value} for value in (now + 3600, "x")),
        *({"jti": value} for value in ("x", 17)),
        *({"scope": value} for value in (None, "x", "x charging", "charging ", ["charging"], ["x", 1], 17, {})),
    ]
    found = [signed(**{"exp": now + 600, **change}) for change in changes]
    found += [signed("second", exp=now + 600), signed("second", kid="first", exp=now + 600), "x", "a.b.c"]
    header, payload, signature = found[0].split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    secret = json.loads(KEYS)["keys"][0]["x"]
    found += [f"{none}.{payload}.", f"{none}.{payload}.{signature}", f"{header}.{payload}.", f"{header}.{payload}.AAAA"]
    found.append(jwt.encode({**CLAIMS, "exp": now + 600}, secret, "HS256", headers={"kid": "first"}))
    return found
