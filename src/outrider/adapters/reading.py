"""Reading from JetStream: a pull that stays open, and a watch on one vehicle's news."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, Self

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

MOST_AT_ONCE = 500
PULL_FOR = 5.0
"""Seconds for which a pull stays open before it is asked for anew."""


class Received(NamedTuple):
    """A message from a stream. `at`: when the broker had it, seconds since 1970 UTC; `seq`: its place in the stream."""

    subject: str
    data: bytes
    at: float
    seq: int
    reply: str


class Pull:
    """An open pull on a consumer: what arrives gathers until it is taken, so a batch is what is there now."""

    def __init__(self, client: Client, stream: str, consumer: str, gone: Callable[[], None] = lambda: None) -> None:
        """`gone` is called when there seems to be no such consumer."""
        self._nc = client
        self._gone = gone
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._gathered: list[Received] = []
        self._news = asyncio.Event()
        self._asked = 0
        self._request = msgspec.json.encode({"batch": MOST_AT_ONCE, "expires": int(PULL_FOR * 1e9)})

    async def batches(self) -> AsyncIterator[list[Received]]:
        """Batches of what is there, for ever; ends when the task is cancelled, and then takes no more."""
        self._subscription = await self._nc.subscribe(
            self._inbox, cb=self._on_message, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        try:
            async for batch in self._open():
                yield batch
        finally:
            subscription, self._subscription = self._subscription, None
            with suppress(Exception):
                await subscription.unsubscribe()

    async def _open(self) -> AsyncIterator[list[Received]]:
        """Keep a pull open, and give what gathered."""
        while True:
            if self._asked <= 0:
                await self.ask_anew()
            try:
                await asyncio.wait_for(self._news.wait(), PULL_FOR + 1)
            except TimeoutError:
                self._asked = 0  # neither news nor an end of the pull: it was lost on the way
            self._news.clear()
            if self._gathered:
                batch, self._gathered = self._gathered[:MOST_AT_ONCE], self._gathered[MOST_AT_ONCE:]
                if self._gathered:
                    self._news.set()
                yield batch

    async def ack(self, messages: Iterable[Received]) -> None:
        """Say that these are dealt with (law 13: each one)."""
        for message in messages:
            await self._nc.publish(message.reply, b"+ACK")

    async def ask_anew(self) -> None:
        """Open the pull; also after a reconnect, for the server forgot it."""
        if self._subscription is not None and self._nc.is_connected:
            self._asked = MOST_AT_ONCE
            await self._nc.publish(self._subject, self._request, reply=self._inbox)

    async def _on_message(self, message: Msg) -> None:
        if message.reply:
            seq, at = _place(message.reply)
            self._gathered.append(Received(message.subject, message.data, at, seq, message.reply))
            self._asked -= 1
        else:  # a status: the pull has ended (expired, consumer gone, server going down)
            self._asked = 0
            if message.header and message.header.get("Status") not in ("404", "408"):
                self._gone()
                await asyncio.sleep(0.1)
        self._news.set()


class VehicleWatch:
    """Wakes up when something is announced for a vehicle."""

    def __init__(self, client: Client, subject: str) -> None:
        self._nc = client
        self._subject = subject
        self._news = asyncio.Event()
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._nc.subscribe(self._subject, cb=self._on_message)
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._subscription is not None:
            with suppress(Exception):
                await self._subscription.unsubscribe()

    async def next(self, timeout: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), timeout)
        self._news.clear()

    async def _on_message(self, message: Msg) -> None:
        self._news.set()


def _place(reply: str) -> tuple[int, float]:
    """A message's place in its stream and the time when it was stored, from its ack subject.

    `$JS.ACK.stream.consumer.delivered.seq.consumer_seq.nanoseconds.pending`, or with a domain and an account before the
    stream and a token after (ADR-15 of NATS).
    """
    tokens = reply.split(".")
    first = 2 if len(tokens) == 9 else 4
    return int(tokens[first + 3]), int(tokens[first + 5]) / 1e9
