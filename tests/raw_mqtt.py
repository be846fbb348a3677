"""The smallest MQTT 3.1.1 client that can misbehave: byte for byte, one packet at a time, cut off at will."""

import asyncio
import ssl
import struct
from typing import Self

from outrider.common.ports import Address

REFUSED_SUBSCRIPTION = 0x80
NOT_AUTHORISED = 5


class RawMqtt:
    """One connection. `accepted` is the return code of CONNACK: 0 is yes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.accepted = -1

    @classmethod
    async def connect(
        cls,
        to: Address,
        client_id: str,
        user: str = "",
        password: str = "",
        will: tuple[str, bytes] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        self = cls(*await asyncio.open_connection(to.host, to.port, ssl=tls))
        flags = 2 | (0x80 if user else 0) | (0x40 if password else 0) | (0x0C if will else 0)
        fields = [client_id.encode(), *((will[0].encode(), will[1]) if will else ())]
        fields += [text.encode() for text in (user, password) if text]
        head = _field(b"MQTT") + bytes([4, flags]) + struct.pack("!H", 60)
        self.writer.write(_packet(0x10, head + b"".join(map(_field, fields))))
        _, body = await self.packet()
        self.accepted = body[1]
        return self

    async def packet(self) -> tuple[int, bytes]:
        """The next packet, raw; IncompleteReadError when the server hangs up."""
        kind, length, shift = (await self.reader.readexactly(1))[0], 0, 0
        while True:
            byte = (await self.reader.readexactly(1))[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return kind, await self.reader.readexactly(length)

    async def subscribe(self, topic: str, qos: int = 0) -> int:
        """The return code of SUBACK."""
        self.writer.write(_packet(0x82, b"\0\1" + _field(topic.encode()) + bytes([qos])))
        _, body = await self.packet()
        return body[2]

    async def publish(self, topic: str, payload: bytes) -> None:
        """At QoS 1; returns when PUBACK came."""
        self.writer.write(_packet(0x32, _field(topic.encode()) + b"\0\7" + payload))
        kind, _ = await self.packet()
        assert kind == 0x40

    async def message(self) -> bytes:
        """The payload of the next message, which came at QoS 0."""
        kind, body = await self.packet()
        assert kind == 0x30
        return body[2 + struct.unpack("!H", body[:2])[0] :]

    async def ended(self, within: float = 3.0) -> bool:
        """Does the server hang up?"""
        try:
            async with asyncio.timeout(within):
                await self.packet()
        except asyncio.IncompleteReadError:
            return True
        except TimeoutError:
            pass
        return False

    def disconnect(self) -> None:
        """Leave in order: no will is published."""
        self.writer.write(b"\xe0\0")
        self.writer.close()

    def cut(self) -> None:
        """As if the power went."""
        self.writer.transport.abort()


def _field(content: bytes) -> bytes:
    return struct.pack("!H", len(content)) + content


def _packet(head: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        rest, byte = divmod(rest, 128)
        length.append(byte | (0x80 if rest else 0))
        if not rest:
            return bytes([head]) + bytes(length) + body
