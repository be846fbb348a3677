"""The bus on NATS JetStream: the connection, and publishing many messages with one confirmation.

nats-py carries the connection. Which streams there are stands in `streams.py`, how they are read in `reading.py`.
"""

import asyncio
import itertools
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Self

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import api
from nats.js.errors import APIError, NotFoundError

from outrider.adapters import wire
from outrider.adapters.reading import Pull, VehicleWatch
from outrider.adapters.streams import ACK_WAIT, CONSUMERS, STREAMS
from outrider.domain.messages import Change, DeadLetter, Dispatch, Fact

log = structlog.get_logger()

STORED_WITHIN = 5.0
"""Seconds after which a publish that nobody confirmed counts as lost."""


class BusUnavailable(Exception):
    """The bus did not confirm in time; what was published may or may not be there."""


class JetStream:
    """One connection to NATS and what the services do with it: fulfils `services.needs.Bus`."""

    def __init__(self, client: Client) -> None:
        self._nc = client
        self._inbox = ""
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._counter = itertools.count()
        self._failing_since: float | None = None
        self._mending: asyncio.Task[None] | None = None
        self._on_loss: list[Callable[[], None]] = []
        self._on_return: list[Callable[[], Awaitable[None]]] = []

    @classmethod
    async def connect(cls, url: str, password: str, name: str, within: float = 15.0) -> Self:
        """Connect (retrying quietly for so many seconds, the server may be starting) and make sure of the streams.

        Raises ConnectionError, which says where and why. Once connected, it comes back however long the server is away.
        """
        client = Client()
        bus = cls(client)
        trouble: dict[str, Exception] = {}

        async def on_error(error: Exception) -> None:
            if bus._inbox:
                await _on_error(error)
            else:
                trouble.setdefault(str(error), error)

        try:
            async with asyncio.timeout(within):
                await client.connect(
                    _checked(url),
                    user="outrider",
                    password=password,
                    name=f"outrider-{name}",
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.2,  # type: ignore[arg-type]  # seconds, and a fraction works
                    pending_size=64 * 1024 * 1024,
                    disconnected_cb=bus._on_disconnect,
                    reconnected_cb=bus._on_reconnect,
                    error_cb=on_error,
                    ping_interval=2,  # a server that hangs is noticed within 6 s
                )
                await bus._on_connect()
        except BaseException as error:
            with suppress(Exception):
                await asyncio.wait_for(client.close(), 3)
            if not isinstance(error, nats.errors.Error | OSError):
                raise
            # A refused password is the reason, whatever else happened to the connection afterwards.
            refused = next((each for text, each in trouble.items() if "uthorization" in text), None)
            last = error if bus._inbox or not trouble else [*trouble.values()][-1]
            raise ConnectionError(_no_bus(url, refused or last)) from error
        return bus

    async def close(self) -> None:
        with suppress(Exception):
            await asyncio.wait_for(self._nc.drain(), 3)

    @property
    def connected(self) -> bool:
        return self._nc.is_connected

    @property
    def failing_for(self) -> float:
        """Seconds since when nothing could be stored although the connection stands, as after a disk was full."""
        return 0.0 if self._failing_since is None else time.monotonic() - self._failing_since

    @property
    def client(self) -> Client:
        """The connection itself, for the link."""
        return self._nc

    @property
    def server_id(self) -> str:
        """Another id means another server process: what it knew of connections is gone."""
        return str(self._nc._server_info.get("server_id", ""))

    def on_disconnect(self, act: Callable[[], None]) -> None:
        """Have something done as soon as the connection is lost."""
        self._on_loss.append(act)

    def on_reconnect(self, act: Callable[[], Awaitable[None]]) -> None:
        """Have something done after each reconnect, once the streams are there again."""
        self._on_return.append(act)

    async def _on_connect(self) -> None:
        self._inbox = self._nc.new_inbox()
        await self._nc.subscribe(f"{self._inbox}.*", cb=self._on_stored, pending_msgs_limit=-1, pending_bytes_limit=-1)
        await self._ensure_streams()

    async def _on_reconnect(self) -> None:
        """A server that was restarted has lost what was in memory only; the streams are made sure of again."""
        log.info("bus_reconnected")
        self._failing_since = None
        for attempt in itertools.count():
            try:
                await self._ensure_streams()
                break
            except Exception as error:
                log.warning("streams_not_ready", attempt=attempt, error=repr(error))
                await asyncio.sleep(0.2)
        for act in self._on_return:
            await act()

    async def _on_disconnect(self) -> None:
        for stored in self._waiting.values():  # nobody will say any more whether they were
            if not stored.done():
                stored.set_exception(BusUnavailable("the connection was lost before it was confirmed"))
        for act in self._on_loss:
            act()

    async def _ensure_streams(self) -> None:
        js = self._nc.jetstream(timeout=5)
        for config in STREAMS:
            try:
                await js.add_stream(config)
            except APIError:
                await js.update_stream(config)
        for name, (stream, deliveries) in CONSUMERS.items():
            await js.add_consumer(
                stream,
                api.ConsumerConfig(
                    durable_name=name,
                    ack_policy=api.AckPolicy.EXPLICIT,
                    ack_wait=ACK_WAIT,
                    max_deliver=deliveries,
                    max_ack_pending=20_000,
                ),
            )

    # ---- publishing

    async def tell(self, message_id: str, facts: Sequence[Fact]) -> None:
        for message in wire.facts_messages(message_id, facts):
            await self._publish([message])

    async def hint(self, message_id: str, fact: Fact) -> None:
        message = wire.fact_message(message_id, fact)
        await self._nc.publish(message.subject, message.data, headers=message.headers)

    async def dispatch(self, dispatches: Iterable[Dispatch]) -> None:
        await self._publish(map(wire.dispatch_message, dispatches))

    async def announce(self, changes: Iterable[Change]) -> None:
        await self._publish(map(wire.change_message, changes))

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        await self._publish(map(wire.letter_message, letters))

    async def _publish(self, messages: Iterable[wire.Message]) -> None:
        """Put messages on one stream, all in flight together. Raises BusUnavailable unless they are stored.

        Only the last one asks for a confirmation: a connection's messages reach their stream in order.
        """
        all_of_them = list(messages)
        if not all_of_them:
            return
        last = all_of_them.pop()
        for message in all_of_them:
            await self._nc.publish(message.subject, message.data, headers=message.headers)
        key = str(next(self._counter))
        stored = self._waiting[key] = asyncio.get_running_loop().create_future()
        try:
            await self._nc.publish(last.subject, last.data, reply=f"{self._inbox}.{key}", headers=last.headers)
            await asyncio.wait_for(stored, STORED_WITHIN)
            self._failing_since = None
        except TimeoutError as error:
            self._failed()
            raise BusUnavailable(f"not confirmed within {STORED_WITHIN:g} s") from error
        except BusUnavailable:
            self._failed()
            raise
        finally:
            self._waiting.pop(key, None)

    def _failed(self) -> None:
        """Something could not be stored: perhaps its stream is gone, so make sure of all of them."""
        if self.connected and self._failing_since is None:
            self._failing_since = time.monotonic()
        self.mend()

    def mend(self) -> None:
        """Make sure of streams and consumers, aside; they may vanish with the server of a cluster that held them."""
        if self.connected and (self._mending is None or self._mending.done()):
            self._mending = asyncio.create_task(self._mend())

    async def _mend(self) -> None:
        try:
            await self._ensure_streams()
        except Exception as error:
            log.warning("streams_not_mended", error=repr(error))

    async def _on_stored(self, message: Msg) -> None:
        future = self._waiting.pop(message.subject.rpartition(".")[2], None)
        if future is None or future.done():
            return
        if not message.data or b'"error"' in message.data:
            future.set_exception(BusUnavailable(message.data.decode() or "no stream takes this subject"))
        else:
            future.set_result(None)

    # ---- reading

    def pull(self, consumer: str) -> Pull:
        """Read a service's stream in batches."""
        pull = Pull(self._nc, CONSUMERS[consumer][0], consumer, self.mend)
        self.on_reconnect(pull.ask_anew)
        return pull

    def watch(self, vin: str) -> VehicleWatch:
        """Hear of changes to one vehicle's commands, while it is entered."""
        return VehicleWatch(self._nc, f"events.command.*.*.*.{vin}")

    async def end_of(self, stream: str) -> int:
        """The last place in a stream as seen now."""
        return (await self._nc.jetstream(timeout=2).stream_info(stream)).state.last_seq

    async def read_up_to(self, consumer: str) -> int:
        """The place in its stream up to which a service has acknowledged everything."""
        info = await self._nc.jetstream(timeout=2).consumer_info(CONSUMERS[consumer][0], consumer)
        if not info.num_pending and not info.num_ack_pending:
            return await self.end_of(CONSUMERS[consumer][0])
        return info.ack_floor.stream_seq if info.ack_floor else 0

    async def letters(self, vin: str | None, limit: int) -> list[DeadLetter]:
        """The latest dead letters, newest first."""
        js = self._nc.jetstream(timeout=5)
        subject = f"deadletter.*.{vin or '*'}"
        subscription = await js.subscribe(subject, ordered_consumer=True)
        found: list[DeadLetter] = []
        try:
            info = await subscription.consumer_info()
            there = (info.num_pending or 0) + (info.delivered.consumer_seq if info.delivered else 0)
            while len(found) < there:
                found.append(wire.read_letter((await subscription.next_msg(timeout=2)).data))
        except (nats.errors.TimeoutError, NotFoundError):
            pass
        finally:
            await subscription.unsubscribe()
        return sorted(found, key=lambda letter: letter.at, reverse=True)[:limit]


def _checked(url: str) -> str:
    """The URL, unless it is one of something else: the client would take `http` for the name of a server."""
    scheme, given, _ = url.partition("://")
    if given and scheme not in ("nats", "tls", "ws", "wss"):
        raise nats.errors.Error("the URL must be nats://HOST:PORT or tls://HOST:PORT")
    return url


def _no_bus(url: str, why: BaseException) -> str:
    """What someone is told who started a service on a NATS that can't be used; never the password in its URL."""
    shown = re.sub(r"^([a-z]+://)?.*@", r"\1", url, flags=re.DOTALL)
    reason = (str(why) or type(why).__name__).removeprefix("nats: ").strip("'")
    return f"no NATS to use at {shown}: {reason}. One must run there as `outrider nats-config` describes it."


async def _on_error(error: Exception) -> None:
    log.warning("bus_error", error=repr(error))
