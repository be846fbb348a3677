"""What headers callers and upstreams see, what the log and the figures say, on a real Envoy."""

import json
import socket

import httpx
import pytest

from outrider.gateway.compile.log import METHODS
from tests.gateway.compile.running import KEYS
from tests.gateway.compile.world import World, problem

PORTAL = {"origin": "https://portal.example"}


def preflight(method: str = "GET", **more: str) -> dict[str, str]:
    return {**PORTAL, "access-control-request-method": method, **more}


def test_nothing_of_envoy_and_of_the_server_shows(caller: httpx.Client) -> None:
    """Neither in the upstream's answers nor in the gateway's own."""
    for answer in (
        caller.get("/old"),
        caller.get("/calls/there/error"),
        caller.get("/unknown"),
        caller.get("/calls/there/hang"),
    ):
        assert not [name for name in answer.headers if "envoy" in name or name in ("server", "via")]
        assert answer.headers["x-request-id"]


def test_what_an_upstream_learns_of_a_caller(world: World, caller: httpx.Client) -> None:
    """The address that the trusted proxy told, none of Envoy's own headers, and no id that a caller made up."""
    sent = {"x-request-id": "made-up", "x-envoy-original-path": "/x", "x-forwarded-client-cert": "By=me"}
    seen = caller.get("/old", headers=sent).json()["headers"]
    assert seen["x-forwarded-for"].startswith("192.0.2.")
    assert seen["x-request-id"] != "made-up"
    assert "x-forwarded-client-cert" not in seen
    assert [name for name in seen if name.startswith("x-envoy")] == ["x-envoy-external-address"]


def test_a_trace_is_begun(caller: httpx.Client) -> None:
    """Where the caller has none, the upstream gets one all the same; it is not recorded."""
    version, trace, _, flags = caller.get("/old").json()["headers"]["traceparent"].split("-")
    assert (version, len(trace), flags) == ("00", 32, "00")


def test_a_trace_goes_on(caller: httpx.Client) -> None:
    """The upstream sees the caller's trace, and a span of the gateway's."""
    sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    seen = caller.get("/old", headers={"traceparent": sent}).json()["headers"]["traceparent"]
    assert seen.split("-")[1] == sent.split("-")[1]
    assert seen.split("-")[2] != sent.split("-")[2]


def test_an_operation_that_will_go_says_so(caller: httpx.Client) -> None:
    """RFC 9745 and 8594; and others say nothing."""
    headers = caller.get("/old").headers
    assert headers["deprecation"] == "@1769817600"
    assert headers["sunset"] == "Sun, 31 Jan 2027 11:00:00 GMT"
    assert "deprecation" not in caller.get("/things/newest").headers


