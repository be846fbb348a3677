"""Products to compile, for tests; each one has what a test says, and otherwise what is usual."""

from typing import Any

import msgspec

from outrider.common.ports import LOOPBACK, Address
from outrider.gateway.compile.parts import Source
from outrider.gateway.environment import Backend, Issuer, KeySource, Placement, Upstream
from outrider.gateway.product import Operation, Product
from outrider.gateway.release import Release
from tests.gateway.compile.running import AUDIENCE, ISSUER, released

SHOW = Operation(id="showThing", method="GET", path="/things/{id}", scopes=(("things:read",), ("admin", "things:all")))
CHANGE = Operation(
    id="changeThing",
    method="PUT",
    path="/things/{id}",
    scopes=(("things:write",),),
    media_types=("application/json",),
)
WATCH = Operation(id="watch", method="GET", path="/events", public=True, streams=True)
PUBLIC = Operation(id="showState", method="GET", path="/state", public=True)


def at(port: int, host: str = LOOPBACK) -> Upstream:
    """An upstream."""
    return Upstream(address=Address(host, port))


def product(**changes: Any) -> Product:
    """A product that has what every product has."""
    usual = Product(name="things", owner="team-things", versions=("v1",), audiences=(AUDIENCE,))
    return msgspec.structs.replace(usual, **changes)


def placement(**changes: Any) -> Placement:
    """Its place on this machine."""
    usual = Placement(
        environment="test",
        listen=Address(LOOPBACK, 9001),
        issuer=Issuer(issuer=ISSUER, jwks=KeySource(file="/etc/jwks.json")),
        versions={"v1": Backend(upstreams=(at(7001),)), "v2": Backend(upstreams=(at(7002),))},
    )
    return msgspec.structs.replace(usual, **changes)


def source(*operations: Operation, of: Product | None = None, on: Placement | None = None) -> Source:
    """What the parts of the compilation are given."""
    return Source(product=of or product(), placement=on or placement(), operations=operations or (SHOW, PUBLIC))


def release(*operations: Operation, of: Product | None = None, on: Placement | None = None) -> Release:
    """What a publish would store."""
    return released(of or product(), on or placement(), operations or (SHOW, PUBLIC))
