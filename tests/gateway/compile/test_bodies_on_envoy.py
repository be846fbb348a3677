"""What a request may look like, on a real Envoy."""

import socket

import httpx
import pytest

from tests.gateway.compile.running import KEYS
from tests.gateway.compile.world import World, problem, raw_problem


@pytest.mark.parametrize(
    "said", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "image/png"]
)
def test_a_declared_media_type_goes_through(caller: httpx.Client, said: str) -> None:
    """Whatever its case and its parameters."""
    headers = {**KEYS.token("things:write", sub=said), "content-type": said}
    assert caller.post("/things/7", content=b"{}", headers=headers).status_code == 200


@pytest.mark.parametrize("said", ["text/plain", "application/jsonx", "application/json, text/plain", "image/"])
def test_another_media_type_is_refused(caller: httpx.Client, said: str) -> None:
    """415 with the ones that are taken; but first who may call at all."""
    headers = {**KEYS.token("things:write", sub=said), "content-type": said}
    refused = caller.post("/things/7", content=b"{}", headers=headers)
    problem(refused, 415, "wrong_media_type")
    assert refused.headers["accept"] == "application/json, image/*"
    problem(caller.post("/things/7", content=b"{}", headers={"content-type": said}), 401, "token_missing")


@pytest.mark.parametrize(
    "said",
    [("application/json;a", "text/xml"), ('application/json;a="', 'text/xml;b="'), ("", "text/xml")],
)
def test_two_media_types_are_none(caller: httpx.Client, said: tuple[str, str]) -> None:
    """Envoy joins two headers; the second is no parameter of the first, whatever that ends with."""
    token = KEYS.token("things:write", sub="two")
    headers = [*token.items(), *(("content-type", one) for one in said)]
    problem(caller.post("/things/7", content=b"{}", headers=headers), 415, "wrong_media_type")


def test_a_body_that_does_not_say_what_it_is_is_the_upstreams_matter(caller: httpx.Client) -> None:
    """Content-Type is optional in HTTP."""
    assert caller.post("/things/7", content=b"{}", headers=KEYS.token("things:write", sub="mute")).status_code == 200


def test_a_body_that_says_it_is_too_large_never_starts(world: World, caller: httpx.Client) -> None:
    """413, and the upstream sees nothing of it."""
    refused = caller.put("/uploads/declared", content=b"x" * 100_001)
    assert "100000 bytes" in str(problem(refused, 413, "too_large")["detail"])
    assert not world.v1.of("/uploads/declared")


def test_a_body_that_turns_out_too_large_is_stopped(world: World, caller: httpx.Client) -> None:
    """Chunked, it is cut where the limit is; the upstream never has a whole request."""
    pieces = (b"x" * 50_000 for _ in range(4))
    problem(caller.put("/uploads/chunked", content=pieces), 413, "too_large")
    world.gateway.until(lambda: bool(world.v1.of("/uploads/chunked")))
    assert world.v1.of("/uploads/chunked")[0].body == 0


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_within_the_limit_goes_through(caller: httpx.Client, chunked: bool) -> None:
    """Up to the last byte."""
    content = b"x" * 100_000
    answer = caller.put("/uploads/whole", content=iter([content]) if chunked else content)
    assert answer.status_code == 200


def test_an_allowed_upload_streams(world: World) -> None:
    """Its beginning reaches the upstream before its end has left the caller: nothing is held back."""
    address = (world.gateway.release.placement.listen.host, world.gateway.release.placement.listen.port)
    name = "cluster.v1.upstream_cx_tx_bytes_total"
    before = int(world.gateway.stats(name)[name])
    with socket.create_connection(address) as raw:
        raw.sendall(b"PUT /uploads/streamed HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n\r\n" + b"x" * 80_000)
        world.gateway.until(lambda: int(world.gateway.stats(name)[name]) > before + 80_000)
        raw.sendall(b"x" * 10_000)
        assert raw.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_head_that_is_too_large_is_refused(caller: httpx.Client) -> None:
    """431."""
    problem(caller.get("/old", headers={"x-large": "x" * 70_000}), 431, "head_too_large")


def test_http_1_0_is_refused(world: World) -> None:
    """426, as a problem document too."""
    assert raw_problem(world, b"GET /old HTTP/1.0\r\nhost: x\r\n\r\n") == (426, "http_too_old")


@pytest.mark.parametrize("line", [b"no colon", b"a_b: c", b"content-length: 5\r\ntransfer-encoding: chunked"])
def test_a_broken_head_is_refused(world: World, line: bytes) -> None:
    """400; among it header names with underscores, which some upstreams take for hyphens, and two lengths at once."""
    assert raw_problem(world, b"GET /old HTTP/1.1\r\nhost: x\r\n" + line + b"\r\n\r\n") == (400, "malformed_request")


def test_other_transfer_codings_are_refused(world: World) -> None:
    """501; nothing of it reached the upstream."""
    head = b"transfer-encoding: gzip\r\n\r\n"
    assert raw_problem(world, b"PUT /uploads/coded HTTP/1.1\r\nhost: x\r\n" + head) == (501, "not_supported")


def test_there_is_no_tunnel(world: World) -> None:
    """`CONNECT` is told so, whatever its token."""
    tunnel = b"CONNECT x:80 HTTP/1.1\r\nhost: x:80\r\nx-forwarded-for: 192.0.2.249\r\n"
    assert raw_problem(world, tunnel + b"\r\n") == (403, "upgrade_refused")
    assert raw_problem(world, tunnel + b"authorization: Bearer a.b.c\r\n\r\n") == (403, "upgrade_refused")
    world.gateway.until(lambda: len(world.gateway.lines("<tunnel>")) == 2)
    assert {line["method"] for line in world.gateway.lines("<tunnel>")} == {"CONNECT"}


def test_websockets_are_refused(world: World) -> None:
    """403 with a reason, for they could not be checked."""
    upgrade = b"connection: upgrade\r\nupgrade: websocket\r\nx-forwarded-for: 192.0.2.250\r\n"
    assert raw_problem(world, b"GET /old HTTP/1.1\r\nhost: x\r\n" + upgrade + b"\r\n") == (403, "upgrade_refused")
