"""What becomes of requests when upstreams are slow, broken or gone, on a real Envoy."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.gateway.compile.running import KEYS
from tests.gateway.compile.world import PRODUCT, World, problem

Split = Callable[..., set[str]]


def test_an_upstreams_own_errors_pass_unchanged(caller: httpx.Client) -> None:
    """Its body, its headers, its status."""
    answer = caller.get("/calls/here/error")
    assert (answer.status_code, answer.headers["x-own"], answer.json()["path"]) == (500, "yes", "/calls/here/error")


def test_an_answer_that_takes_too_long_is_a_timeout(caller: httpx.Client) -> None:
    """504 after the product's time, and it may have happened."""
    before = time.monotonic()
    refused = caller.post("/calls/here/hang")
    assert problem(refused, 504, "timeout")["may_have_happened"] is True
    assert 0.5 < time.monotonic() - before < 5


def test_an_operation_may_have_its_own_time(caller: httpx.Client) -> None:
    """One second, where all others have 0.6."""
    assert caller.get("/waits/slow").status_code == 200
    problem(caller.get("/calls/here/slow"), 504, "timeout")


def test_a_stream_has_no_total_time(world: World, caller: httpx.Client) -> None:
    """Its events arrive one after another, long after the product's time is over."""
    with caller.stream("GET", "/events/ticks") as answer:
        times = [time.monotonic() for line in answer.iter_lines() if line]
    assert len(times) == world.v1.ticks
    assert times[-1] - times[0] > PRODUCT.timeout


@pytest.mark.parametrize("word", ["cut-once", "503-once"])
def test_what_is_harmless_is_tried_again(world: World, caller: httpx.Client, word: str) -> None:
    """A GET that met an upstream in trouble is asked once more."""
    assert caller.get(f"/calls/again/{word}").status_code == 200
    assert len(world.v1.of(f"/calls/again/{word}")) == 2


def test_what_the_upstream_may_have_seen_is_never_repeated(world: World, caller: httpx.Client) -> None:
    """A POST that broke off is told as it is: it may have happened."""
    refused = caller.post("/calls/seen/cut")
    assert problem(refused, 503, "broken_off")["may_have_happened"] is True
    assert len(world.v1.of("/calls/seen/cut")) == 1
    assert caller.post("/calls/seen/503-once").status_code == 503


def test_a_caller_can_not_ask_for_retries(world: World, caller: httpx.Client) -> None:
    """Envoy's own headers do nothing when they come from outside."""
    asked = {"x-envoy-retry-on": "5xx,reset", "x-envoy-max-retries": "5", "x-envoy-upstream-rq-timeout-ms": "9000"}
    assert caller.post("/calls/asking/hang", headers=asked).status_code == 504
    assert caller.post("/calls/asking/cut", headers=asked).status_code == 503
    assert [len(world.v1.of(f"/calls/asking/{word}")) for word in ("hang", "cut")] == [1, 1]


def test_an_upstream_that_is_gone(caller: httpx.Client, split: Split) -> None:
    """503 at once: it did not get the request, so it can be repeated."""
    split(gone=100)
    refused = caller.post("/calls/here/ok")
    document = problem(refused, 503, "not_reached")
    assert (document["may_have_happened"], document["retryable"]) == (False, True)
    assert refused.headers["retry-after"] == "1"


def test_where_one_address_is_gone_another_serves(world: World, caller: httpx.Client, split: Split) -> None:
    """An address that says 5xx three times in a row is left out, and the other one serves."""
    world.v2.broken = True
    split(pair=100)
    answers = [caller.post("/calls/here/ok").status_code for _ in range(40)]
    world.v2.broken = False
    assert answers.count(500) == 3
    assert answers[-5:] == [200] * 5


def test_what_is_too_much_is_refused_at_once(world: World) -> None:
    """Two connections and one that waits: a fourth request does not wait for its time to run out."""

    def call(number: int) -> tuple[int, str, float]:
        with world.caller() as client:
            began = time.monotonic()
            answer = client.get("/waits/slow")
            return answer.status_code, answer.json().get("code", ""), time.monotonic() - began

    with ThreadPoolExecutor(5) as pool:
        answers = sorted(pool.map(call, range(5)))
    assert [status for status, _, _ in answers].count(200) == 3
    assert [code for status, code, _ in answers if status == 503] == ["busy", "busy"]
    served, refused = ([took for status, _, took in answers if status == which] for which in (200, 503))
    assert max(refused) < min(served)


def test_traffic_is_split(world: World, caller: httpx.Client, split: Split) -> None:
    """Each version gets its share, and a new split is one write."""
    assert [file.partition("-")[0] for file in split(v1=50, v2=50)] == ["routes"]
    before = len(world.v2.seen)
    assert all(caller.get("/old").status_code == 200 for _ in range(30))
    assert 0 < len(world.v2.seen) - before < 30


def test_an_upstream_at_a_unix_socket(caller: httpx.Client, split: Split) -> None:
    """No port is needed between a gateway and its service."""
    split(socket=100)
    assert caller.get("/old").status_code == 200


def test_the_token_goes_on_to_the_upstream(caller: httpx.Client) -> None:
    """It checks again, and knows who calls."""
    token = KEYS.token(sub="forwarded")
    assert caller.get("/things/7", headers=token).json()["headers"]["authorization"] == token["authorization"]
