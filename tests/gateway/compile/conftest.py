"""One Envoy for all tests of this folder that send requests."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from outrider.common.ports import LOOPBACK, Address, free_ports
from outrider.gateway.environment import Backend, Issuer, KeySource, Placement, Upstream
from tests.gateway.compile.raw_upstream import RawUpstream
from tests.gateway.compile.running import ISSUER, Gateway, released
from tests.gateway.compile.world import OPERATIONS, PRODUCT, World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("gw")
    with RawUpstream() as v1, RawUpstream() as v2, RawUpstream(socket=str(folder / "up.sock")):
        listen, stats, gone = (Address(LOOPBACK, port) for port in free_ports(3))
        addresses = {"v1": (v1.address,), "v2": (v2.address,), "gone": (gone,), "pair": (v1.address, v2.address)}
        backends = {
            name: Backend(upstreams=tuple(Upstream(address=one) for one in each)) for name, each in addresses.items()
        }
        backends["socket"] = Backend(upstreams=(Upstream(socket=str(folder / "up.sock")),))
        placement = Placement(
            environment="test",
            listen=listen,
            stats=stats,
            issuer=Issuer(issuer=ISSUER, jwks=KeySource(file="/unused")),
            trusted_proxies=1,
            versions=backends,
        )
        with Gateway(folder, released(PRODUCT, placement, OPERATIONS), {"v1": 100}) as gateway:
            yield World(gateway, v1, v2)


@pytest.fixture
def caller(world: World) -> Iterator[httpx.Client]:
    with world.caller() as client:
        yield client


@pytest.fixture
def split(world: World) -> Iterator[Callable[..., set[str]]]:
    """Sends the traffic elsewhere, until the test ends."""
    yield lambda **shares: world.gateway.switch(shares)
    world.gateway.switch({"v1": 100})
