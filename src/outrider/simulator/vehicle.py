"""One simulated vehicle: a pure state machine with memory, signals and a behaviour. No IO, no clock, no chance.

It keeps the vehicle's side of the promise (law 7): it looks for a known id before it looks at the expiry, stores an
id before it acts, performs an id once, and repeats its last answer when the id comes again. `now` is always the
platform's time in seconds since 1970; the vehicle's own clock is `now + clock_offset`.
"""

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import count

import msgspec

from outrider.domain.catalog import Model, Service
from outrider.simulator.behaviour import NORMAL, Behaviour
from outrider.simulator.messages import (
    FINAL,
    Answer,
    Command,
    Presence,
    StateReport,
    Status,
    Topic,
    read_command,
    wire_time,
    write,
)

REMEMBERED_FOR = 24 * 3600.0
"""Seconds after its expiry for which an id is known (law 7)."""


class Say(msgspec.Struct, frozen=True, gc=False):
    """Publish this. `settles`: the command whose final answer this is, to be acknowledged once the broker has it."""

    topic: Topic
    body: bytes
    settles: str | None = None


class Note(msgspec.Struct, frozen=True, gc=False):
    """Something for the record: `received`, `malformed`, `performed`, `tried` (and failed), `answered`."""

    what: str
    id: str | None = None
    service: str | None = None
    status: str | None = None


Action = Say | Note


