"""The configuration as an operator sees it; the goldens are files in `goldens/`.

`OUTRIDER_GOLDENS=write` in the environment writes them anew; look at the difference before you commit it.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.common.ports import LOOPBACK, Address
from outrider.gateway.compile import FILTERS, compile_product
from outrider.gateway.compile.bootstrap import bootstrap
from outrider.gateway.compile.clusters import clusters
from outrider.gateway.compile.listener import listeners
from outrider.gateway.compile.parts import Filter, Source
from outrider.gateway.compile.problems import local_replies
from outrider.gateway.compile.tls import secrets
from outrider.gateway.compile.tracing import tracing
from outrider.gateway.configuration import configuration, token_content
from outrider.gateway.environment import Backend, ListenTls, Tracing, Upstream, UpstreamTls
from outrider.gateway.product import Cors, Health, Limit, Limits, Operation
from tests.gateway.compile.built import CHANGE, PUBLIC, SHOW, WATCH, at, placement, product, release, source

GOLDENS = Path(__file__).parent / "goldens"

RICH = source(
    SHOW,
    CHANGE,
    WATCH,
    PUBLIC,
    of=product(
        versions=("v1", "v2"),
        cors=Cors(origins=("https://portal.example",), origin_patterns=(r"https://[a-z]+\.portal\.example",)),
        limits=Limits(person=Limit(requests=5, per=60)),
        health=Health(path="/healthz"),
    ),
)
BEHIND_TLS = source(
    PUBLIC,
    of=product(versions=("v1", "v2"), health=Health(path="/healthz")),
    on=placement(
        listen=Address("0.0.0.0", 443),
        hosts=("things.example",),
        tls=ListenTls(certificate="/etc/tls/things.pem", key="/etc/tls/things.key", client_ca="/etc/tls/callers.pem"),
        stats=Address(LOOPBACK, 9101),
        trusted_proxies=1,
        tracing=Tracing(otlp=Address(LOOPBACK, 4318), sample_percent=5),
        versions={
            "v1": Backend(
                upstreams=(at(8443, "up1.example"), at(8443, "192.0.2.7")),
                tls=UpstreamTls(ca="/etc/tls/ours.pem", name="up.example"),
            ),
            "v2": Backend(upstreams=(Upstream(socket="/run/things/v2.sock"),)),
        },
    ),
)
RETIRED = Operation(
    id="showOld",
    method="GET",
    path="/old/{name}.{kind}",
    public=True,
    deprecated=True,
    deprecated_since="2026-01-31",
    sunset="2027-01-31T12:00:00Z",
)


def of_filter(filter: Filter) -> Callable[[], Any]:
    """Everything that one filter says of the rich product."""
    return lambda: {
        "chain": filter.chain(RICH),
        "everywhere": filter.host(RICH),
        "operations": {operation.id: filter.operation(RICH, operation) for operation in RICH.operations},
        "own answers": filter.own(RICH),
    }


def of_routes(found: Source) -> Callable[[], Any]:
    """The routes."""
    return lambda: compile_product(found.product, found.placement, found.operations).routes["virtual_hosts"]


def whole() -> dict[str, Any]:
    """Every file of a small product, with its keys."""
    small = release(SHOW, PUBLIC, of=product(versions=("v1", "v2")))
    files = {**configuration(small, {"v1": 95, "v2": 5}), "token.json": token_content(small, '{"keys": []}')}
    return {name.partition("-")[0].removesuffix(".json"): json.loads(content) for name, content in files.items()}


PARTS: dict[str, Callable[[], Any]] = {
    **{f"filter-{filter.name.rpartition('.')[2]}": of_filter(filter) for filter in FILTERS},
    "bootstrap": lambda: bootstrap(RICH),
    "clusters": lambda: clusters(RICH),
    "clusters-tls": lambda: clusters(BEHIND_TLS),
    "listeners": lambda: listeners(RICH, [])[0],
    "listeners-tls": lambda: listeners(BEHIND_TLS, [])[0],
    "problems": lambda: local_replies(RICH),
    "routes": of_routes(RICH),
    "routes-hosts": of_routes(BEHIND_TLS),
    "routes-retired": of_routes(source(RETIRED)),
    "secrets": lambda: secrets(BEHIND_TLS),
    "tracing": lambda: tracing(BEHIND_TLS),
    "whole": whole,
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_as_its_golden_file_has_it(name: str) -> None:
    """What is compiled changes only where somebody saw it change."""
    seen = msgspec.json.decode(msgspec.json.encode(PARTS[name]()))
    file = GOLDENS / f"{name}.json"
    if os.environ.get("OUTRIDER_GOLDENS") == "write":
        file.write_text(json.dumps(seen, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    assert seen == json.loads(file.read_text(encoding="utf-8"))


def test_every_golden_file_is_compared() -> None:
    """None is left over."""
    assert {file.stem for file in GOLDENS.iterdir()} == set(PARTS)


def test_compiling_is_a_pure_function() -> None:
    """The same product gives the same bytes; and what is stored gives them again."""
    files = configuration(release(SHOW, CHANGE), {"v1": 100})
    assert files == configuration(release(SHOW, CHANGE), {"v1": 100})
    assert all(content.endswith(b"}\n") for content in files.values())


def test_what_is_off_yields_nothing() -> None:
    """No token check where everything is public, no CORS where no page may call, no check of health, no TLS."""
    bare = source(PUBLIC)
    names = [filter.name for filter in FILTERS if filter.chain(bare)]
    assert names == ["limit-client", "limit-product", "envoy.filters.http.body_size_limit"]
    compiled = compile_product(bare.product, bare.placement, bare.operations)
    assert (compiled.token, compiled.secrets) == (None, ())
    said = json.dumps(msgspec.json.decode(msgspec.json.encode(compiled)))
    for word in ("jwt", "rbac", "cors", "health_checks", 'transport_socket"', "outlier", "token_missing", "stats@"):
        assert word not in said
