"""Processing: the brain, and the only one that changes a command's state.

Facts come in batches; each vehicle's are folded over its lane by `domain/deciding.py`, all is kept in one transaction,
then announced, then acknowledged (law 4). A clock loop looks at the lanes whose time has come, but only once the facts
that were already told are read (law 8).
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec
import structlog

from outrider.domain.catalog import Catalog, Quirks
from outrider.domain.deciding import Decision, fold
from outrider.domain.lane import Command, Lane
from outrider.domain.lifecycle import SETTLED
from outrider.domain.messages import AnyFact, DeadLetter, TimePassed
from outrider.services.needs import Bus, LaneStore, Reader, StoreUnavailable

log = structlog.get_logger()

LOOK_EVERY = 0.1
SLEPT = 2.0
"""Seconds without a look that mean that this process was stopped: facts came meanwhile, and are read first (law 8)."""
LOOK_AT_ONCE = 500
STANDS_STILL_AFTER = 3.5
"""Seconds without progress after which deadlines count although facts may be unread: the promise is 5 s (law 1)."""
LEFT_ALONE_FOR = 60.0
"""Seconds for which the clock passes over a lane that could not be decided: it would fail at every look."""
PURGE_EVERY = 60.0
PURGE_AT_ONCE = 500
NEWS_MARGIN = 5.0
"""Seconds before the latest change from which changes are announced again: their news may not have got out."""
UNKNOWN_MODEL = Quirks(deduplicates=False)
"""A model that left the catalog: the careful assumption."""


class Stream(Protocol):
    """What processing must know of the streams to tell whether it has read them."""

    @property
    def server_id(self) -> str: ...
    async def end_of(self, stream: str) -> int: ...
    async def read_up_to(self, consumer: str) -> int: ...


class Processing:
    """`run` until cancelled; `pause` when the bus is lost, `resume` when it came back.

    `settled` is told each command that got settled; `keep_for`: seconds after which commands are purged.
    """

    def __init__(
        self,
        store: LaneStore,
        bus: Bus,
        stream: Stream,
        reader: Reader,
        read: Callable[[bytes], Sequence[AnyFact]],
        catalog: Callable[[], Catalog],
        settled: Callable[[Command], None],
        clock: Callable[[], float],
        keep_for: float,
    ) -> None:
        self._store = store
        self._bus = bus
        self._stream = stream
        self._reader = reader
        self._read = read
        self._catalog = catalog
        self._settled = settled
        self._clock = clock
        self._keep_for = keep_for
        self._caught_up = asyncio.Event()
        self._resume = asyncio.Event()

    async def run(self) -> None:
        await self._forget_presence_of_another_broker()
        self._resume.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_facts())
            tasks.create_task(self._catch_up())
            tasks.create_task(self._watch_the_clock())
            tasks.create_task(self._keep_house())

    def pause(self) -> None:
        """The bus is lost: answers may be waiting there, so no deadline counts until they are read."""
        self._caught_up.clear()

    async def resume(self) -> None:
        """The bus came back."""
        self._caught_up.clear()
        self._resume.set()

    # ---- facts

    async def _read_facts(self) -> None:
        async for batch in self._reader.batches():
            facts: list[AnyFact] = []
            for message in batch:
                try:
                    facts += self._read(message.data)
                except ValueError as error:
                    log.error("fact_unreadable", subject=message.subject, error=str(error))
            try:
                await self._deal_with(facts)
            except Exception as error:  # not acknowledged, so it comes again
                log.warning("facts_wait", facts=len(facts), error=repr(error))
                await asyncio.sleep(0.2)
            else:
                await self._reader.ack(batch)

    async def _deal_with(self, facts: Sequence[AnyFact]) -> None:
        """Decide on these facts and tell what follows; a fact that raises is tried alone, then buried."""
        now = self._clock()
        lanes = by_vehicle(facts)
        try:
            decided = await self._store.decide(lanes, self._judge, now)
        except StoreUnavailable:
            raise
        except Exception as error:
            if len(facts) > 1:
                for fact in facts:
                    await self._deal_with([fact])
                return
            log.exception("fact_failed", fact=type(facts[0]).__name__)
            await self._store.look_later(facts[0].vin, now + LEFT_ALONE_FOR)
            await self._bus.bury([_letter(facts[0], "fact_failed", repr(error), now)])
            return
        unknown = [fact for vin, heard in lanes.items() if vin not in decided for fact in heard]
        await self._tell(decided.values(), [_letter(f, "unknown_vehicle", "not registered", now) for f in unknown])

    def _judge(self, lane: Lane, facts: Sequence[AnyFact]) -> Decision:
        """Decide on a lane that is locked: by the time of now, for the lock may have been waited for."""
        model = self._catalog().models.get(lane.vehicle.model)
        quirks = UNKNOWN_MODEL if model is None else model.quirks
        vehicle = msgspec.structs.replace(lane.vehicle, quirks=quirks)
        return fold(msgspec.structs.replace(lane, vehicle=vehicle), facts, self._clock())

    async def _tell(self, decisions: Iterable[Decision], letters: Sequence[DeadLetter] = ()) -> None:
        """Dispatches first, for a person is waiting for those."""
        decisions = list(decisions)
        changes = [change for decision in decisions for change in decision.changes]
        for change in changes:
            if change.hop.state in SETTLED:
                self._settled(change.command)
        now = self._clock()
        refused = [
            DeadLetter(vin=r.vin, reason=r.reason, detail=r.detail, source="processing", at=now)
            for decision in decisions
            for r in decision.refused
        ]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._bus.dispatch([d for decision in decisions for d in decision.dispatches]))
            tasks.create_task(self._bus.announce(changes))
            tasks.create_task(self._bus.bury([*letters, *refused]))

    # ---- the clock

    async def _watch_the_clock(self) -> None:
        looked_at = self._clock()
        while True:
            if self._clock() - looked_at > SLEPT:
                await self.resume()
            await self._caught_up.wait()
            try:
                await self._look()
            except Exception as error:
                log.warning("look_failed", error=repr(error))
            looked_at = self._clock()
            await asyncio.sleep(LOOK_EVERY)

    async def _look(self) -> None:
        """Look at every lane whose time has come."""
        if not self._bus.connected:
            return
        while vins := await self._store.due(self._clock(), LOOK_AT_ONCE):
            await self._deal_with([TimePassed(vin=vin) for vin in vins])
            if len(vins) < LOOK_AT_ONCE:
                return

    async def _catch_up(self) -> None:
        """After a start or a reconnect: what did the broker forget, what was not told, and what is still unread?"""
        while True:
            await self._resume.wait()
            self._resume.clear()
            try:
                await self._forget_presence_of_another_broker()
                await self._tell_the_latest_news_again()
                await self._read_to_the_end("UPLINK", "incoming")
                await self._read_to_the_end("FACTS", "processing")
            except Exception as error:
                log.warning("catch_up_failed", error=repr(error))
                self._resume.set()
                await asyncio.sleep(0.5)
            else:
                self._caught_up.set()

    async def _forget_presence_of_another_broker(self) -> None:
        """A broker that was restarted published no wills: presence is unknown, and unknown means try (law 9)."""
        server = self._stream.server_id
        if await self._store.get_meta("broker") != server:
            await self._store.forget_presence()
            await self._store.put_meta("broker", server)

    async def _tell_the_latest_news_again(self) -> None:
        """They may not have got out before a crash. A row that can't be read must stop no deadline."""
        try:
            await self._bus.announce(await self._store.latest_changes(NEWS_MARGIN))
        except Exception as error:
            log.warning("latest_news_not_told", error=repr(error))

    async def _read_to_the_end(self, stream: str, consumer: str) -> None:
        """Wait until a service has read its stream up to its end as seen now; give up on one that stands still."""
        end, read, since = await self._stream.end_of(stream), -1, self._clock()
        while (now_read := await self._stream.read_up_to(consumer)) < end:
            if now_read > read:
                read, since = now_read, self._clock()
            elif self._clock() - since > STANDS_STILL_AFTER:
                log.warning("not_read_to_the_end", stream=stream, consumer=consumer, read=read, end=end)
                return
            await asyncio.sleep(0.05)

    # ---- keeping house

    async def _keep_house(self) -> None:
        """Forget old commands, in batches so small that nobody waits."""
        while True:
            try:
                while await self._store.purge(self._clock() - self._keep_for, PURGE_AT_ONCE):
                    await asyncio.sleep(0.05)
            except Exception as error:
                log.warning("purge_failed", error=repr(error))
            await asyncio.sleep(PURGE_EVERY)


def by_vehicle(facts: Iterable[AnyFact]) -> dict[str, list[AnyFact]]:
    """Facts grouped by lane, in their order."""
    lanes: dict[str, list[AnyFact]] = {}
    for fact in facts:
        lanes.setdefault(fact.vin, []).append(fact)
    return lanes


def _letter(fact: AnyFact, reason: str, detail: str, now: float) -> DeadLetter:
    payload = msgspec.json.encode(fact).decode()[:1000]
    return DeadLetter(vin=fact.vin, reason=reason, detail=detail, source="processing", at=now, payload=payload)
