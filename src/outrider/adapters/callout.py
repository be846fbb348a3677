"""NATS auth callout: the server asks in a signed JWT whether a client may connect, and is answered in one.

Only this module knows those JWTs (nats-io/nats-architecture-and-design, ADR-26), and how a connection is ended through
the system account. Any number of processes may do this side by side: they share a queue group.
"""

import asyncio
import base64
import random
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import nats
import nats.errors
import nkeys
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from outrider.adapters.nats_client import flushed
from outrider.adapters.nats_config import ADMISSION_WITHIN, END_CONNECTION, FIND_CONNECTIONS, REVOKED, NatsKeys
from outrider.domain.registry import VIN
from outrider.services.admission import Admitted, Knock, Lookup, Reason, Refused, admit, seconds_admitted, shown

log = structlog.get_logger(__name__)

ACCOUNT = "OUTRIDER"
_LOOKUP_WITHIN = 2.0
_REPLIES_WITHIN = 0.5
"""Seconds in which every server of a cluster has said which connections of a vehicle it holds."""


class _ConnectOpts(msgspec.Struct):
    user: str = ""
    password: str = msgspec.field(name="pass", default="")


class _ClientInfo(msgspec.Struct):
    type: str = ""
    mqtt_id: str = ""


class _ServerId(msgspec.Struct):
    id: str


class _Ask(msgspec.Struct):
    server_id: _ServerId
    user_nkey: str
    client_info: _ClientInfo
    connect_opts: _ConnectOpts


class _AskClaims(msgspec.Struct):
    nats: _Ask
    exp: int


class _Connection(msgspec.Struct):
    cid: int
    account: str = ""


class _Connections(msgspec.Struct):
    server_id: str
    connections: list[_Connection]


class _ConnectionsReply(msgspec.Struct):
    data: _Connections


@asynccontextmanager
async def answering(url: str, keys: NatsKeys, lookup: Lookup) -> AsyncIterator[None]:
    """Inside, every server of this NATS has its questions answered."""
    connection = await nats.connect(
        url,
        user="admission",
        password=keys.admission,
        name="admission",
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.1,  # vehicles are back as soon as the server is, and each is refused while we are not
        error_cb=_troubled,
    )
    callout = _Callout(connection, keys, lookup)
    try:
        await connection.subscribe("$SYS.REQ.USER.AUTH", queue="admission", cb=callout.on_ask)
        await connection.subscribe(f"{REVOKED}.*", queue="admission", cb=callout.on_revoked)
        await flushed(connection)
        yield
    finally:
        await callout.close()
        await connection.close()


async def disconnect(connection: Client, vin: str) -> int:
    """End the live connections of a vehicle, on whatever server; how many there were. Its will is published.

    `connection` is the admission user's, who alone may ask this of the servers.
    """
    inbox = connection.new_inbox()
    replies = await connection.subscribe(inbox)
    await connection.publish(FIND_CONNECTIONS, msgspec.json.encode({"mqtt_client": vin, "auth": True}), reply=inbox)
    ended = 0
    try:
        async for held in _until_silence(replies):
            found = msgspec.json.decode(held.data, type=_ConnectionsReply).data
            for client in found.connections:
                if client.account == ACCOUNT:  # elsewhere on a shared NATS the same client id is someone else's
                    kick = msgspec.json.encode({"cid": client.cid})
                    await connection.request(f"{END_CONNECTION}.{found.server_id}", kick, timeout=2)
                    ended += 1
        return ended
    finally:
        await replies.unsubscribe()


async def _until_silence(replies: Subscription) -> AsyncIterator[Msg]:
    with suppress(nats.errors.TimeoutError):
        while True:
            yield await replies.next_msg(timeout=_REPLIES_WITHIN)


