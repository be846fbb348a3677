"""Which operation a request is for, on a real Envoy."""

import socket

import httpx
import pytest

from tests.gateway.compile.running import KEYS
from tests.gateway.compile.world import World, problem


@pytest.mark.parametrize("headers", [{}, KEYS.token(), {"authorization": "Bearer nonsense"}])
@pytest.mark.parametrize("path", ["/", "/thing", "/things/", "/things/7/more", "/maps/x.mapp", "/things/7/meta/"])
def test_an_unknown_path_is_not_found(caller: httpx.Client, path: str, headers: dict[str, str]) -> None:
    """With or without a token: 404."""
    problem(caller.get(path, headers=headers), 404, "no_such_operation")


@pytest.mark.parametrize("headers", [{}, KEYS.token()])
def test_a_wrong_method_is_told_the_right_ones(caller: httpx.Client, headers: dict[str, str]) -> None:
    """With or without a token: 405, and `Allow` has all methods of the path."""
    refused = caller.delete("/things/7", headers=headers)
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, OPTIONS, POST"


def test_head_is_there_only_where_it_is_declared(caller: httpx.Client) -> None:
    """GET does not bring HEAD with it."""
    assert caller.head("/things/7/meta").status_code == 200
    assert caller.head("/things/newest").status_code == 405


def test_a_literal_path_comes_before_a_template(world: World, caller: httpx.Client) -> None:
    """`/things/newest` is public, though `/things/{id}` matches it too and is not."""
    assert caller.get("/things/newest").json()["path"] == "/things/newest"
    problem(caller.get("/things/oldest"), 401, "token_missing")
    assert caller.post("/things/newest").status_code == 405  # no falling back to what is less exact


def test_a_parameter_may_be_a_part_of_a_segment(caller: httpx.Client) -> None:
    """`/maps/{name}.map`; the query goes to the upstream as it is."""
    assert caller.get("/maps/a%20b.map?x=1&x=2").json()["path"] == "/maps/a%20b.map?x=1&x=2"
    problem(caller.get("/maps/.map"), 404, "no_such_operation")


@pytest.mark.parametrize("path", ["/things/1:purge", "/things/1%3Apurge", "/things/1%3apurge", "/things/all%3Apurg%65"])
def test_no_spelling_of_a_path_leads_to_other_scopes(caller: httpx.Client, path: str) -> None:
    """Upstreams decode: `/things/1%3Apurge` is `purge`, and never a thing of that name."""
    problem(caller.post(path, headers=KEYS.token("things:write", sub=path)), 403, "scope_missing")
    assert caller.post(path, headers=KEYS.token("things:purge", sub=path)).status_code == 200
    refused = caller.put(path)
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "OPTIONS, POST"
    asked = {"origin": "https://portal.example", "access-control-request-method": "POST"}
    assert caller.options(path, headers=asked).headers["access-control-allow-methods"] == "POST"


@pytest.mark.parametrize("path", ["/things/me@stra%C3%9Fe", "/things/me%40stra%c3%9fe", "/things/%6De@stra%c3%9Fe"])
def test_what_is_no_ascii_is_the_same_in_either_case(caller: httpx.Client, path: str) -> None:
    """Of the escape: raw it never arrives."""
    problem(caller.get(path, headers=KEYS.token("things:read", sub=path)), 403, "scope_missing")
    assert caller.get(path, headers=KEYS.token("things:home", sub=path)).json()["path"].lower() == path.lower().replace(
        "%6d", "m"
    )


def test_half_an_escape_is_no_value_of_a_parameter(caller: httpx.Client) -> None:
    """Upstreams differ in what they make of it."""
    problem(caller.get("/things/100%", headers=KEYS.token()), 404, "no_such_operation")


@pytest.mark.parametrize("path", ["/maps/..%2Fthings", "/maps/a%5Cb.map"])
def test_an_escaped_slash_is_refused(world: World, caller: httpx.Client, path: str) -> None:
    """What upstreams may read as another path is not sent to them."""
    problem(caller.get(path), 400, "malformed_request")


def test_paths_are_put_straight_first(caller: httpx.Client) -> None:
    """Dots and double slashes are resolved before anything is decided, and the upstream sees the same."""
    with socket.create_connection((caller.base_url.host, caller.base_url.port)) as raw:
        raw.sendall(b"GET /things/x/../..//maps/a.map HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert b'"path": "/maps/a.map"' in answer
