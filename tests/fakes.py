"""Stand-ins for the pure edges: a bus that keeps what it was given, a stream to read from, a link, a clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from outrider.domain.messages import Change, DeadLetter, Dispatch, Fact

NotReachable = Callable[[str, str, int], Awaitable[None]]


class Clock:
    """Time as a value that the test moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeBus:
    """Keeps what it was given, each fact once; while `fails`, it takes nothing. `hears` is given each fact."""

    def __init__(self, clock: Clock, hears: Callable[[Fact], Awaitable[None]] | None = None) -> None:
        self.connected = True
        self.hears = hears
        self.watches: list[FakeWatch] = []
        self._clock = clock
        self.fails = False
        self.told: dict[str, list[Fact]] = {}
        self.dispatched: list[Dispatch] = []
        self.announced: list[Change] = []
        self.buried: list[DeadLetter] = []

    @property
    def facts(self) -> list[Fact]:
        """What was told, in order."""
        return [fact for facts in self.told.values() for fact in facts]

    async def tell(self, message_id: str, facts: Sequence[Fact]) -> None:
        new = [] if message_id in self.told else self._taken(facts)
        self.told.setdefault(message_id, new)
        if self.hears:
            for fact in new:
                await self.hears(fact)

    async def hint(self, message_id: str, fact: Fact) -> None:
        await self.tell(message_id, [fact])

    async def dispatch(self, dispatches: Iterable[Dispatch]) -> None:
        self.dispatched += self._taken(dispatches)

    async def announce(self, changes: Iterable[Change]) -> None:
        news = self._taken(changes)
        self.announced += news
        for watch in self.watches:
            watch.news.update({change.command.vin: True for change in news})

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        self.buried += self._taken(letters)

    def _taken(self, things: Iterable[Any]) -> list[Any]:
        if self.fails:
            raise ConnectionError("the bus is down")
        return list(things)

    def watch(self, vin: str) -> "FakeWatch":
        self.watches.append(FakeWatch(vin, self._clock))
        return self.watches[-1]


class FakeWatch:
    """Hears of one vehicle. Where no news comes, the time that it would have waited passes on the test's clock."""

    def __init__(self, vin: str, clock: Clock) -> None:
        self.vin = vin
        self.news: dict[str, bool] = {}
        self._clock = clock

    async def __aenter__(self) -> "FakeWatch":
        return self

    async def __aexit__(self, *error: object) -> None:
        self.news = {}

    async def next(self, timeout: float) -> None:
        for _ in range(20):
            if self.news.pop(self.vin, False):
                return
            await asyncio.sleep(0.005)
        self._clock.now += timeout


class FakeStream:
    """Where the streams end, and how far each service has read them."""

    def __init__(self) -> None:
        self.server_id = "broker-1"
        self.ends = {"UPLINK": 0, "FACTS": 0}
        self.read = {"incoming": 0, "processing": 0}
        self.asked = 0

    async def end_of(self, stream: str) -> int:
        return self.ends[stream]

    async def read_up_to(self, consumer: str) -> int:
        self.asked += 1
        return self.read[consumer]


class Message(NamedTuple):
    """What a reader gives."""

    subject: str
    data: bytes
    at: float = 0.0
    seq: int = 0


class FakeReader:
    """Gives the batches that the test puts in; one that was not acknowledged comes again."""

    def __init__(self, on_ack: Callable[[], None] = lambda: None) -> None:
        self.acked: list[Message] = []
        self.given = 0
        self._coming: asyncio.Queue[Sequence[Message]] = asyncio.Queue()
        self._dealt_with = asyncio.Event()
        self._on_ack = on_ack

    async def put(self, *batch: Message) -> None:
        """Give a batch and wait until it is dealt with."""
        self._dealt_with.clear()
        self._coming.put_nowait(batch)
        async with asyncio.timeout(5):
            await self._dealt_with.wait()

    async def batches(self) -> AsyncIterator[Sequence[Message]]:
        while True:
            batch = await self._coming.get()
            before = len(self.acked)
            self.given += 1
            yield batch
            if len(self.acked) == before:
                await asyncio.sleep(0.01)
                self._coming.put_nowait(batch)
            else:
                self._dealt_with.set()

    async def ack(self, messages: Iterable[Message]) -> None:
        self._on_ack()
        self.acked += messages


class FakeLink:
    """Keeps what it was asked to send; who is in `absent` is not reachable."""

    def __init__(self, on_send: Callable[[], None] = lambda: None) -> None:
        self.sent: list[Dispatch] = []
        self.absent: set[str] = set()
        self.fails = False
        self._on_send = on_send

    async def start(self, not_reachable: NotReachable) -> None:
        self._not_reachable = not_reachable

    async def send(self, dispatch: Dispatch) -> None:
        self._on_send()
        if self.fails:
            raise ConnectionError("the link is down")
        if dispatch.vin in self.absent:
            await self._not_reachable(dispatch.vin, dispatch.command_id, dispatch.attempt)
        else:
            self.sent.append(dispatch)


async def until(true: Callable[[], Any], within: float = 5.0) -> None:
    """Wait until something is true; fail if it does not become so."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)