class _Callout:
    """What one admission process does with what it is asked."""

    def __init__(self, connection: Client, keys: NatsKeys, lookup: Lookup) -> None:
        self._connection = connection
        self._signer = nkeys.from_seed(keys.issuer_seed.encode())
        self._issuer = keys.issuer
        self._lookup = lookup
        self._under_way: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def on_ask(self, message: Msg) -> None:
        """Answer one question. Whatever goes wrong refuses this client and harms no other."""
        try:
            claims = msgspec.json.decode(_unpadded(message.data.split(b".")[1]), type=_AskClaims)
            # After a storm the oldest have given up already: answering them would make the next ones too late as well.
            if claims.exp > time.time():
                verdict = await self._verdict(claims.nats)
                await message.respond(self._answer(claims.nats, verdict))
        except Exception as error:  # silence refuses, after the server's patience
            log.error("admission_failed", error=type(error).__name__)  # its text might hold what the client sent

    async def on_revoked(self, message: Msg) -> None:
        """A credential is void. Done aside, so that the next one need not wait."""
        task = asyncio.create_task(self._put_out(message))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _put_out(self, message: Msg) -> None:
        """End the vehicle's connection now, and later one that was just being let in."""
        vin = message.subject.rpartition(".")[2]
        if not VIN.fullmatch(vin):  # nobody's: whoever asks wants to know whether we are there
            await message.respond(msgspec.json.encode({"ended": 0}))
            return
        await message.respond(msgspec.json.encode({"ended": await self._disconnect(vin)}))
        await asyncio.sleep(ADMISSION_WITHIN)
        await self._disconnect(vin)

    async def _disconnect(self, vin: str) -> int | None:
        """How many connections were ended; None: that is not known."""
        try:
            ended = await disconnect(self._connection, vin)
        except Exception as error:
            log.error("disconnect_failed", vehicle=shown(vin), error=type(error).__name__)
            return None
        log.info("disconnected", vehicle=shown(vin), connections=ended)
        return ended

    async def _verdict(self, ask: _Ask) -> Admitted | Refused:
        knock = Knock(
            protocol=ask.client_info.type,
            client_id=ask.client_info.mqtt_id,
            user=ask.connect_opts.user,
            password=ask.connect_opts.password,
        )
        try:
            async with asyncio.timeout(_LOOKUP_WITHIN):
                verdict = await admit(knock, self._lookup)
        except Exception as error:
            log.error("admission_failed", vehicle=shown(knock.user), error=type(error).__name__)
            verdict = Refused(Reason.FAILURE)
        if isinstance(verdict, Refused):
            log.warning("refused", vehicle=shown(knock.user), reason=verdict.reason)
        return verdict

    def _answer(self, ask: _Ask, verdict: Admitted | Refused) -> bytes:
        body: dict[str, Any] = {"type": "authorization_response", "version": 2}
        match verdict:
            case Refused():
                body["error"] = "not admitted"
            case Admitted():
                body["jwt"] = self._signed(
                    ask.user_nkey,
                    ACCOUNT,
                    {
                        "type": "user",
                        "version": 2,
                        # -1: no limit. The MQTT gateway does not look at these three (2.15.1), 0 would refuse all.
                        "subs": -1,
                        "data": -1,
                        "payload": -1,
                        "allowed_connection_types": ["MQTT"],
                        "pub": {"allow": verdict.publishes},
                        "sub": {"allow": verdict.subscribes},
                    },
                    name=verdict.vin,
                    exp=int(time.time()) + seconds_admitted(random.random()),  # noqa: S311 - spread, not secrecy
                ).decode()
        return self._signed(ask.user_nkey, ask.server_id.id, body)

    def _signed(self, subject: str, audience: str, body: dict[str, Any], **claims: str | int) -> bytes:
        claims |= {"iss": self._issuer, "sub": subject, "aud": audience}
        claims |= {"iat": int(time.time()), "jti": secrets.token_hex(8)}
        text = _HEADER + b"." + _base64(msgspec.json.encode({**claims, "nats": body}))
        return text + b"." + _base64(self._signer.sign(text))


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _unpadded(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


_HEADER = _base64(b'{"typ":"JWT","alg":"ed25519-nkey"}')


async def _troubled(error: Exception) -> None:
    log.warning("nats_trouble", error=str(error) or type(error).__name__)
