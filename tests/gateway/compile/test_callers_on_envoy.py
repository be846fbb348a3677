"""Who may call, and how often, on a real Envoy."""

import time

import httpx
import pytest

from tests.gateway.compile.running import KEYS
from tests.gateway.compile.world import World, problem


def test_a_token_is_asked_for(caller: httpx.Client) -> None:
    """Without one: 401 and the challenge, which says nothing of an error."""
    refused = caller.get("/things/7")
    problem(refused, 401, "token_missing")
    assert refused.headers["www-authenticate"] == 'Bearer realm="things"'


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (KEYS.token(exp=time.time() - 60), "token_expired"),
        (KEYS.token(exp=None), "token_invalid"),
        (KEYS.token(aud="others"), "token_invalid"),
        (KEYS.token(aud=None), "token_invalid"),
        (KEYS.token(aud="https://things"), "token_invalid"),
        (KEYS.token(aud="http://things/"), "token_invalid"),
        (KEYS.token(aud=["things/", "others"]), "token_invalid"),
        (KEYS.token(iss="https://other.example"), "token_invalid"),
        (KEYS.token(iss=None), "token_invalid"),
        (KEYS.token(key="unknown"), "token_invalid"),
        (KEYS.token(nbf=time.time() + 600), "token_invalid"),
        ({"authorization": "Bearer nonsense"}, "token_invalid"),
    ],
    ids=[
        "expired",
        "no exp",
        "other aud",
        "no aud",
        "aud with https",
        "aud with http",
        "aud with a slash",
        "other iss",
        "no iss",
        "other key",
        "not yet",
        "nonsense",
    ],
)
def test_a_token_that_is_not_in_order_is_refused(caller: httpx.Client, headers: dict[str, str], code: str) -> None:
    """401, with the error in the challenge."""
    refused = caller.get("/things/7", headers=headers)
    problem(refused, 401, code)
    assert refused.headers["www-authenticate"] == 'Bearer realm="things", error="invalid_token"'


@pytest.mark.parametrize("path", ["/things/7", "/maps"])
def test_the_audience_is_compared_letter_by_letter(caller: httpx.Client, path: str) -> None:
    """Also where any token will do; one of a list is enough. Nobody's limit is touched by a token for somebody else."""
    for audience in ("https://things", "things/", ["http://things"]):
        told = problem(caller.get(path, headers=KEYS.token(sub="letters", aud=audience)), 401, "token_invalid")
        assert "`aud` must be things, letter by letter" in str(told["detail"])
    answer = caller.get(path, headers=KEYS.token(sub=f"letters of {path}", aud=["others", "things"]))
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "4")


@pytest.mark.parametrize("form", ["bearer {}", "xBearer {}", "Basic eDp5, Bearer {}", "bearer a.b.c, Bearer {}"])
def test_a_token_stands_alone(world: World, caller: httpx.Client, form: str) -> None:
    """Of two in one header the upstream might take the one that nobody checked; two headers are the same as one."""
    token = KEYS.token()["authorization"].removeprefix("Bearer ")
    refused = caller.get("/things/7", headers={"authorization": form.format(token)})
    problem(refused, 401, "token_malformed")
    assert caller.get("/things/newest", headers={"authorization": form.format(token)}).status_code == 200
    twice = [("authorization", f"Bearer {token}"), ("authorization", "Bearer a.b.c")]
    problem(caller.get("/things/7", headers=twice), 401, "token_malformed")


def test_a_token_is_looked_for_in_the_header_only(caller: httpx.Client) -> None:
    """Not in the query, where it would end up in logs."""
    token = KEYS.token()["authorization"].removeprefix("Bearer ")
    problem(caller.get(f"/things/7?access_token={token}"), 401, "token_missing")


@pytest.mark.parametrize("scope", ["things:read", "x things:read y", ["x", "things:read"], "admin things:all"])
def test_a_scope_opens_an_operation(caller: httpx.Client, scope: str | list[str]) -> None:
    """One alternative is enough, if all of it is there; as a list or parted by blanks."""
    assert caller.get("/things/7", headers=KEYS.token(scope, sub=str(scope))).status_code == 200


