"""TLS to callers and to upstreams, hosts, health checks, the product's limit and spans, on a real Envoy."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from outrider.common.ports import LOOPBACK, Address, free_ports
from outrider.gateway import inotify
from outrider.gateway.configuration import configuration
from outrider.gateway.environment import Backend, ListenTls, Placement, Tracing, Upstream, UpstreamTls
from outrider.gateway.product import Health, Limit, Limits, Operation, Product
from tests.gateway.compile.certificates import Authority
from tests.gateway.compile.raw_upstream import RawUpstream
from tests.gateway.compile.running import AUDIENCE, Gateway, released
from tests.gateway.compile.world import problem

OPERATIONS = (Operation(id="ask", method="GET", path="/ask/{vin}", public=True),)
PRODUCT = Product(
    name="secure",
    owner="team-secure",
    versions=("v1", "other", "misnamed", "sick"),
    audiences=(AUDIENCE,),
    health=Health(path="/healthz", every=0.2, within=0.5),
    limits=Limits(client=Limit(requests=1000), headers=False),
)


class Secure:
    """A gateway with everything that has to do with certificates, and what its callers need."""

    def __init__(self, gateway: Gateway, authority: Authority, collector: RawUpstream) -> None:
        self.gateway = gateway
        self.authority = authority
        self.collector = collector
        self.address = (gateway.release.placement.listen.host, gateway.release.placement.listen.port)

    def context(self, *, shows: bool = True, protocols: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
        """What a caller needs to connect."""
        made = ssl.create_default_context(cafile=str(self.authority.file))
        made.set_alpn_protocols(protocols)
        if shows:
            made.load_cert_chain(self.authority.folder / "caller.pem", self.authority.folder / "caller.key")
        return made

    def connect(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """A connection after its handshake."""
        return context.wrap_socket(socket.create_connection(self.address, timeout=5), server_hostname="api.example")

    def get(self, path: str = "/ask/x", host: str = "api.example") -> httpx.Response:
        """A request on a connection of its own."""
        with httpx.Client(verify=self.context(), trust_env=False) as client:
            return client.get(
                f"{self.gateway.url}{path}", headers={"host": host}, extensions={"sni_hostname": "api.example"}
            )

    def serial(self) -> int:
        """Of the certificate that a new caller sees."""
        with self.connect(self.context()) as connected:
            return int(str((connected.getpeercert() or {})["serialNumber"]), 16)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder, certificates = tmp_path_factory.mktemp("gw"), tmp_path_factory.mktemp("tls")
    authority, stranger = Authority(certificates, "authority"), Authority(certificates, "stranger")
    for name in ("api.example", "caller", "up.example"):
        authority.issue(name)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(certificates / "up.example.pem", certificates / "up.example.key")
    with RawUpstream(tls=own) as upstream, RawUpstream() as sick, RawUpstream() as collector:
        sick.broken = True

        def backend(ca: Path, name: str) -> Backend:
            return Backend(upstreams=(Upstream(address=upstream.address),), tls=UpstreamTls(ca=str(ca), name=name))

        placement = Placement(
            environment="test",
            listen=Address(LOOPBACK, free_ports(1)[0]),
            hosts=("api.example", "*.eu.example"),
            tls=ListenTls(
                certificate=str(certificates / "api.example.pem"),
                key=str(certificates / "api.example.key"),
                client_ca=str(authority.file),
            ),
            tracing=Tracing(otlp=collector.address, sample_percent=100),
            versions={
                "v1": backend(authority.file, "up.example"),
                "other": backend(stranger.file, "up.example"),
                "misnamed": backend(authority.file, "down.example"),
                "sick": Backend(upstreams=(Upstream(address=sick.address),)),
            },
        )
        with Gateway(folder, released(PRODUCT, placement, OPERATIONS), {"v1": 100}) as gateway:
            yield Secure(gateway, authority, collector)


@pytest.fixture
def split(secure: Secure) -> Iterator[Callable[..., set[str]]]:
    yield lambda **shares: secure.gateway.switch(shares)
    secure.gateway.switch({"v1": 100})


def test_callers_and_upstreams_are_met_over_tls(secure: Secure) -> None:
    """From end to end; the upstream sees the name that its certificate is for."""
    answer = secure.get()
    assert answer.status_code == 200
    assert answer.json()["headers"]["x-forwarded-proto"] == "https"


@pytest.mark.parametrize("version", ["other", "misnamed"])
def test_an_upstream_that_can_not_prove_its_name_gets_nothing(
    secure: Secure, split: Callable[..., set[str]], version: str
) -> None:
    """Neither with a certificate of someone else's authority nor with one for another name."""
    split(**{version: 100})
    problem(secure.get(), 503, "no_upstream")  # its health check fails for the same reason


def test_where_nothing_is_healthy_nothing_is_asked(secure: Secure, split: Callable[..., set[str]]) -> None:
    """An upstream that fails its health check; the answer comes at once."""
    split(sick=100)
    refused = secure.get()
    assert problem(refused, 503, "no_upstream")["may_have_happened"] is False
    assert refused.headers["retry-after"] == "2"


