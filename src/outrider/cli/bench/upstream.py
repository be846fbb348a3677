"""What stands behind the gateways that are measured: answers every request at once, with 200 and a little JSON.

    python -m outrider.cli.bench.upstream HOST:PORT

It reads no bodies and looks at no paths: its own time must be as little as possible of what is measured.
"""

import asyncio
import sys
from typing import cast

from outrider.cli.attached import end_with_input
from outrider.cli.foreground import loop_factory
from outrider.common.ports import Address

_HEAD_ENDS = b"\r\n\r\n"
_BODY = b'{"station":"SV-0417","state":"available","power_kw":150,"price":{"amount":49,"currency":"EUR"}}'
_ANSWER = b"\r\n".join(
    (b"HTTP/1.1 200 OK", b"content-type: application/json", b"content-length: %d" % len(_BODY), b"", _BODY)
)


class Answers(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name

    def data_received(self, data: bytes) -> None:
        *heads, self._rest = (self._rest + data).split(_HEAD_ENDS)
        if heads and self._transport is not None:
            self._transport.write(_ANSWER * len(heads))


async def serve(listen: Address) -> None:
    """Serve there until the process ends; it does with its input."""
    server = await asyncio.get_running_loop().create_server(Answers, listen.host, listen.port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    end_with_input()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(Address.parse(sys.argv[1])))
