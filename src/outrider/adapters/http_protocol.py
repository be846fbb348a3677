"""How much of a request's head is kept, and for how long it is waited for; uvicorn's own protocol bounds neither.

A parser keeps a head until it is complete, and no token is looked at before. So the bytes that came and led to nothing
are counted; they are also the trailers of a chunked body and the extensions of its chunks. What a packet costs here is
an addition and a comparison; a timer is only set where a head comes in several packets.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from outrider.adapters.api.problem import document_of
from outrider.adapters.api.trace import trace_of
from outrider.common import problems
from outrider.domain.errors import HeadTooLarge, HeadTooSlow, OutriderError

LARGEST_HEAD = 64 * 1024
"""Bytes of a request line and its headers. One that begins in the packet of another request may have twice as many."""

HEAD_WITHIN = 10.0
"""Seconds from the connection, or on a kept one from the first byte, to the end of the head."""

HEARD_WITHIN = 1.0
"""Seconds that a refused client has to read why. What it sends meanwhile is read and forgotten: closing on unread bytes
would take the answer from it."""


class BoundedHeads(HttpToolsProtocol):
    """HTTP/1.1 on one connection, which is closed with an answer if a head is too large (431) or too slow (408)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unused = 0  # bytes since something was complete
        self._in_head = self._in_body = self._refused = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        while data and not (self._refused or self.transport.is_closing()):
            room = LARGEST_HEAD - self._unused
            self._feed(data[:room])
            data = data[room:]

    def _feed(self, data: bytes) -> None:
        self._unused += len(data)
        super().data_received(data)
        if self._unused >= LARGEST_HEAD:
            self._refuse(HeadTooLarge(f"The request line and the headers may have {LARGEST_HEAD} bytes together."))
        elif (self._in_head or self._unused) and not self._in_body and self._timer is None:
            self._set_timer()

    # called by the parser

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body, self._unused = False, True, 0
        if self._timer is not None:
            self._cancel_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unused = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body, self._unused = False, 0
        super().on_message_complete()

    # too large, too slow

    def _set_timer(self) -> None:
        self._timer = self.loop.call_later(HEAD_WITHIN, self._overdue)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _overdue(self) -> None:
        if self._is_answering():
            self._set_timer()  # until then the head's rest may not even be read
        elif self.cycle is None and not self._unused:
            self.transport.close()  # never said a word
        else:
            self._refuse(HeadTooSlow(f"Send the request line and the headers within {HEAD_WITHIN:g} s."))

    def _refuse(self, error: OutriderError) -> None:
        """Answer what can still be answered, read nothing more, and close."""
        if self.transport.is_closing():
            return
        self._cancel_timer()
        self._refused = True
        if self._in_body:
            self.transport.close()  # endless trailers: whoever reads the body learns that the client is gone
        elif self._is_answering():
            self.cycle.keep_alive = False  # our answer would be taken for the one that is awaited
        else:
            self.transport.write(_answer(error))
            self.transport.write_eof()
            self._timer = self.loop.call_later(HEARD_WITHIN, self.transport.close)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


class BehindGateway(BoundedHeads):
    """The same for a gateway's connections. It may open one in advance, so a first byte is waited for without end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._cancel_timer()


def _answer(error: OutriderError) -> bytes:
    """A whole response that says what went wrong and that the connection ends."""
    body = document_of(error, trace_of(None))
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
        f"content-type: {problems.MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
