"""One product with something of everything, on a real Envoy, and what tests ask of it."""

import json
import socket
from itertools import count

import httpx

from outrider.gateway.product import Breakers, Cors, Limit, Limits, Operation, Outliers, Product
from tests.gateway.compile.raw_upstream import RawUpstream
from tests.gateway.compile.running import AUDIENCE, Gateway

OPERATIONS = (
    Operation(id="showThing", method="GET", path="/things/{id}", scopes=(("things:read",), ("admin", "things:all"))),
    Operation(id="showNewest", method="GET", path="/things/newest", public=True),
    Operation(
        id="changeThing",
        method="POST",
        path="/things/{id}",
        scopes=(("things:write",),),
        media_types=("application/json", "image/*"),
    ),
    Operation(id="purgeThing", method="POST", path="/things/{id}:purge", scopes=(("things:purge",),)),
    Operation(id="purgeAll", method="POST", path="/things/all:purge", scopes=(("things:purge",),)),
    Operation(id="showHome", method="GET", path="/things/me@stra%C3%9Fe", scopes=(("things:home",),)),
    Operation(id="showMeta", method="HEAD", path="/things/{id}/meta", public=True),
    Operation(id="showMap", method="GET", path="/maps/{name}.map", public=True),
    Operation(id="listMaps", method="GET", path="/maps", scopes=((),)),
    Operation(id="upload", method="PUT", path="/uploads/{name}", public=True),
    Operation(id="watch", method="GET", path="/events/{name}", public=True, streams=True),
    Operation(id="wait", method="GET", path="/waits/{name}", public=True),
    Operation(id="call", method="GET", path="/calls/{test}/{word}", public=True),
    Operation(id="send", method="POST", path="/calls/{test}/{word}", public=True),
    Operation(
        id="showOld",
        method="GET",
        path="/old",
        public=True,
        deprecated=True,
        deprecated_since="2026-01-31",
        sunset="2027-01-31T12:00:00+01:00",
    ),
)
PRODUCT = Product(
    name="things",
    owner="team-things",
    versions=("v1", "v2", "gone", "pair", "socket"),
    audiences=(AUDIENCE,),
    limits=Limits(person=Limit(requests=5, per=43), client=Limit(requests=40, per=60), product=Limit(requests=5000)),
    body_limit=100_000,
    timeout=0.6,
    timeouts={"wait": 5.0},
    cors=Cors(origins=("https://portal.example",), origin_patterns=(r"https://[a-z]+\.portal\.example",)),
    breakers=Breakers(connections=2, pending=1, requests=4),
    outliers=Outliers(after=3, out_for=30),
)


class World:
    """Everything that runs for the tests of this module."""

    def __init__(self, gateway: Gateway, v1: RawUpstream, v2: RawUpstream) -> None:
        self.gateway = gateway
        self.v1 = v1
        self.v2 = v2
        self._addresses = count(1)

    def caller(self) -> httpx.Client:
        """Someone at an address of his own; the gateway trusts one proxy to tell it."""
        number = next(self._addresses)
        address = {"x-forwarded-for": f"192.0.2.{number}"}
        return httpx.Client(base_url=self.gateway.url, headers=address, trust_env=False, timeout=10)


def problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The problem document of a refusal, with all members that it must have."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["code"] == code, document
    assert document["type"] == f"/problems/{code}"
    assert document["status"] == status
    assert document.get("trace_id") == response.headers.get("x-request-id")
    assert document["title"]
    assert document["detail"]
    assert not [name for name in response.headers if "envoy" in name or name == "server"]
    assert {type(document[name]) for name in ("retryable", "may_have_happened")} == {bool}
    return document


def raw_problem(world: World, request: bytes) -> tuple[int, str]:
    """Status and code of the refusal of what no HTTP client would send."""
    listen = world.gateway.release.placement.listen
    with socket.create_connection((listen.host, listen.port), timeout=5) as raw:
        raw.sendall(request)
        answer = raw.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    document = json.loads(body)
    assert None not in document.values()
    return int(head.split(b" ")[1]), document["code"]
