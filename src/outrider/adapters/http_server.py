"""uvicorn as a part of a process that does other things too: it leaves signals alone and stops when it is told."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from outrider.adapters.http_protocol import BoundedHeads
from outrider.common.ports import Address

LEAVE_WITHIN = 3
"""Seconds that a stop gives to requests that are being answered."""


class HttpServer(uvicorn.Server):
    """Serves an ASGI application at an address (port 0: any free one); `address` says which it became."""

    def __init__(self, app: Any, listen: Address) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=BoundedHeads,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=LEAVE_WITHIN,
            )
        )
        self._listening = _bound(listen)
        self.address = Address(listen.host, self._listening.getsockname()[1])

    async def run_here(self) -> None:
        """Serve on this event loop until `leave`."""
        await self.serve(sockets=[self._listening])

    async def leave(self, serving: asyncio.Task[None]) -> None:
        """Stop listening, and answer what was asked."""
        self.should_exit = True
        await asyncio.wait([serving], timeout=LEAVE_WITHIN + 1)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bound(listen: Address) -> socket.socket:
    """A socket that listens. Raises OSError with the address and what to do."""
    try:
        return socket.create_server((listen.host, listen.port), backlog=2048)
    except OSError as error:
        raise OSError(f"can't listen on {listen} ({error.strerror}): choose another address with --listen") from error