@pytest.mark.parametrize("origin", ["https://portal.example", "https://eu.portal.example"])
def test_a_web_page_may_ask_what_it_may(caller: httpx.Client, origin: str) -> None:
    """A preflight needs no token, and is told the methods of its path."""
    answer = caller.options("/things/7", headers=preflight("POST") | {"origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "600"


def test_preflights_are_not_counted(caller: httpx.Client) -> None:
    """A browser would call a 429 a CORS error, and the page could not read when to come again."""
    assert {caller.options("/things/7", headers=preflight()).status_code for _ in range(45)} == {200}
    assert caller.get("/things/newest").headers["x-ratelimit-remaining"] == "39"


def test_a_web_page_of_strangers_may_not(world: World, caller: httpx.Client) -> None:
    """It is told nothing, and the upstream is not asked."""
    before = len(world.v1.seen)
    answer = caller.options("/things/7", headers=preflight() | {"origin": "https://evil.example"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    assert len(world.v1.seen) == before


def test_a_preflight_for_an_unknown_path_is_not_found(caller: httpx.Client) -> None:
    """Nothing is there to ask about."""
    problem(caller.options("/unknown", headers=preflight()), 404, "no_such_operation")


def test_options_alone_is_no_preflight(caller: httpx.Client) -> None:
    """Without a browser's headers it is a method like any other."""
    problem(caller.options("/things/7"), 405, "method_not_allowed")


def test_a_web_page_can_read_every_answer(caller: httpx.Client) -> None:
    """The upstream's and the gateway's own refusals: a page that can't read a 401 can't act on it."""
    answers = [
        caller.get("/old", headers=PORTAL),
        caller.get("/things/7", headers=PORTAL),
        caller.get("/things/7", headers=PORTAL | KEYS.token("no", sub="page")),
        caller.get("/calls/there/hang", headers=PORTAL),
        caller.put("/uploads/large", content=b"x" * 100_001, headers=PORTAL),
        caller.delete("/things/7", headers=PORTAL),
        caller.get("/unknown", headers=PORTAL),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 403, 504, 413, 405, 404]
    assert [answer.headers.get("access-control-allow-origin") for answer in answers] == [PORTAL["origin"]] * 5 + [
        "*"
    ] * 2
    assert "retry-after" in answers[0].headers["access-control-expose-headers"]


def test_the_log_names_the_operation_and_no_path(world: World, caller: httpx.Client) -> None:
    """One line of JSON for each request, without path, query, token or name."""
    vin, trace = "WVWZZZ1JZ3W386752", "0af7651916cd43dd8448eb211c80319d"
    token = KEYS.token(sub="somebody")
    sent = {**token, "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = caller.get(f"/things/{vin}?key=secret", headers=sent)
    assert answer.status_code == 200
    assert caller.put(f"/uploads/{vin}", content=b"x" * 100_001).status_code == 413
    world.gateway.until(lambda: any(line["trace_id"] == trace for line in world.gateway.lines("showThing")))
    (line,) = [line for line in world.gateway.lines("showThing") if line["trace_id"] == trace]

    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["product"], line["method"], line["code"], line["version"]) == ("things", "GET", 200, "v1")
    assert (line["details"], line["flags"], line["attempts"]) == ("via_upstream", "-", 1)
    assert line["ms"] >= line["upstream_ms"] >= 0
    written = (world.gateway.folder / "access.log").read_text() + world.gateway.log.read_text()
    for private in (vin, "secret", token["authorization"].removeprefix("Bearer "), "somebody"):
        assert private not in written


def test_a_made_up_method_does_not_get_into_the_log(world: World) -> None:
    """HTTP/2 takes any word for one; it may be a VIN."""
    vin, listen = b"WVWZZZ1JZXW000001", world.gateway.release.placement.listen
    fields = b"\x42" + bytes([len(vin)]) + vin + b"\x86" + b"\x44\x04/old" + b"\x41\x01x"
    head = len(fields).to_bytes(3, "big") + b"\x01\x05" + (1).to_bytes(4, "big") + fields
    with socket.create_connection((listen.host, listen.port), timeout=5) as raw:
        raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + head)
        answer = b""
        while b"method_not_allowed" not in answer and (more := raw.recv(65536)):
            answer += more
    world.gateway.until(lambda: "other" in [line["method"] for line in world.gateway.lines("<method-not-allowed>")])
    assert vin.decode() not in (world.gateway.folder / "access.log").read_text() + world.gateway.log.read_text()
    for method in METHODS[1:-1]:
        with world.caller() as caller:
            caller.request(method, "/unknown")
    seen = set(METHODS[1:-1])
    world.gateway.until(lambda: seen <= {line["method"] for line in world.gateway.lines("<no-such-operation>")})


def test_a_refusal_is_found_in_the_log(world: World, caller: httpx.Client) -> None:
    """By the trace id of its problem document, with the reason."""
    told = str(problem(caller.get("/no/such/path"), 404, "no_such_operation")["trace_id"])
    world.gateway.until(lambda: told in json.dumps(world.gateway.lines("<no-such-operation>")))


def test_prometheus_reads_figures_and_nothing_else(world: World) -> None:
    """The stats endpoint is no way into the admin interface."""
    stats = world.gateway.release.placement.stats
    with httpx.Client(base_url=f"http://{stats}", trust_env=False) as client:
        figures = client.get("/stats/prometheus?usedonly")
        assert 'envoy_cluster_upstream_rq{envoy_response_code="200",envoy_cluster_name="v1"}' in figures.text
        assert "envoy_http_downstream_rq_active" in figures.text
        assert "envoy_limit_person_http_local_rate_limit_ok" in figures.text
        for path in ("/", "/stats", "/config_dump", "/quitquitquit", "/stats/prometheus/../../config_dump"):
            assert client.get(path).status_code == 404
        assert client.post("/stats/prometheus").status_code == 404
