"""uvicorn as a part of a process that does other things too: it leaves signals alone and stops when it is told."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from outrider.adapters.http_protocol import BehindGateway, BoundedHeads
from outrider.common.ports import Address

LEAVE_WITHIN = 3
"""Seconds that a stop gives to requests that are being answered."""
KEEPS_FOR = 5
"""Seconds for which a connection of a client may rest between two requests."""
GATEWAY_KEEPS_FOR = 2 * 3600
"""The same for a gateway's. It is the gateway that closes them: what it sends into a connection that we are about to
close would be lost, and it could not know whether it was done.
"""


class HttpServer(uvicorn.Server):
    """Serves an ASGI application at an address (port 0: any free one); `address` says which it became.

    With `for_gateway` it serves one gateway of this user and no one else: at an address, or at a Unix socket that only
    this user can open.
    """

    def __init__(self, app: Any, listen: Address | Path, *, for_gateway: bool = False) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=BehindGateway if for_gateway else BoundedHeads,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=GATEWAY_KEEPS_FOR if for_gateway else KEEPS_FOR,
                timeout_graceful_shutdown=LEAVE_WITHIN,
            )
        )
        self.address: Address | Path
        if isinstance(listen, Path):
            self._listening, self.address = _bound_to_file(listen), listen
        else:
            self._listening = bound(listen)
            self.address = Address(listen.host, self._listening.getsockname()[1])

    async def run_here(self) -> None:
        """Serve on this event loop until `leave`."""
        await self.serve(sockets=[self._listening])

    async def leave(self, serving: asyncio.Task[None]) -> None:
        """Stop listening, and answer what was asked."""
        self.should_exit = True
        await asyncio.wait([serving], timeout=LEAVE_WITHIN + 1)
        if isinstance(self.address, Path):
            self.address.unlink(missing_ok=True)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bound(listen: Address) -> socket.socket:
    """A socket that listens. Raises OSError with the address and what to do."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(f"can't listen on {listen} ({error.strerror}): choose another address with --listen") from error


def _bound_to_file(file: Path) -> socket.socket:
    """A Unix socket that listens, for this user only. One that a killed process left is replaced."""
    file.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    try:
        mask = os.umask(0o177)  # a mode that is set afterwards comes too late for whoever was quick
        try:
            listening.bind(str(file))
        finally:
            os.umask(mask)
        listening.listen(2048)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise OSError(f"can't listen on {file}: {error.strerror or error}") from error
    return listening
