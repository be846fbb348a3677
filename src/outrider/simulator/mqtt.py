"""MQTT 3.1.1 as a vehicle speaks it: clean session, a will, QoS 0 in, QoS 1 out. This module alone knows the bytes.

Why our own: a fleet wants a fresh will for each connection, to hear of each PUBACK, and its own backoff. gmqtt 0.8
(MIT, maintained) reconnects by itself with the old will and a persistent session, which no public setting turns off,
and tells nobody of a PUBACK; for the same traffic it took 2.2 times the processor and 5 times the memory.
"""

import asyncio
from collections.abc import Callable, Iterator
from struct import pack, unpack_from
from typing import NamedTuple, cast

CONNECT, CONNACK, PUBLISH, PUBACK = 0x10, 0x20, 0x30, 0x40
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 0x82, 0x90, 0xC0, 0xD0, 0xE0
AT_LEAST_ONCE = 0x02
CLEAN_SESSION_WILL_QOS1_USER_PASSWORD = 0xCE
REFUSED_SUBSCRIPTION = 0x80
IDS = 0xFFFF
LARGEST = 64 * 1024
"""Bytes of the largest packet that a vehicle reads; the contract's messages have at most 16 KiB."""

REFUSALS = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker refused the client id",
    3: "the broker is not available",
    4: "wrong user name or password",
    5: "not authorised",
}


class MalformedError(ValueError):
    """The other side does not speak MQTT as the contract has it."""


class RefusedError(ConnectionError):
    """The broker said no to the connection or to the subscription."""


class Packet(NamedTuple):
    """The first byte (type and flags), and what follows the length."""

    head: int
    body: bytes


def _length(size: int) -> bytes:
    """A remaining length, seven bits to the byte."""
    out = bytearray()
    while size > 127:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)


def _text(value: bytes) -> bytes:
    return pack("!H", len(value)) + value


def packet(head: int, body: bytes = b"") -> bytes:
    """A whole packet as it goes on the wire."""
    return bytes((head,)) + _length(len(body)) + body


def connect_packet(client_id: str, password: str, will_topic: bytes, will: bytes, keepalive: int) -> bytes:
    """CONNECT at level 4; the user name is the client id. `keepalive` in seconds."""
    head = pack("!H4sBBH", 4, b"MQTT", 4, CLEAN_SESSION_WILL_QOS1_USER_PASSWORD, keepalive)
    name = client_id.encode()
    return packet(CONNECT, head + b"".join(map(_text, (name, will_topic, will, name, password.encode()))))


def subscribe_packet(packet_id: int, topic: bytes) -> bytes:
    """SUBSCRIBE to one topic at QoS 0."""
    return packet(SUBSCRIBE, pack("!H", packet_id) + _text(topic) + b"\0")


def publish_packet(packet_id: int, topic: bytes, payload: bytes) -> bytes:
    """PUBLISH at QoS 1."""
    return packet(PUBLISH | AT_LEAST_ONCE, _text(topic) + pack("!H", packet_id) + payload)


def read_publish(head: int, body: bytes) -> tuple[bytes, bytes]:
    """Topic and payload of a QoS 0 PUBLISH."""
    if head & 0x06 or len(body) < 2:
        raise MalformedError("a PUBLISH that is not QoS 0")
    end = 2 + cast(int, unpack_from("!H", body)[0])
    return body[2:end], body[end:]


