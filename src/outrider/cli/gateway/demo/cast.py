"""Who plays in the demo of gateways: three products, what their callers ask for, and the changes that one team makes.

Everybody's token is real; some callers do what a gateway must refuse, and expect just that.
"""

import re
from collections.abc import Callable, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec

from outrider.cli.bench.http_load import Request
from outrider.common.ports import Address

REMOTE, CHARGING, MAPS = "remote-services", "charging", "map-updates"
VIN, MODEL, OWNER = "0UTR1DERS00000001", "falcon-electric", "ada"
"""The one car in the demo, and who may use it."""
PERSONS = (OWNER, *(f"driver-{number}" for number in range(2, 24)))
"""Callers; a prime number of them, so that each comes to make every kind of request."""

Token = Callable[[str, str, str], str]
"""From (person, audience, scopes) to a token."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request. scopes: of the caller's token; None: there is no token. only: this person alone makes it."""

    path: str
    expects: tuple[int, ...] = (200,)
    method: str = "GET"
    scopes: str | None = None
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = {}
    only: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A product: its owner, for whom its tokens are, requests per second, and what is asked for, in turns."""

    name: str
    owner: str
    audience: str
    rate: float
    asks: tuple[Ask, ...]


PARTS = (
    Part(
        name=REMOTE,
        owner="team-remote-services",
        audience="outrider",
        rate=25,
        asks=(
            Ask(path="/v1/catalog", scopes="commands"),
            Ask(path="/v1/vehicles", scopes="commands"),
            Ask(
                path=f"/v1/vehicles/{VIN}/commands",
                method="POST",
                scopes="commands",
                body={"service": "light-flash"},
                headers={"idempotency-key": "outrider-gateway-demo"},
                expects=(202,),
                only=OWNER,
            ),
            Ask(path=f"/v1/vehicles/{VIN}/commands", scopes="commands", only=OWNER),
            Ask(path="/v1/vehicles", expects=(401,)),
            Ask(path="/v1/admin/vehicles", scopes="commands", expects=(403,)),
        ),
    ),
    Part(
        name=CHARGING,
        owner="team-charging",
        audience="charging",
        rate=90,
        asks=(
            Ask(path="/v1/stations", scopes="charging:read"),
            Ask(path="/v1/stations/harbour", scopes="charging:read"),
            Ask(path="/v1/stations?free=true", scopes="charging:read"),
            Ask(
                path="/v1/sessions",
                method="POST",
                scopes="charging:write",
                body={"station": "market"},
                expects=(201, 409),
            ),
            Ask(path="/v1/stations/north-gate", scopes="charging:read charging:write"),
            Ask(path="/v1/stations", expects=(401,)),
            Ask(path="/v1/stations", method="DELETE", scopes="charging:write", expects=(405,)),
            Ask(path="/v1/sessions", method="POST", scopes="charging:read", body={"station": "market"}, expects=(403,)),
        ),
    ),
    Part(
        name=MAPS,
        owner="team-maps",
        audience="map-updates",
        rate=65,
        asks=(
            Ask(path="/v1/regions/benelux", scopes="maps:read"),
            Ask(
                path="/v1/regions/alps/checks",
                method="POST",
                scopes="maps:read",
                body={"installed": "2026.4"},
            ),
            Ask(
                path="/v1/regions/iberia/packages/2026.9.map",
                scopes="maps:read",
                headers={"range": "bytes=0-16383"},
                expects=(206,),
            ),
            Ask(path="/v1/regions/alps", scopes="maps:read"),
            Ask(path="/v1/regions/benelux", expects=(401,)),
            Ask(path="/v1/atlas", scopes="maps:read", expects=(404,)),
        ),
    ),
)


def requests(part: Part, at: Address, token: Token) -> list[Request]:
    """What is asked of a product's gateway: kinds and persons both take turns."""
    count = len(part.asks) * len(PERSONS)
    pairs = islice(zip(cycle(part.asks), cycle(PERSONS)), count)
    tokens: dict[tuple[str, str], str] = {}

    def bearer(person: str, scopes: str) -> str:
        if (person, scopes) not in tokens:
            tokens[person, scopes] = token(person, part.audience, scopes)
        return tokens[person, scopes]

    return [
        _request(ask, at, None if ask.scopes is None else bearer(ask.only or who, ask.scopes)) for ask, who in pairs
    ]


def _request(ask: Ask, at: Address, token: str | None) -> Request:
    headers = dict(ask.headers)
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if ask.body is not None:
        headers["content-type"] = "application/json"
    body = b"" if ask.body is None else msgspec.json.encode(ask.body)
    return Request(f"http://{at}{ask.path}", ask.method, headers=headers, body=body, expects=ask.expects)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a product runs: its gateway, its figures for Prometheus, its upstreams by version."""

    listen: Address
    stats: Address
    versions: Mapping[str, Address]


def environment(places: Mapping[str, Place], issuer: str, jwks: str) -> dict[str, Any]:
    """The environment's file."""
    products = {
        name: {
            "listen": str(place.listen),
            "stats": str(place.stats),
            "versions": {version: {"upstreams": [f"http://{at}"]} for version, at in place.versions.items()},
        }
        for name, place in places.items()
    }
    return {"issuer": {"issuer": issuer, "jwks": {"file": jwks}}, "products": products}


NEW_OPERATION = "/v1/tariffs"


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What charging's team has in its two files."""

    openapi: str
    product: str

    def write(self, folder: Path) -> None:
        """Put it there."""
        (folder / "openapi.yaml").write_text(self.openapi, encoding="utf-8")
        (folder / "product.yaml").write_text(self.product, encoding="utf-8")

    def before_the_change(self) -> "Draft":
        """As it was yesterday: an operation less, and a lower limit."""
        return Draft(
            openapi=self._without_the_operation(),
            product=_once(self.product, r"(?m)^(  person: \{requests: )\d+", r"\g<1>40"),
        )

    def with_a_name_used_twice(self) -> "Draft":
        """Two operations with one id: a mistake that reading the files finds."""
        twice = _once(self.openapi, "operationId: showStation", "operationId: listStations")
        return msgspec.structs.replace(self, openapi=twice)

    def with_a_pattern_too_long(self) -> "Draft":
        """A regular expression that repeats more than Envoy lets it: a mistake that only Envoy finds."""
        pattern = "  origin_patterns: ['https://[a-z]{1,2000}\\\\.charging\\\\.example']"
        return msgspec.structs.replace(self, product=_once(self.product, r"(?m)^cors:$", f"cors:\n{pattern}"))

    def with_callers_forgotten(self) -> "Draft":
        """An operation gone from one day to the next, and a token in the URL: it breaks callers, and a rule."""
        parameter = "        - {name: access_token, in: query, schema: {type: string, maxLength: 4000}}\n"
        leaking = _once(self._without_the_operation(), r"(?m)^(?=        - name: free$)", parameter)
        return msgspec.structs.replace(self, openapi=leaking)

    def _without_the_operation(self) -> str:
        return _once(self.openapi, rf"(?ms)^  {NEW_OPERATION}:\n.*?(?=^  /)", "")


def _once(text: str, pattern: str, replacement: str) -> str:
    changed, count = re.subn(pattern, replacement, text)
    if count != 1:
        raise ValueError(f"{pattern!r} is there {count} times")
    return changed
