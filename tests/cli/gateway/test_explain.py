"""`outrider gateway explain`, beside a gateway that runs."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from outrider.gateway.product import Limit, Limits, Operation
from tests.cli.outrider import Said, outrider
from tests.gateway.published import Charging, charging

START = Operation(
    id="startSession",
    method="POST",
    path="/sessions",
    scopes=(("charging:write",), ("charging", "admin")),
    media_types=("application/json",),
)
OLD = Operation(id="getOld", method="GET", path="/old", public=True, deprecated=True, deprecated_since="2026-07-01")


@pytest.fixture
async def product(tmp_path: Path) -> Any:
    """Release 1, v1 95 % and v2 5 %, not running yet."""
    async with charging(tmp_path) as made:
        plenty = Limit(requests=1000)
        limits = Limits(person=Limit(requests=2, per=60), client=plenty, product=plenty)
        await made.publish(START, OLD, split={"v1": 95, "v2": 5}, limits=limits)
        yield made


async def explain(product: Charging, *words: str, **environment: str) -> Said:
    """Run it, out of the way of the upstreams."""
    state = ("--state", product.state.folder)
    return await asyncio.to_thread(outrider, "gateway", "explain", "charging", *words, *state, **environment)


async def test_it_says_what_an_operation_is_held_to(product: Charging) -> None:
    """From what is stored alone, with what would be refused and why; that nothing runs is said too."""
    said = await explain(product, "POST", "/sessions")

    assert said.code == 0
    assert "POST /sessions is for startSession, in release 1 of charging, test." in said.out
    assert "a token of https://issuer.example, for charging, with charging:write or charging and admin" in said.out
    assert "2 in 60 s by person; 1000 in a second by product" in said.out
    assert "up to 1048576 bytes, application/json" in said.out
    assert "complete within 5 s" in said.out
    assert "  v1        95 %\n  v2        5 %" in said.out
    assert all(f"\n  {code}  " in said.out for code in (401, 403, 413, 415, 429, 502, 503, 504))
    assert "The gateway does not run" in said.err


async def test_it_says_why_a_path_or_a_method_is_refused(product: Charging) -> None:
    """With what is there instead."""
    assert "gets 404" in (said := await explain(product, "GET", "/session/7")).out
    assert said.out.splitlines()[1] == "  /sessions/{id}"
    assert "that path has GET." in (await explain(product, "DELETE", "/sessions/7")).out
    assert "gets 400" in (await explain(product, "GET", "/sessions%2F7")).out


async def test_an_operation_without_a_token_says_so(product: Charging) -> None:
    """And what its answers say of its end."""
    said = await explain(product, "GET", "/old", OUTRIDER_TOKEN="x.y.z")

    assert "anybody, no token is asked for" in said.out
    assert "deprecation: @1782864000" in said.out
    assert "No token is looked at there." in said.out


async def test_the_same_as_data(product: Charging) -> None:
    """For programs."""
    data = (await explain(product, "GET", "/sessions/7", "--json")).data

    assert data["request"]["operation"] == "getSession"
    assert data["request"]["held"]["limits"]["person"] == {"requests": 2, "per": 60}
    assert data["request"]["versions"] == [{"version": "v1", "percent": 95}, {"version": "v2", "percent": 5}]
    assert data["upstreams"] is None


async def test_what_was_never_published_cannot_be_explained(product: Charging) -> None:
    """One line and exit code 1."""
    state = ("--state", product.state.folder)
    said = await asyncio.to_thread(outrider, "gateway", "explain", "maps", "GET", "/", *state)

    assert (said.code, said.out) == (1, "")
    assert "maps" in said.err


async def test_it_says_why_requests_were_answered_as_they_were(product: Charging) -> None:
    """Each by its X-Request-Id, also where Envoy refused it before it knew a route; and how the upstreams are now."""
    await product.start()
    token = product.bearer()
    async with httpx.AsyncClient(trust_env=False, base_url=product.url) as client:
        asked = {
            "It had no token": await client.get("/sessions/7"),
            "The upstream itself": await client.get("/sessions/7", headers=token),
            "lacks the scopes": await client.post("/sessions", headers=token),
            "one too many for the person": await client.get("/sessions/7", headers=token),
            "No published operation": await client.get("/nothing"),
            "not with its method": await client.delete("/sessions/7"),
        }
    for reason, answer in asked.items():
        said = await _once(lambda answer=answer: explain(product, "GET", "/state", "--request-id", _id(answer)))
        assert reason in said.out
        assert f"  {answer.status_code}\n" in said.out
    assert "127.0.0.1:" in said.out
    assert "in use, nobody asks how it is" in said.out
    assert "ada" not in said.out


async def _once(ask: Callable[[], Any], within: float = 15) -> Said:
    """As soon as Envoy has written the line."""
    ends = time.monotonic() + within
    while (said := await ask()).code:
        assert time.monotonic() < ends, said
    return said


def _id(answer: httpx.Response) -> str:
    if answer.status_code >= 400:
        assert answer.json()["trace_id"] == answer.headers["x-request-id"]
    return answer.headers["x-request-id"]


async def test_a_request_that_is_not_in_the_log_is_told(product: Charging) -> None:
    """Exit code 1, so that a script notices."""
    said = await explain(product, "GET", "/state", "--request-id", "5f0c1d6e")

    assert said.code == 1
    assert "No line of the access log is about 5f0c1d6e" in said.err


async def test_it_says_what_is_wrong_with_a_token_and_never_shows_it(product: Charging) -> None:
    """With the keys that the gateway has now: after a rotation, the old one is named as unknown."""
    token = product.bearer("second")["authorization"].removeprefix("Bearer ")
    before = await explain(product, "GET", "/sessions/7", "--token", token)
    product.signer.publish(product.jwks, "second")
    await product.publish()
    after = await explain(product, "GET", "/sessions/7", OUTRIDER_TOKEN=token)

    assert "a key ('second') that the gateway does not have now; it has 'first'" in before.out
    assert "The token is in order" in after.out
    assert all(token not in said.out + said.err for said in (before, after))