class Reader:
    """Cuts a stream of bytes into packets, however it was chopped."""

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are now whole."""
        data = self._tail + data if self._tail else data
        start, size = 0, len(data)
        while size - start >= 2:
            length, shift, at = 0, 0, start + 1
            while at < size:
                length |= (data[at] & 0x7F) << shift
                shift += 7
                at += 1
                if data[at - 1] < 0x80:
                    break
                if shift == 28:
                    raise MalformedError("a remaining length of more than four bytes")
            else:
                break
            if length > LARGEST:
                raise MalformedError(f"a packet of {length} bytes")
            if at + length > size:
                break
            yield Packet(data[start], data[at : at + length])
            start = at + length
        self._tail = data[start:]


class Connection(asyncio.Protocol):
    """One connection of one vehicle. All callbacks come from the event loop.

    on_message(topic, payload); on_acknowledged(token): the broker has the publish that was given this token.
    `lost` is set once the connection is over.
    """

    def __init__(self, on_message: Callable[[bytes, bytes], None], on_acknowledged: Callable[[object], None]) -> None:
        loop = asyncio.get_running_loop()
        self.lost = asyncio.Event()
        self.unacknowledged: dict[int, object] = {}
        self.heard_at = self.spoke_at = loop.time()
        self._loop = loop
        self._on_message = on_message
        self._on_acknowledged = on_acknowledged
        self._reply: asyncio.Future[bytes] | None = None
        self._settled = asyncio.Event()
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._last_id = 0

    async def open(self, connect: bytes, topic: bytes) -> None:
        """Send CONNECT, then SUBSCRIBE; return when both are granted. Raises `RefusedError`."""
        code = (await self._ask(connect))[1]
        if code:
            raise RefusedError(REFUSALS.get(code, f"CONNACK {code}"))
        if REFUSED_SUBSCRIPTION in (await self._ask(subscribe_packet(self._next_id(), topic)))[2:]:
            raise RefusedError(f"the broker refused the subscription to {topic.decode()}")

    def publish(self, topic: bytes, payload: bytes, token: object = None) -> None:
        """Queue a QoS 1 message; `flush` sends what is queued in one piece.

        A broker that leaves 65,535 messages unacknowledged, all ids that there are, is given up.
        """
        if len(self.unacknowledged) >= IDS:
            self.drop()
            return
        packet_id = self._next_id()
        self.unacknowledged[packet_id] = token
        self._outgoing.append(publish_packet(packet_id, topic, payload))

    def flush(self) -> None:
        """Send what is queued."""
        if self._outgoing and self._transport is not None:
            self._transport.write(b"".join(self._outgoing))
            self._outgoing.clear()
            self.spoke_at = self._loop.time()

    def ping(self) -> None:
        """Ask the broker for a sign of life."""
        self._outgoing.append(packet(PINGREQ))
        self.flush()

    async def settle(self) -> None:
        """Wait until the broker has acknowledged everything, or the connection is gone."""
        self._settled.clear()
        if self.unacknowledged and not self.lost.is_set():
            await self._settled.wait()

    def close(self) -> None:
        """Say goodbye: the broker drops the will."""
        self._outgoing.append(packet(DISCONNECT))
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Cut the wire without a word: the broker publishes the will."""
        if self._transport is not None:
            self._transport.abort()

    async def _ask(self, question: bytes) -> bytes:
        self._reply = self._loop.create_future()
        self._outgoing.append(question)
        self.flush()
        return await self._reply

    def _next_id(self) -> int:
        self._last_id = self._last_id % IDS + 1
        while self._last_id in self.unacknowledged:
            self._last_id = self._last_id % IDS + 1
        return self._last_id

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the wire is there."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the wire is gone. Whoever waits is told."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ConnectionError("the broker closed the connection"))
        self.lost.set()
        self._settled.set()

    def pause_writing(self) -> None:
        """asyncio: the broker does not read. Who cannot speak stops listening, so that nothing piles up."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """asyncio: the broker reads again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        self.heard_at = self._loop.time()
        try:
            for head, body in self._reader.feed(data):
                self._take(head, body)
        except (MalformedError, IndexError):
            self.drop()
        self.flush()

    def _take(self, head: int, body: bytes) -> None:
        kind = head & 0xF0
        if kind == PUBLISH:
            self._on_message(*read_publish(head, body))
        elif kind == PUBACK:
            self._on_acknowledged(self.unacknowledged.pop(body[0] << 8 | body[1], None))
            if not self.unacknowledged:
                self._settled.set()
        elif kind in (CONNACK, SUBACK):
            if len(body) < 2:
                raise MalformedError("a reply without a code")
            if self._reply is not None and not self._reply.done():
                self._reply.set_result(body)
        elif kind != PINGRESP:
            raise MalformedError(f"a packet of type {head:#x}")
