"""Incoming: turns what vehicles say into facts. What breaks the contract goes to dead letter with the reason.

It keeps nothing that matters: only a short count per vehicle, so that one that has gone mad fills neither the dead
letters nor the log.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from outrider.domain.catalog import Catalog
from outrider.domain.messages import Answered, DeadLetter, Fact
from outrider.domain.registry import VIN
from outrider.services.needs import Bus, Reader, Received

log = structlog.get_logger()

LETTERS_PER_VEHICLE = 20
"""Dead letters that one vehicle may cause in a minute; more are counted only."""
MESSAGES_PER_VEHICLE = 12_000
"""Messages of one vehicle that are passed on in a minute, far more than a busy one says; others are dead letters."""
SHOWN = 1000
"""Characters of a broken message that a dead letter shows."""


class Said(Protocol):
    """A message that a vehicle said, as the wire read it."""

    def fact(self, vin: str, arrived_at: float) -> Fact: ...


class ContractBroken(Exception):
    """A vehicle's message can't be believed; `reason` is a code for dead letter and counter."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Incoming:
    """`run` until cancelled. `read(kind, data)` raises ValueError; `broken(reason)` counts what broke the contract."""

    def __init__(
        self,
        bus: Bus,
        reader: Reader,
        read: Callable[[str, bytes], Said],
        catalog: Callable[[], Catalog],
        broken: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._bus = bus
        self._reader = reader
        self._read = read
        self._catalog = catalog
        self._broken = broken
        self._clock = clock
        self._minute = 0
        self._letters: Counter[str] = Counter()
        self._messages: Counter[str] = Counter()

    async def run(self) -> None:
        async for batch in self._reader.batches():
            try:
                await self._pass_on(batch)
            except Exception as error:  # not acknowledged, so it comes again
                log.warning("incoming_batch_failed", messages=len(batch), error=repr(error))
            else:
                await self._reader.ack(batch)

    async def _pass_on(self, batch: Sequence[Received]) -> None:
        facts: list[Fact] = []
        letters: list[DeadLetter] = []
        self._begin_minute()
        for message in batch:
            vin, kind = message.subject.split(".")[2:4]
            self._messages[vin] += 1
            try:
                facts.append(self._understand(vin, kind, message))
            except ContractBroken as error:
                letters += self._letter(vin, kind, message, error)
        if facts:
            await self._bus.tell(_id_of(batch), facts)
        await self._bus.bury(letters)

    def _understand(self, vin: str, kind: str, message: Received) -> Fact:
        """The fact in a message. Raises ContractBroken."""
        if not VIN.fullmatch(vin):
            raise ContractBroken("not_a_vin", "the topic names no valid VIN")
        if self._messages[vin] > MESSAGES_PER_VEHICLE:
            raise ContractBroken("too_many", f"more than {MESSAGES_PER_VEHICLE} messages in a minute")
        try:
            fact = self._read(kind, message.data).fact(vin, message.at)
        except ValueError as error:
            raise ContractBroken(f"bad_{kind}", str(error)) from error
        if isinstance(fact, Answered) and fact.result is not None:
            self._check_result(fact)
        return fact

    def _check_result(self, fact: Answered) -> None:
        catalog = self._catalog()
        if fact.service not in catalog.services:
            raise ContractBroken("unknown_service", f"no service {fact.service[:64]!r}")
        if complaints := catalog.check_result(fact.service, fact.result):
            raise ContractBroken("bad_result", "; ".join(f"{c.field} {c.message}" for c in complaints))

    def _begin_minute(self) -> None:
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._letters, self._messages = minute, Counter(), Counter()

    def _letter(self, vin: str, kind: str, message: Received, error: ContractBroken) -> list[DeadLetter]:
        self._broken(error.reason)
        self._letters[vin] += 1
        if self._letters[vin] > LETTERS_PER_VEHICLE:
            return []
        payload = message.data[:SHOWN].decode("utf-8", "replace")
        letter = DeadLetter(
            vin=vin, reason=error.reason, detail=error.detail, source=kind, at=message.at, payload=payload
        )
        return [letter]


def _id_of(batch: Sequence[Received]) -> str:
    """The same for the very same messages only: a batch that comes again may have others between its ends."""
    places = ",".join(f"{message.seq}@{message.at:.6f}" for message in batch)
    return f"uplink-{hashlib.sha256(places.encode()).hexdigest()[:32]}"