@pytest.mark.parametrize("scope", ["", "things:all", "things:readx", "admin x", "things", None])
def test_without_the_scope_an_operation_is_closed(caller: httpx.Client, scope: str | None) -> None:
    """403, and it says what is needed."""
    refused = caller.get("/things/7", headers=KEYS.token(scope, sub=f"without {scope}"))
    assert "`things:read`, or `admin` and `things:all`" in str(problem(refused, 403, "scope_missing")["detail"])
    assert 'error="insufficient_scope", scope="things:read"' in refused.headers["www-authenticate"]


def test_any_token_will_do_where_no_scope_is_named(caller: httpx.Client) -> None:
    """`security: [{idp: []}]` asks for a token and for nothing in it."""
    assert caller.get("/maps", headers=KEYS.token("", sub="any")).status_code == 200
    problem(caller.get("/maps"), 401, "token_missing")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"}, KEYS.token(exp=1)])
def test_a_public_operation_does_not_look_at_tokens(caller: httpx.Client, headers: dict[str, str]) -> None:
    """None is needed, and any is harmless."""
    assert caller.get("/things/newest", headers=headers).status_code == 200


def test_a_person_has_a_limit(world: World, caller: httpx.Client) -> None:
    """Wherever he calls from; the sixth call is refused, and another person is not."""
    token = KEYS.token(sub="grace")
    first = caller.get("/things/7", headers=token)
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("5", "4")
    with world.caller() as elsewhere:
        answers = [elsewhere.get("/things/7", headers=token) for _ in range(6)]
        refused = answers[-1]
        assert problem(refused, 429, "person_limit")["retryable"] is True
        assert refused.headers["retry-after"] == "9"  # 43 s / 5, rounded up
        assert refused.headers["ratelimit-policy"] == '"person";q=5;w=43'
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert elsewhere.get("/things/7", headers=KEYS.token(sub="linus")).status_code == 200


def test_what_is_forbidden_counts_too(caller: httpx.Client) -> None:
    """Scopes can't be tried without end."""
    token = KEYS.token("nothing", sub="mallory")
    assert 429 in [caller.get("/things/7", headers=token).status_code for _ in range(7)]


def test_tokens_without_a_subject_share_one_limit(caller: httpx.Client) -> None:
    """Leaving the name out is no way around the limit."""
    answers = [caller.get("/things/7", headers=KEYS.token(sub=None, jti=str(number))) for number in range(7)]
    assert 429 in [answer.status_code for answer in answers]


@pytest.mark.parametrize("path", ["/things/newest", "/no/such", "/things/7"])
def test_an_address_has_a_limit_where_nobody_is_known(world: World, path: str) -> None:
    """Public operations, unknown paths and requests without a token: all are counted for the client's address."""
    with world.caller() as one, world.caller() as other:
        answers = [one.get(path) for _ in range(45)]
        problem(answers[-1], 429, "client_limit")
        assert answers[0].headers["x-ratelimit-limit"] == "40"
        assert other.get(path).status_code != 429


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer a b", "Basic eDp5"])
def test_what_is_no_token_counts_for_the_address(world: World, said: str) -> None:
    """A header that holds none is no way around the limit."""
    with world.caller() as one:
        answers = [one.get("/things/7", headers={"authorization": said}) for _ in range(45)]
        assert answers[0].status_code == 401
        problem(answers[-1], 429, "client_limit")


def test_what_looks_like_a_token_does_not_count_for_the_address(world: World) -> None:
    """People behind one address are limited one by one; a forged token is a 401 each time."""
    with world.caller() as one:
        forged = KEYS.token(key="unknown")
        assert {one.get("/things/7", headers=forged).status_code for _ in range(45)} == {401}
        assert one.get("/things/7", headers=KEYS.token(sub="behind")).status_code == 200


def test_a_stranger_takes_nothing_of_what_the_product_shares(world: World) -> None:
    """Answers that never reach the upstream leave the product's own limit alone."""
    name = "limit.product.http_local_rate_limit.ok"
    before = world.gateway.stats(name)[name]
    with world.caller() as stranger:
        assert {stranger.get(path).status_code for path in ("/x", "/things/7")} == {404, 401}
        assert stranger.delete("/things/7").status_code == 405
    assert world.gateway.stats(name)[name] == before
