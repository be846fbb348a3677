"""The stage of the demo: three services, their gateways, and traffic through each, in a folder of its own.

The services are processes: Outrider's platform is one of them and is not imported here, for gateways need none.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from shutil import copytree, ignore_patterns

import msgspec

import outrider
from outrider.adapters.dev_key import ISSUER, JWKS_FILE, make_dev_key, mint
from outrider.cli.bench.http_load import Traffic, traffic
from outrider.cli.client import connected
from outrider.cli.gateway.demo import cast
from outrider.cli.gateway.demo.cast import CHARGING, PARTS, REMOTE, Draft, Place
from outrider.cli.gateway.demo.scene import Play
from outrider.cli.gateway.own import Own
from outrider.cli.stage import OwnPlatform, child, own_platform
from outrider.cli.vehicle import add_grant
from outrider.common.ports import LOOPBACK, Address, free_ports

SHIPPED = Path(outrider.__file__).parent / "products"
UP_WITHIN = 60.0
"""Seconds for everything to answer: a busy machine starts it slowly."""
CONNECTIONS = 12
"""To each gateway."""
TOKENS_LAST = 3600


@asynccontextmanager
async def set_stage(folder: Path, busy: Callable[[str], None]) -> AsyncIterator[Play]:
    """Everything runs and traffic flows, until the block ends. Raises NotStarted."""
    folder.chmod(0o711)  # each gateway may be a user of its own, and has to get to its files
    keys = folder / "platform" / "keys"
    make_dev_key(keys)
    places = _places()
    own, draft = _files(folder, places, keys / JWKS_FILE)

    def token(person: str, audience: str, scopes: str) -> str:
        return mint(keys, person, scopes, TOKENS_LAST, audience=audience)

    asked = {part.name: cast.requests(part, places[part.name].listen, token) for part in PARTS}
    async with AsyncExitStack() as stack:
        busy("Starting three services, and a gateway for each")
        for name in places.keys() - {REMOTE}:
            for version, at in places[name].versions.items():
                service = (str(SHIPPED / name / "service.py"), "--listen", str(at), "--name", version)
                attached = child(("-m", "outrider.cli.attached", *service), folder / f"{name}.log", talks=True)
                await stack.enter_async_context(attached)
        watcher = await stack.enter_async_context(own.up())
        [api] = places[REMOTE].versions.values()
        platform = own_platform(folder / "platform", "--no-gateway", "--listen", str(api))
        await _registered(await stack.enter_async_context(platform))
        await own.until_answered(watcher, [each[0] for each in asked.values()], UP_WITHIN)
        loads: dict[str, Traffic] = {}
        for part in PARTS:
            load = traffic(asked[part.name], part.rate, connections=CONNECTIONS)
            loads[part.name] = await stack.enter_async_context(load)
        yield Play(own, places, loads, draft)


def _places() -> dict[str, Place]:
    versions = {part.name: ("v1", "v2") if part.name == CHARGING else ("v1",) for part in PARTS}
    ports = iter(free_ports(sum(2 + len(each) for each in versions.values())))
    return {
        name: Place(
            listen=Address(LOOPBACK, next(ports)),
            stats=Address(LOOPBACK, next(ports)),
            versions={version: Address(LOOPBACK, next(ports)) for version in each},
        )
        for name, each in versions.items()
    }


def _files(folder: Path, places: Mapping[str, Place], jwks: Path) -> tuple[Own, Draft]:
    """The products as they were yesterday, and charging as it is to become."""
    products = folder / "products"
    copytree(SHIPPED, products, ignore=ignore_patterns("environments", "__pycache__"))
    read = {name: (products / CHARGING / f"{name}.yaml").read_text("utf-8") for name in ("openapi", "product")}
    draft = Draft(openapi=read["openapi"], product=read["product"])
    draft.before_the_change().write(products / CHARGING)
    file = folder / "environment.yaml"  # JSON is YAML
    file.write_bytes(msgspec.json.format(msgspec.json.encode(cast.environment(places, ISSUER, str(jwks)))))
    return Own(products, file, folder / "state", folder / "gateways.log"), draft


async def _registered(own: OwnPlatform) -> None:
    """A car, and who may use it."""
    async with connected(own.target) as platform:
        await platform.post("/v1/admin/vehicles", {"vin": cast.VIN, "model": cast.MODEL})
        await add_grant(platform, cast.VIN, cast.OWNER, "all")
