"""Products for exports: a rich one, and any that could be."""

from hypothesis import strategies as st

from outrider.common.ports import Address
from outrider.gateway.environment import (
    Backend,
    Issuer,
    KeySource,
    ListenTls,
    Placement,
    Tracing,
    Upstream,
    UpstreamTls,
)
from outrider.gateway.kong.consumers import PublicKey
from outrider.gateway.product import Cors, Health, Limit, Limits, Operation, Product

ISSUER = Issuer(issuer="https://issuer.example", jwks=KeySource(file="/etc/outrider/jwks.json"))
PEM = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
KEYS = (PublicKey("2026-11", "ES256", PEM), PublicKey("2026-10", "RS256", PEM))

PRODUCT = Product(
    name="charging",
    owner="team-charging",
    versions=("v1", "v2"),
    audiences=("charging",),
    limits=Limits(person=Limit(requests=50), client=Limit(requests=30, per=10), product=Limit(requests=5000)),
    body_limit=65536,
    timeouts={"startSession": 30, "exportSessions": 0},
    cors=Cors(origins=("https://portal.example",), origin_patterns=(r"https://[a-z]+\.portal\.example",)),
    health=Health(path="/healthz", every=0.5),
)
PLACEMENT = Placement(
    environment="production",
    listen=Address("0.0.0.0", 8443),
    hosts=("charging.example",),
    tls=ListenTls(certificate="/etc/outrider/charging.pem", key="/etc/outrider/charging.key", client_ca="/etc/ca.pem"),
    issuer=ISSUER,
    trusted_proxies=1,
    tracing=Tracing(otlp=Address("127.0.0.1", 4318)),
    versions={
        "v1": Backend(
            upstreams=(
                Upstream(address=Address("charging-1.internal", 8443)),
                Upstream(address=Address("charging-2.internal", 8443)),
            ),
            tls=UpstreamTls(ca="/etc/outrider/internal.pem", name="charging.internal"),
        ),
        "v2": Backend(
            upstreams=(Upstream(address=Address("charging-3.internal", 8443)), Upstream(socket="/run/charging.sock")),
            tls=UpstreamTls(ca="/etc/outrider/internal.pem", name="charging.internal"),
        ),
    },
)
OPERATIONS = (
    Operation(id="listTariffs", method="GET", path="/v1/tariffs", public=True),
    Operation(
        id="listPrices",
        method="GET",
        path="/v1/prices",
        public=True,
        deprecated=True,
        deprecated_since="2026-07-01",
        sunset="2027-06-30",
    ),
    Operation(
        id="startSession",
        method="POST",
        path="/v1/sessions",
        scopes=(("charging:write",),),
        media_types=("application/json",),
    ),
    Operation(id="exportSessions", method="GET", path="/v1/sessions.csv", scopes=(("charging:read",),)),
    Operation(id="showSession", method="GET", path="/v1/sessions/{session}", scopes=(("charging:read",),)),
    Operation(id="stopSession", method="DELETE", path="/v1/sessions/{session}", scopes=(("charging:write",),)),
    Operation(
        id="watchSession",
        method="GET",
        path="/v1/sessions/{session}/events",
        scopes=(("charging:read",), ("charging:write",)),
        streams=True,
    ),
    Operation(id="latestSession", method="GET", path="/v1/sessions/latest", scopes=((),)),
)

_NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
_TEXTS = st.text(min_size=1, max_size=20)
_LIMITS = st.builds(Limit, requests=st.integers(1, 10_000_000), per=st.integers(1, 86400))
_SEGMENTS = st.one_of(_NAMES, st.just("{id}"), st.from_regex(r"[a-z]+\.json|[a-z]+:\{id\}", fullmatch=True))
_METHODS = st.sampled_from(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"))
_SECONDS = st.one_of(st.just(0.0), st.floats(0.001, 86400))
_HOSTS = st.one_of(st.just("127.0.0.1"), st.just("::1"), _NAMES.map(lambda name: f"{name}.internal"))
_ADDRESSES = st.builds(Address, _HOSTS, st.integers(1, 65535))
_UPSTREAMS = st.one_of(st.builds(Upstream, address=_ADDRESSES), st.just(Upstream(socket="/run/it.sock")))
_TLS = st.none() | st.builds(UpstreamTls, ca=st.just("/ca.pem"), name=_NAMES)
_BACKENDS = st.builds(Backend, upstreams=st.lists(_UPSTREAMS, min_size=1, max_size=5).map(tuple), tls=_TLS)

paths = st.lists(_SEGMENTS, min_size=1, max_size=4).map(lambda segments: "/" + "/".join(segments))


@st.composite
def operations(draw: st.DrawFn) -> tuple[Operation, ...]:
    """Some operations with different ids, and no method twice at one path."""
    places = draw(st.lists(st.tuples(_METHODS, paths), min_size=1, max_size=8, unique=True))
    shapes = {(method, path.replace("{id}", "{}")): (method, path) for method, path in places}
    return tuple(
        Operation(
            id=f"{draw(_TEXTS)}{number}",
            method=method,
            path=path,
            public=draw(st.booleans()),
            scopes=draw(st.sampled_from((((),), (("read",), ("read", "write"))))),
            media_types=draw(st.sampled_from(((), ("application/json",)))),
            streams=draw(st.booleans()),
            deprecated_since=draw(st.none() | st.just("2026-07-01")),
            sunset=draw(st.none() | st.just("2027-06-30")),
        )
        for number, (method, path) in enumerate(shapes.values())
    )


def asked_of(found: tuple[Operation, ...]) -> st.SearchStrategy[str]:
    """A path as a caller sends it: of one of the operations, or any other."""
    return st.one_of(st.sampled_from([operation.path for operation in found]), paths).map(
        lambda path: path.replace("{id}", "17")
    )


@st.composite
def exports(draw: st.DrawFn) -> tuple[Product, Placement, tuple[Operation, ...], dict[str, int]]:
    """A product, where it is, its operations and a split."""
    found, versions = draw(operations()), draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(versions) - 1, max_size=len(versions) - 1)))
    shares = [end - start for start, end in zip([0, *cuts], [*cuts, 100], strict=True)]
    product = Product(
        name=draw(_NAMES),
        owner="team",
        versions=tuple(versions),
        audiences=tuple(draw(st.lists(_TEXTS, max_size=2))),
        limits=Limits(person=draw(_LIMITS), client=draw(_LIMITS), product=draw(_LIMITS), headers=draw(st.booleans())),
        body_limit=draw(st.integers(0, 2**30)),
        timeout=draw(_SECONDS),
        timeouts={operation.id: draw(_SECONDS) for operation in found if draw(st.booleans())},
        cors=draw(st.sampled_from((None, Cors(), Cors(origins=("*",)), Cors(origin_patterns=("https://a.*",))))),
        retries=draw(st.integers(0, 3)),
        health=draw(st.sampled_from((None, Health(path="/healthz", every=0.1, within=59.5)))),
    )
    placement = Placement(
        environment="any",
        listen=draw(_ADDRESSES),
        hosts=tuple(draw(st.lists(_NAMES, max_size=2, unique=True))),
        tls=draw(st.sampled_from((None, ListenTls(certificate="/c", key="/k"), PLACEMENT.tls))),
        issuer=ISSUER,
        trusted_proxies=draw(st.integers(0, 2)),
        tracing=draw(st.sampled_from((None, PLACEMENT.tracing))),
        versions={version: draw(_BACKENDS) for version in versions},
    )
    return product, placement, found, dict(zip(versions, shares, strict=True))
