"""Several published products, all with one upstream, for tests of running their gateways."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from outrider.common.ports import LOOPBACK, Address, free_ports
from outrider.gateway.environment import Backend, Placement, Upstream
from outrider.gateway.product import Operation, Product
from outrider.gateway.publishing import publish
from outrider.gateway.reading import Read
from outrider.gateway.release import Release
from outrider.gateway.store import ProductState, State
from tests.gateway.lawful import declared, document
from tests.gateway.published import NOW, PLENTY

OPERATIONS = (
    Operation(id="getState", method="get", path="/state", public=True),
    Operation(id="getSlowly", method="get", path="/slowly", public=True),
    Operation(id="watch", method="get", path="/watch", public=True, streams=True),
    Operation(id="hear", method="get", path="/hear", public=True, streams=True),
)


class Several:
    """The products under test, by name, and their state folder."""

    def __init__(self, folder: Path, upstream: Address, names: tuple[str, ...]) -> None:
        self.state = State(folder / "gateways")
        self.names = names
        *ports, self.spare = free_ports(len(names) + 1)
        self.ports = dict(zip(names, ports, strict=True))
        self._upstream = upstream

    def product(self, name: str) -> ProductState:
        """What is kept of one."""
        return self.state.product(name)

    def url(self, name: str, path: str = "/state") -> str:
        """Where its gateway serves a path: `/state` at once, `/slowly` after a while, `/watch` as a stream without an
        end, `/hear` as one of ten events.
        """
        return f"http://{LOOPBACK}:{self.ports[name]}{path}"

    async def publish(self, name: str, **placed: object) -> Release:
        """Publish one, with other settings of where it runs."""
        settings = {
            "environment": "test",
            "listen": Address(LOOPBACK, self.ports[name]),
            "versions": {"v1": Backend(upstreams=(Upstream(address=self._upstream),))},
        }
        read = Read(
            product=Product(
                name=name,
                owner="a team",
                versions=("v1",),
                audiences=(name,),
                limits=PLENTY,
            ),
            placement=Placement(**{**settings, **placed}),  # type: ignore[arg-type]
            operations=OPERATIONS,
            folder=f"products/{name}",
            source=document(OPERATIONS, name=name),
            declared=declared(name),
        )
        return await publish(self.state, read, by="ada", now=NOW)


@asynccontextmanager
async def several(folder: Path, *names: str, slowly: float = 0.5) -> AsyncIterator[Several]:
    """These products, published, and their upstream, which takes so many seconds where it is slow."""
    server = await asyncio.start_server(lambda r, w: _answer(r, w, slowly), LOOPBACK, 0, backlog=1000)
    products = Several(folder, Address(LOOPBACK, server.sockets[0].getsockname()[1]), names)
    try:
        for name in names:
            await products.publish(name)
        yield products
    finally:
        server.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, slowly: float) -> None:
    """Requests without a body, one after the other."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if b"/slowly " in head:
                await asyncio.sleep(slowly)
            if b"/watch " in head or b"/hear " in head:
                await _stream(writer, 10 if b"/hear " in head else 2**30)
                continue
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _stream(writer: asyncio.StreamWriter, events: int) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(events):
        writer.write(b"a\r\ndata: on\n\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)
    writer.write(b"0\r\n\r\n")
