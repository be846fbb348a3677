"""Products that exist only to be measured: one operation with a token and a scope, limits beyond any load, a log.

Each is what a team's product is, so that what is measured is what a team gets; only the upstream is shared.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from outrider.adapters.dev_key import AUDIENCE, ISSUER, JWKS_FILE, make_dev_key, mint
from outrider.cli.bench.http_load import Request
from outrider.cli.gateway.own import Own
from outrider.cli.stage import child
from outrider.common.ports import LOOPBACK, Address, free_ports
from outrider.gateway.publishing import publish
from outrider.gateway.reading import read_product

SCOPE, PERSON = "stations:read", "bench"
_BEYOND_ANY_LOAD = {"requests": 1_000_000}


class Generated:
    """So many products in a folder, where each will listen, and their upstream; nothing runs yet."""

    def __init__(self, folder: Path, count: int) -> None:
        upstream, *ports = (Address(LOOPBACK, port) for port in free_ports(1 + 2 * count))
        names = [f"bench-{number:03}" for number in range(1, count + 1)]
        folder.chmod(0o711)  # each gateway may be a user of its own, and has to get to its files
        self.folder = folder
        self.upstream = upstream
        self.listens = dict(zip(names, ports[:count], strict=True))
        stats = dict(zip(names, ports[count:], strict=True))
        make_dev_key(folder / "keys")
        for name in names:
            product = folder / "products" / name
            product.mkdir(parents=True)
            _write(product / "openapi.yaml", _openapi(name))
            _write(product / "product.yaml", _product(name))
        versions = {"v1": {"upstreams": [f"http://{upstream}"]}}
        placed = {
            name: {"listen": str(at), "stats": str(stats[name]), "versions": versions}
            for name, at in self.listens.items()
        }
        issuer = {"issuer": ISSUER, "jwks": {"file": str(folder / "keys" / JWKS_FILE)}}
        environment = _write(folder / "bench.yaml", {"issuer": issuer, "products": placed})
        self.own = Own(folder / "products", environment, folder / "state", folder / "gateways.log")
        self._token = mint(folder / "keys", PERSON, SCOPE, ttl=86_400)

    def request(self, at: Address) -> Request:
        """What each of them answers, and the upstream too, with a token that they accept (ES256)."""
        url = f"http://{at}/v1/stations/harbour"
        return Request(url, headers={"authorization": f"Bearer {self._token}"}, name="showStation")

    def requests(self) -> list[Request]:
        """One to each, through its own gateway."""
        return [self.request(at) for at in self.listens.values()]

    async def publish(self) -> None:
        """Make the first release of each, as many at once as there are processors."""
        at_once = asyncio.Semaphore(os.cpu_count() or 1)

        async def one(name: str) -> None:
            async with at_once:
                read = read_product(self.own.products / name, self.own.environment)
                await publish(self.own.state, read, by=PERSON, now=datetime.now(UTC))

        await asyncio.gather(*map(one, self.listens))

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """The upstream runs, until the block ends."""
        argv = ("-m", "outrider.cli.bench.upstream", str(self.upstream))
        async with child(argv, self.folder / "upstream.log", talks=True):
            yield


def _openapi(name: str) -> dict[str, Any]:
    station = {"name": "station", "in": "path", "required": True, "schema": {"type": "string"}}
    show = {"operationId": "showStation", "security": [{"token": [SCOPE]}], "parameters": [station]}
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1.0.0", "contact": {"name": "bench", "email": "bench@example.com"}},
        "paths": {"/v1/stations/{station}": {"get": {**show, "responses": {"200": {"description": "The station."}}}}},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}},
    }


def _product(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "owner": "bench",
        "versions": ["v1"],
        "audiences": [AUDIENCE],
        "limits": {"person": _BEYOND_ANY_LOAD, "product": _BEYOND_ANY_LOAD},
        "health": {"path": "/healthz"},
    }


def _write(file: Path, value: Any) -> Path:
    """JSON is YAML."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(value)))
    return file
