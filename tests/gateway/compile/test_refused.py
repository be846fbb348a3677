import pytest

from outrider.common.ports import Address
from outrider.gateway.environment import Backend, Placement, Tracing, Upstream
from outrider.gateway.faults import Refused
from outrider.gateway.product import Cors, Operation, Product
from tests.gateway.compile.built import PUBLIC, SHOW, at, placement, product, release

ELSEWHERE = Address("192.0.2.1", 80)


@pytest.mark.parametrize(
    ("operations", "of", "on", "words"),
    [
        ((SHOW,), product(), placement(issuer=None), "names no issuer"),
        ((PUBLIC,), product(), placement(listen=ELSEWHERE), "without TLS"),
        ((PUBLIC,), product(), placement(listen=Address("0.0.0.0", 80)), "without TLS"),
        ((PUBLIC,), product(), placement(listen=Address("my.host", 80)), "without TLS"),
        ((PUBLIC,), product(), placement(stats=Address("0.0.0.0", 80)), "`stats` be at 127.0.0.1"),
        ((PUBLIC,), product(), placement(tracing=Tracing(otlp=ELSEWHERE)), "collector beside the gateway"),
        ((PUBLIC,), product(versions=("v3",)), placement(), "no upstream for version v3"),
        ((PUBLIC,), product(versions=("admin",)), placement(versions={"admin": Backend(upstreams=(at(1),))}), "admin"),
        ((PUBLIC,), product(), placement(versions={"v1": Backend(upstreams=())}), "no upstream for version v1"),
        ((PUBLIC,), product(), placement(versions={"v1": Backend(upstreams=(Upstream(),))}), "neither"),
        (
            (PUBLIC,),
            product(),
            placement(versions={"v1": Backend(upstreams=(at(80, "up.example"),))}),
            "up.example:80 is not on this machine: it needs `tls`",
        ),
        (
            (PUBLIC,),
            product(),
            placement(versions={"v1": Backend(upstreams=(Upstream(socket="/" + "x" * 108),))}),
            "103 bytes",
        ),
        ((PUBLIC,), product(cors=Cors(origins=("*",), credentials=True)), placement(), "any web page"),
        ((Operation(id="x", method="GET", path="/x"),), product(), placement(), "nobody could ever call it"),
        ((Operation(id="x", method="GET", path="/x", scopes=(("a b",),)),), product(), placement(), "'a b'"),
        (
            (PUBLIC, Operation(id="again", method="get", path="/state", public=True)),
            product(),
            placement(),
            "again, showState",
        ),
    ],
)
def test_what_could_not_be_held_is_refused(
    operations: tuple[Operation, ...], of: Product, on: Placement, words: str
) -> None:
    """It does not compile, and the message says what to change."""
    with pytest.raises(Refused) as refused:
        release(*operations, of=of, on=on)
    assert words in str(refused.value)