class Memory:
    """What a vehicle keeps through a reboot: the last answer to every id it has begun, and the answers still unsaid."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | None] = {}
        self.unsaid: dict[str, Answer] = {}
        self._by_hour: dict[int, list[str]] = {}
        self._pruned = 0

    def forget(self) -> None:
        """Know no id any more."""
        self.answers.clear()
        self._by_hour.clear()

    def store(self, command: Command, own_now: float) -> None:
        """Know this id from now on, and forget the ids whose time is over."""
        self.answers[command.id] = None
        until = int((command.expires_at.timestamp() + REMEMBERED_FOR) // 3600) + 1
        self._by_hour.setdefault(until, []).append(command.id)
        hour = int(own_now // 3600)
        if hour != self._pruned:
            self._pruned = hour
            for over in [past for past in self._by_hour if past <= hour]:
                for known in self._by_hour.pop(over):
                    self.answers.pop(known, None)


class _Finish(msgspec.Struct, frozen=True):
    command: Command


class Vehicle:
    """A vehicle of one model. Every input returns what is to be said and noted, in that order.

    pace: factor on the catalog's `takes`; 0 acts at once. `due` says when `pass_time` has something to do.
    """

    def __init__(
        self,
        vin: str,
        model: Model,
        services: Mapping[str, Service],
        *,
        behaviour: Behaviour = NORMAL,
        clock_offset: float = 0.0,
        pace: float = 1.0,
        memory: Memory | None = None,
    ) -> None:
        self.vin = vin
        self.model = model
        self.behaviour = behaviour
        self.clock_offset = clock_offset
        self.pace = pace
        self.memory = memory or Memory()
        self.signals = dict(model.signals)
        self.session: str | None = None
        self._services = {name: services[name] for name in model.services if name in services}
        self._agenda: list[tuple[float, int, _Finish | Answer]] = []
        self._turn = count()
        self._state_due = float("inf")

    @property
    def due(self) -> float:
        """When `pass_time` should be called next; infinity: never."""
        return min(self._agenda[0][0], self._state_due) if self._agenda else self._state_due

    def will(self, session: str) -> bytes:
        """The presence message that the broker publishes when this session ends."""
        return write(Presence(session=session, status="offline"))

    def connected(self, session: str, now: float) -> list[Action]:
        """Subscribed on a new connection: birth, state, and every final answer that the broker may not have.

        Nobody outside can tell a reconnect from a reboot, so a model that forgets on reboot forgets here already.
        """
        self.session = session
        if self.model.quirks.forgets_on_reboot:
            self.memory.forget()
        birth = Presence(session=session, status="online", at=self._own_time(now))
        actions: list[Action] = [Say(Topic.PRESENCE, write(birth))]
        actions += self._report(now)
        for answer in tuple(self.memory.unsaid.values()):
            actions += self._say(answer)
        return actions

    def disconnected(self) -> None:
        """The connection is gone. What is being performed goes on; final answers wait for the next connection."""
        self.session = None
        self._state_due = float("inf")

    def reboot(self, now: float) -> None:
        """Power was lost: what was being performed has failed, and a model with that quirk forgets every id."""
        self.disconnected()
        interrupted, self._agenda = self._agenda, []
        if self.model.quirks.forgets_on_reboot:
            self.memory = Memory()
            return
        for _, _, step in interrupted:
            if isinstance(step, _Finish):
                step = self._answer(step.command, Status.FAILED, now, reason="rebooted")
                self.memory.answers[step.id] = step
            if step.status in FINAL:
                self.memory.unsaid[step.id] = step

    def acknowledged(self, command_id: str) -> None:
        """The broker has the final answer to this command."""
        self.memory.unsaid.pop(command_id, None)

    def receive(self, body: bytes, now: float) -> list[Action]:
        """A message came on the command topic."""
        try:
            command = read_command(body)
        except msgspec.DecodeError:
            return [Note("malformed")]
        actions: list[Action] = [Note("received", command.id, command.service)]
        if self.model.quirks.deduplicates and command.id in self.memory.answers:
            last = self.memory.answers[command.id]
            if last is not None:
                actions += self._tell(last, now)
        elif reason := self._impossible(command, now):
            if self.behaviour.ends is not None:
                actions += self._tell(self._answer(command, Status.REJECTED, now, reason=reason), now)
        else:
            actions += self._begin(command, now)
        return actions

    def pass_time(self, now: float) -> list[Action]:
        """It is `now`: finish what is due, say what was held back, report the state when it is time."""
        actions: list[Action] = []
        while self._agenda and self._agenda[0][0] <= now:
            _, _, step = heapq.heappop(self._agenda)
            actions += self._finish(step.command, now) if isinstance(step, _Finish) else self._say(step)
        if self._state_due <= now:
            actions += self._report(now)
        return actions

    def _impossible(self, command: Command, now: float) -> str | None:
        """Why no vehicle of this model may begin this command now; None: it may."""
        if now + self.clock_offset > command.expires_at.timestamp():
            return "expired"
        service = self._services.get(command.service)
        if service is None:
            return "unsupported"
        try:
            service.effects_of(command.params, self.signals)
            service.result_of(command.params, self.signals)
        except KeyError:
            return "wrong_params"
        return None

    def _begin(self, command: Command, now: float) -> Iterator[Action]:
        self.memory.store(command, now + self.clock_offset)
        for status in self.behaviour.begins:
            yield from self._conclude(self._answer(command, status, now), now)
        done_at = now if self.behaviour.refuses else now + self.pace * self._services[command.service].takes
        if done_at <= now:
            yield from self._finish(command, now)
        else:
            self._plan(done_at, _Finish(command))

    def _finish(self, command: Command, now: float) -> Iterator[Action]:
        status, reason = self.behaviour.ends, self.behaviour.reason
        if status is None:
            return
        service = self._services[command.service]
        result = None
        if status is Status.EXECUTED:
            self.signals.update(service.effects_of(command.params, self.signals))
            result = service.result_of(command.params, self.signals)
        if not self.behaviour.refuses:
            yield Note("performed" if status is Status.EXECUTED else "tried", command.id, service.name)
        answer = self._answer(command, status, now, reason=reason)
        yield from self._conclude(msgspec.structs.replace(answer, result=result), now)
        if status is Status.EXECUTED:
            yield from self._report(now)

    def _answer(self, command: Command, status: Status, now: float, reason: str | None = None) -> Answer:
        return Answer(id=command.id, service=command.service, status=status, at=self._own_time(now), reason=reason)

    def _conclude(self, answer: Answer, now: float) -> Iterator[Action]:
        """Remember an answer as the last to its command, then tell it."""
        self.memory.answers[answer.id] = answer
        yield from self._tell(answer, now)

    def _tell(self, answer: Answer, now: float) -> Iterator[Action]:
        """Say an answer now, or as late as this vehicle's behaviour has it."""
        if self.behaviour.after > 0:
            self._plan(now + self.behaviour.after, answer)
        else:
            yield from self._say(answer)

    def _say(self, answer: Answer) -> Iterator[Action]:
        """Say an answer if anyone listens. A final one stays unsaid until the broker has acknowledged it."""
        final = answer.status in FINAL
        if final:
            self.memory.unsaid[answer.id] = answer
        if self.session is None:
            return
        body = write(msgspec.structs.replace(answer, session=self.session))
        for _ in range(self.behaviour.times):
            yield Say(Topic.ANSWER, body, answer.id if final else None)
            yield Note("answered", answer.id, answer.service, answer.status)

    def _report(self, now: float) -> Iterator[Action]:
        if self.session is None:
            return
        self._state_due = now + self.model.state_every
        report = StateReport(session=self.session, at=self._own_time(now), signals=self.signals)
        yield Say(Topic.STATE, write(report))

    def _plan(self, at: float, step: _Finish | Answer) -> None:
        heapq.heappush(self._agenda, (at, next(self._turn), step))

    def _own_time(self, now: float) -> datetime:
        return wire_time(now + self.clock_offset)