def test_callers_must_show_a_certificate(secure: Secure) -> None:
    """Where the environment asks for one."""
    with pytest.raises(OSError), secure.connect(secure.context(shows=False)) as connected:  # noqa: PT011, PT012
        connected.sendall(b"GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")
        assert connected.recv(100)


def test_plain_http_is_not_answered(secure: Secure) -> None:
    """Not even by a redirect."""
    with socket.create_connection(secure.address, timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nhost: api.example\r\n\r\n")
        assert plain.recv(100) == b""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(secure: Secure) -> None:
    """TLS 1.1 and before."""
    old = secure.context()
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        secure.connect(old)


def test_http_2_is_spoken_with_who_asks_for_it(secure: Secure) -> None:
    """By ALPN; and who asks for nothing gets HTTP/1.1."""
    with secure.connect(secure.context(protocols=("h2", "http/1.1"))) as connected:
        assert connected.selected_alpn_protocol() == "h2"
        fields = b"\x82\x87" + b"\x44\x06/ask/x" + b"\x41\x0bapi.example"
        head = len(fields).to_bytes(3, "big") + b"\x01\x05" + (1).to_bytes(4, "big") + fields
        connected.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + head)
        assert next(_frames(connected, kind=1))[:1] == b"\x88"  # :status 200
    assert secure.get().http_version == "HTTP/1.1"


def _frames(connected: ssl.SSLSocket, kind: int) -> Iterator[bytes]:
    with connected.makefile("rb") as reader:
        while head := reader.read(9):
            content = reader.read(int.from_bytes(head[:3], "big"))
            if head[3] == kind:
                yield content


def test_a_certificate_is_renewed_without_a_restart(secure: Secure) -> None:
    """New callers see the new one; connections that are open go on."""
    with httpx.Client(verify=secure.context(), trust_env=False) as client:

        def call() -> int:
            names = {"host": "api.example"}, {"sni_hostname": "api.example"}
            return client.get(f"{secure.gateway.url}/ask/x", headers=names[0], extensions=names[1]).status_code

        assert call() == 200
        serial = secure.authority.issue("api.example")
        secure.gateway.until(lambda: secure.serial() == serial)
        assert call() == 200


@pytest.mark.parametrize("host", ["api.example", "API.example", "api.example:443", "berlin.eu.example"])
def test_its_hosts_are_served(secure: Secure, host: str) -> None:
    """Whatever their case, with a port or without."""
    assert secure.get(host=host).status_code == 200


@pytest.mark.parametrize("host", ["other.example", "eu.example", "api.example.evil", LOOPBACK])
def test_other_hosts_are_not(secure: Secure, host: str) -> None:
    """421, whatever the path."""
    problem(secure.get(host=host), 421, "host_not_served")
    problem(secure.get("/unknown", host=host), 421, "host_not_served")


def test_spans_go_to_the_collector(secure: Secure) -> None:
    """They name the operation and the product; what stands in the path and the query does not leave the gateway."""
    for _ in range(6):
        assert secure.get("/ask/WVWZZZ1JZ3W386752?key=hidden").json()["headers"]["traceparent"].endswith("-01")
    secure.gateway.until(lambda: any(b"ask" in span for span in secure.collector.spans))
    spans = b"".join(secure.collector.spans)
    assert b"secure" in spans
    assert b"WVWZZZ1JZ3W386752" not in spans
    assert b"hidden" not in spans


def test_no_figures_of_limits_where_they_are_off(secure: Secure) -> None:
    """An upstream that sends its own is not contradicted."""
    assert not [name for name in secure.get().headers if "ratelimit" in name]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux limits what may be followed")
def test_what_it_follows_is_counted_beforehand(secure: Secure) -> None:
    """Each certificate takes two of the kernel's inotify instances, every other file one."""
    followed = inotify.of(secure.gateway.process.pid)
    assert inotify.needed(configuration(secure.gateway.release, {"v1": 100})) == followed == 3 + 2 * 4


def test_the_product_has_a_limit(tmp_path: Path) -> None:
    """For everyone together; what it refuses is a problem document with `Retry-After`."""
    with RawUpstream() as upstream:
        placement = Placement(
            environment="test",
            listen=Address(LOOPBACK, free_ports(1)[0]),
            versions={"v1": Backend(upstreams=(Upstream(address=upstream.address),))},
        )
        limits = Limits(client=Limit(requests=1000), product=Limit(requests=3, per=30))
        small = Product(name="small", owner="x", versions=("v1",), audiences=(AUDIENCE,), limits=limits)
        with (
            Gateway(tmp_path, released(small, placement, OPERATIONS), {"v1": 100}) as gateway,
            httpx.Client(base_url=gateway.url, trust_env=False) as client,
        ):
            answers = [client.get("/ask/x") for _ in range(5)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
            problem(answers[-1], 429, "product_limit")
            assert answers[-1].headers["retry-after"] == "10"
            assert client.get("/unknown").status_code == 404
            assert "jwt_authn" not in json.dumps(gateway.stats("jwt"))  # no operation asks for a token
