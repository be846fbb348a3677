"""A product that is published and served by a real Envoy, its upstreams, and tokens for it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec

from outrider.common.ports import LOOPBACK, Address, free_ports
from outrider.gateway import envoy
from outrider.gateway.documents import Source
from outrider.gateway.environment import Backend, Issuer, KeySource, Placement, Upstream
from outrider.gateway.generations import LIVE, state
from outrider.gateway.product import Limit, Limits, Operation, Product
from outrider.gateway.publishing import publish, rollback
from outrider.gateway.reading import Read
from outrider.gateway.release import Release
from outrider.gateway.store import Instance, ProductState, State
from tests.gateway.lawful import declared, document
from tests.gateway.signer import Signer

NAME, ISSUER = "charging", "https://issuer.example"
NOW = datetime(2026, 11, 22, 2, 14, 5, tzinfo=UTC)
_ENDLESS = Limit(requests=1_000_000)
PLENTY = Limits(person=_ENDLESS, client=_ENDLESS, product=_ENDLESS)
STATE = Operation(id="getState", method="get", path="/state", public=True)
SESSION = Operation(id="getSession", method="get", path="/sessions/{id}", scopes=(("charging",),))


class Charging:
    """The product under test: its state folder, its upstreams v1 and v2, its issuer, and its gateway's process."""

    def __init__(self, folder: Path, upstreams: dict[str, Address]) -> None:
        self.state = State(folder / "gateways")
        self.product: ProductState = self.state.product(NAME)
        self.port, self.other_port = free_ports(2)
        self.signer, self.jwks = Signer(ISSUER, NAME, "first", "second"), folder / "jwks.json"
        self.signer.publish(self.jwks, "first")
        self._upstreams = upstreams
        self._major = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def instance(self) -> Instance:
        """Its only gateway."""
        return self.product.instance()

    @property
    def pid(self) -> int:
        """The process of its gateway."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """Where its gateway listens."""
        return f"http://{LOOPBACK}:{self.port}"

    def read(
        self,
        *more: Operation,
        versions: tuple[str, ...] = ("v1", "v2"),
        audiences: tuple[str, ...] = (NAME,),
        issuer: str = ISSUER,
        listen: int | None = None,
        **product: Any,
    ) -> Read:
        """Its folder as it was read, with more operations or other settings."""
        placement = Placement(
            environment="test",
            listen=Address(LOOPBACK, listen or self.port),
            issuer=Issuer(issuer=issuer, jwks=KeySource(file=str(self.jwks))),
            versions={name: Backend(upstreams=(Upstream(address=self._upstreams[name]),)) for name in versions},
        )
        settings = {"name": NAME, "owner": "a team", "versions": versions, "audiences": audiences, "limits": PLENTY}
        operations = (STATE, SESSION, *more)
        return Read(
            product=Product(**{**settings, **product}),
            placement=placement,
            operations=operations,
            folder="products/charging",
            source=self._document(operations),
            declared=declared(NAME),
        )

    def _document(self, operations: tuple[Operation, ...]) -> Source:
        """Each time a new major version, so that a test may leave out what was there before."""
        self._major += 1
        return document(operations, name=NAME, version=f"{self._major}.0.0")

    def read_public(self, *operations: Operation) -> Read:
        """With these operations alone, all of them public, and no issuer."""
        read = self.read()
        placement = msgspec.structs.replace(read.placement, issuer=None)
        source = self._document(operations)
        return msgspec.structs.replace(read, operations=operations, placement=placement, source=source)

    async def publish(self, *more: Operation, split: dict[str, int] | None = None, **settings: Any) -> Release:
        """Publish it so."""
        read = self.read(*more, **settings)
        return await self.publish_read(read, split=split)

    async def publish_read(self, read: Read, split: dict[str, int] | None = None) -> Release:
        """Publish what was read."""
        return await publish(self.state, read, by="ada", reason="because", now=NOW, split=split)

    async def rollback(self, number: int | None = None) -> Release:
        """Take up that release, or the one before."""
        return await rollback(self.product, number, by="bob", now=NOW)

    async def start(self) -> None:
        """Start its gateway; it is ready then."""
        folder = self.instance.folder
        link = folder / "admin.sock"
        link.unlink(missing_ok=True)
        link.symlink_to(envoy.admin_socket(1))
        with (folder / "envoy.log").open("ab") as log:
            self._process = subprocess.Popen(
                envoy.argv(folder, 1), cwd=folder, stdout=log, stderr=log, start_new_session=True
            )
        async with asyncio.timeout(20):
            while await state(self.instance.admin) != LIVE:
                assert self._process.poll() is None, (folder / "envoy.log").read_text()
                await asyncio.sleep(0.01)

    def ended(self, within: float = 5.0) -> bool:
        """Has its gateway ended by itself?"""
        assert self._process is not None
        return self._process.wait(within) is not None

    def stop(self) -> None:
        """End its gateway, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def bearer(self, key: str = "first") -> dict[str, str]:
        """The header with a token that is signed with this key."""
        return self.signer.bearer(key, "charging")

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask its gateway, on a new connection."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            return await client.get(self.url + path, headers=headers)

    def on_disk(self) -> dict[str, bytes]:
        """Every file that is kept of it, but logs and sockets, by its path."""
        files = (path for path in self.product.folder.rglob("*") if path.is_file() and path.suffix != ".log")
        return {str(path.relative_to(self.product.folder)): path.read_bytes() for path in files}


@asynccontextmanager
async def charging(folder: Path) -> AsyncIterator[Charging]:
    """The product under test, not published yet; two upstreams that answer with their names."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(partial(_Upstream, name), LOOPBACK, 0) for name in ("v1", "v2")]
    found = [Address(LOOPBACK, server.sockets[0].getsockname()[1]) for server in servers]
    product = Charging(folder, dict(zip(("v1", "v2", "v3"), [*found, found[0]], strict=True)))
    try:
        yield product
    finally:
        product.stop()
        for server in servers:
            server.close()


class _Upstream(asyncio.Protocol):
    """Answers each request that has no body with its name."""

    def __init__(self, name: str) -> None:
        self._answer = f"HTTP/1.1 200 OK\r\ncontent-length: {len(name)}\r\n\r\n{name}".encode()
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *asked, self._asked = (self._asked + data).split(b"\r\n\r\n")
        self._transport.write(self._answer * len(asked))


def publish_until(changes: int, state: Path, read: Read) -> None:
    """Publish in this process, and kill it as soon as so many files in the state folder were changed."""
    left = [changes]

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.link", "os.remove") and str(state) in str(args[0]):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    sys.addaudithook(watch)
    asyncio.run(publish(State(state), read, by="ada", now=NOW))
