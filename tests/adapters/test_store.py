"""One suite for every store: what the services may rely on, whatever the database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.adapters.store.sqlite import SqliteStore
from outrider.common.ids import uuid7
from outrider.domain.catalog import Repeat, Risk
from outrider.domain.deciding import Decision, fold
from outrider.domain.errors import KeyReused, LaneFull, VehicleUnknown
from outrider.domain.lane import MOST_OPEN, Command, Lane, Presence
from outrider.domain.lifecycle import State
from outrider.domain.messages import Accepted, AnyFact, CancelAsked, Change, Hop, StateReported, TimePassed
from outrider.domain.registry import FOREVER, Credential, Grant
from tests.domain.lanes import NOW, TTL, VIN, answer, birth, command, did_not_leave, terms, will

OTHER = "0UTR1DERS00000002"
UNKNOWN = "0UTR1DERS00000003"
MODEL = "falcon-electric"
Open = Callable[[], Any]

OPENERS: dict[str, Callable[[Path], Any]] = {"sqlite": lambda folder: SqliteStore(folder / "outrider.db")}


@pytest.fixture(params=OPENERS)
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same database, once more."""
    return lambda: OPENERS[request.param](tmp_path)


@pytest.fixture
async def store(again: Open) -> AsyncIterator[Any]:
    """A fresh store with two vehicles; alice may do everything with the first."""
    store = again()
    assert await store.add_vehicle(VIN, MODEL, NOW)
    assert await store.add_vehicle(OTHER, MODEL, NOW)
    await store.add_grant(grant())
    yield store
    store.close()


def grant(name: str = "g1", **news: Any) -> Grant:
    fields = {"person": "alice", "vin": VIN, "risks": tuple(Risk), "until": FOREVER, "created_at": NOW}
    return Grant(**{"id": name, "created_by": "operator", **fields, **news})


def asked(at: float = NOW, **news: Any) -> Command:
    """A command as creation makes it; its id tells when."""
    return command(uuid7(at), 0, accepted_at=at, grant_until=None, **news)


def judge(now: float = NOW) -> Callable[[Lane, Sequence[AnyFact]], Decision]:
    """The real one."""
    return lambda lane, facts: fold(lane, facts, now)


async def decide(store: Any, *facts: AnyFact, now: float = NOW) -> Mapping[str, Decision]:
    """What the real judge makes of facts."""
    lanes: dict[str, list[AnyFact]] = {}
    for fact in facts:
        lanes.setdefault(fact.vin, []).append(fact)
    decided: Mapping[str, Decision] = await store.decide(lanes, judge(now), now)
    return decided


async def lane_of(store: Any, *facts: AnyFact, vin: str = VIN) -> Lane:
    """A lane as the judge is shown it."""
    decided = await store.decide({vin: list(facts)}, lambda lane, _: Decision(lane=lane), NOW)
    lane: Lane = decided[vin].lane
    return lane


async def sent(store: Any, **news: Any) -> Command:
    """A command that left, to a vehicle that is there."""
    stored = await store.accept(asked(**news), None, None)
    await decide(store, Accepted(vin=VIN, command_id=stored.id))
    found = await store.command(stored.id)
    assert found.state is State.SENT
    return found


async def goes_away(store: Any) -> None:
    """The vehicle's connection ends: what is accepted from now on waits."""
    await decide(store, birth("s"), will("s"))


async def settled(store: Any, at: float = NOW, **news: Any) -> Command:
    """A command that expired."""
    stored = await store.accept(asked(at, **news), None, None)
    await decide(store, will("gone", at), TimePassed(vin=stored.vin), now=at + TTL)
    found = await store.command(stored.id)
    assert found.state is State.EXPIRED
    return found


# ---- accepting


async def test_places_in_a_lane_are_given_in_order(store: Any) -> None:
    """Every vehicle has its own sequence, given on acceptance, even to commands that come at the same time (law 5)."""
    mine = await asyncio.gather(*(store.accept(asked(), None, None) for _ in range(20)))
    other = await store.accept(asked(vin=OTHER), None, None)

    assert [c.seq for c in mine] == list(range(1, 21))
    assert other.seq == 1


async def test_an_accepted_command_is_read_as_it_was_stored(store: Any) -> None:
    """Every term, parameter and time comes back, and the first line of the timeline is there."""
    made = asked(
        params={"temperature": 21.5, "label": "früh \u0022 🚗"},
        terms=msgspec.structs.replace(terms(Risk.ACCESS, Repeat.NEVER), conflicts=("a", "b"), verify={"x": True}),
    )

    stored = await store.accept(made, None, None)

    assert stored == msgspec.structs.replace(made, seq=1)
    assert await store.command(made.id) == stored
    first = Hop(command_id=made.id, version=1, what="accepted", state=State.ACCEPTED, at=NOW)
    assert await store.history(made.id) == [first]


async def test_an_unknown_vehicle_accepts_nothing(store: Any) -> None:
    """A command for a vehicle that is not registered is refused and leaves no trace."""
    made = asked(vin=UNKNOWN)

    with pytest.raises(VehicleUnknown):
        await store.accept(made, "key", "same")

    assert await store.command(made.id) is None
    assert await store.asked_before("alice", "key", "same") is None


async def test_a_repeated_request_is_one_command(store: Any) -> None:
    """The idempotency key leads to the command of the first time, and no place is taken."""
    first = await store.accept(asked(), "key", "same")

    assert await store.accept(asked(), "key", "same") == first
    assert await store.asked_before("alice", "key", "same") == first
    assert (await store.accept(asked(), None, None)).seq == 2


async def test_a_key_belongs_to_one_request(store: Any) -> None:
    """The same key for another request is refused, and nothing is stored."""
    await store.accept(asked(), "key", "same")
    other = asked()

    with pytest.raises(KeyReused):
        await store.accept(other, "key", "another")
    with pytest.raises(KeyReused):
        await store.asked_before("alice", "key", "another")

    assert await store.command(other.id) is None


async def test_a_key_belongs_to_one_person(store: Any) -> None:
    """Two persons may happen on the same key."""
    mine = await store.accept(asked(), "key", "same")
    other = await store.accept(asked(asked_by="bob"), "key", "another")

    assert mine.id != other.id
    assert await store.asked_before("carol", "key", "same") is None


async def test_one_key_at_the_same_time_is_one_command(store: Any) -> None:
    """Of requests with one key that come together, one is stored and all are told of it."""
    together = await asyncio.gather(*(store.accept(asked(), "key", "same") for _ in range(10)))

    assert len({c.id for c in together}) == 1
    assert len(await store.commands(VIN, list(Risk), 99, 99, None, None)) == 1


# ---- deciding


async def test_a_lane_has_its_open_commands_in_order(store: Any) -> None:
    """The judge sees what is open, by place, and not what is settled."""
    await settled(store)
    first = await store.accept(asked(), None, None)
    second = await store.accept(asked(), None, None)

    lane = await lane_of(store)

    assert [c.id for c in lane.commands] == [first.id, second.id]
    assert (lane.vehicle.vin, lane.vehicle.model) == (VIN, MODEL)


async def test_a_lane_has_the_settled_commands_that_are_spoken_of(store: Any) -> None:
    """A late answer is judged with its command at hand, though that is settled."""
    old = await settled(store)

    assert [c.id for c in (await lane_of(store, answer("executed", old.id))).commands] == [old.id]


async def test_a_vehicle_does_not_see_the_commands_of_another(store: Any) -> None:
    """Naming another vehicle's command brings it into nobody's lane (law 5)."""
    other = await store.accept(asked(vin=OTHER), None, None)

    assert (await lane_of(store, answer("executed", other.id))).commands == ()


async def test_everything_that_follows_is_kept(store: Any) -> None:
    """States, results, timeline and the vehicle's connection are as decided."""
    command = await sent(store)
    said = answer("executed", command.id, arrived_at=NOW + 1, vehicle_at=NOW + 3, result={"a": 1})

    decided = await decide(store, birth("session-1", NOW), answer("received", command.id), said, now=NOW + 2)

    [*_, last] = decided[VIN].changes
    found = await store.command(command.id)
    assert found == msgspec.structs.replace(last.command, grant_until=None)
    assert (found.state, found.result, found.settled_at) == (State.EXECUTED, {"a": 1}, NOW + 2)
    assert [hop.what for hop in await store.history(command.id)] == ["accepted", "sent", "delivered", "executed"]
    assert (await store.history(command.id))[-1] == last.hop
    lane = await lane_of(store)
    assert (lane.vehicle.presence, lane.vehicle.session) == (Presence.ONLINE, "session-1")
    assert (lane.vehicle.clock_offset, lane.vehicle.heard_at) == (2.0, NOW + 1)


async def test_many_lanes_are_decided_together(store: Any) -> None:
    """One call decides several vehicles; one that is not registered is missing from the answer."""
    facts = [birth("session-1"), TimePassed(vin=OTHER), TimePassed(vin=UNKNOWN)]

    assert set(await decide(store, *facts)) == {VIN, OTHER}


async def test_signals_are_merged(store: Any) -> None:
    """A report replaces the signals that it names and leaves the others."""
    report = {"vin": VIN, "session": "s", "arrived_at": NOW}
    await decide(store, StateReported(**report, vehicle_at=NOW, signals={"Vehicle.A": 1, "Vehicle.B": "x"}))

    await decide(store, StateReported(**report, vehicle_at=NOW + 9, signals={"Vehicle.B": False}))
    await decide(store, birth("session-2"))

    vehicle = await store.vehicle(VIN)
    assert (vehicle.signals, vehicle.signals_at) == ({"Vehicle.A": 1, "Vehicle.B": False}, NOW + 9)


async def test_a_judge_that_raises_changes_nothing(store: Any) -> None:
    """Where one lane can't be decided, nothing of the whole call is kept (law 4)."""
    command = await store.accept(asked(), None, None)

    def poisoned(lane: Lane, facts: Sequence[AnyFact]) -> Decision:
        if lane.vehicle.vin == OTHER:
            raise ZeroDivisionError
        return fold(lane, facts, NOW)

    with pytest.raises(ZeroDivisionError):
        await store.decide({VIN: [birth("s")], OTHER: [birth("s")]}, poisoned, NOW)

    assert (await store.command(command.id)).state is State.ACCEPTED
    assert (await store.vehicle(VIN)).presence is Presence.UNKNOWN


async def test_a_judge_that_raises_harms_no_neighbour(store: Any) -> None:
    """What is written at the same time, before and after it, is kept all the same (law 4)."""

    def broken(lane: Lane, facts: Sequence[AnyFact]) -> Decision:
        raise ZeroDivisionError

    before, after = asked(), asked()
    outcomes = await asyncio.gather(
        store.accept(before, None, None),
        store.decide({OTHER: [TimePassed(vin=OTHER)]}, broken, NOW),
        store.accept(after, None, None),
        return_exceptions=True,
    )

    assert isinstance(outcomes[1], ZeroDivisionError)
    assert await store.command(before.id)
    assert await store.command(after.id)


# ---- grants as a lane sees them


@pytest.mark.parametrize(
    ("given", "until"),
    [
        ([], None),
        ([grant(until=NOW + 5)], NOW + 5),
        ([grant(until=NOW + 5), grant("g2", until=NOW + 9)], NOW + 9),
        ([grant(until=NOW - 5)], NOW - 5),
        ([grant(risks=(Risk.ACCESS, Risk.LOCATION))], None),
        ([grant(person="bob")], None),
        ([grant(vin=OTHER)], None),
    ],
    ids=["none", "one", "the longest", "over", "another risk", "another person", "another vehicle"],
)
async def test_a_lane_knows_until_when_the_person_may(store: Any, given: list[Grant], until: float | None) -> None:
    """The grant is read together with the command, so that it is checked again when it is sent (law 11)."""
    await store.end_grant("g1", NOW)
    for number, one in enumerate(given):
        await store.add_grant(msgspec.structs.replace(one, id=f"given-{number}"))
    await store.accept(asked(terms=terms(Risk.COMFORT)), None, None)

    [found] = (await lane_of(store)).commands

    assert found.grant_until == until


async def test_an_ended_grant_is_seen_at_once(store: Any) -> None:
    """Its vehicle's lane is due, and a command that waits there finds no grant."""
    await goes_away(store)
    stored = await store.accept(asked(), None, None)
    await decide(store, Accepted(vin=VIN, command_id=stored.id))
    assert await store.due(NOW + 1, 9) == []

    ended = await store.end_grant("g1", NOW + 1)

    assert ended == grant(ended_at=NOW + 1)
    assert await store.due(NOW + 1, 9) == [VIN]
    assert (await lane_of(store)).commands[0].grant_until is None
    assert await store.grants("alice", VIN, NOW + 1) == []


async def test_a_grant_ends_once(store: Any) -> None:
    """The first end stays; a grant that there is not can't be ended."""
    await store.end_grant("g1", NOW + 1)

    assert (await store.end_grant("g1", NOW + 2)).ended_at == NOW + 1
    assert await store.end_grant("nobody's", NOW) is None


async def test_grants_of_a_person_and_of_a_vehicle(store: Any) -> None:
    """A person has those that count now; a vehicle shows all, the ended too, in order."""
    short, bobs = grant("g2", until=NOW + 5, risks=(Risk.ACCESS,)), grant("g3", person="bob")
    await store.add_grant(short)
    await store.add_grant(bobs)
    await store.end_grant("g3", NOW)

    assert {g.id for g in await store.grants("alice", VIN, NOW)} == {"g1", "g2"}
    assert await store.grants("alice", VIN, NOW + 5) == [grant()]
    assert await store.grants("bob", VIN, NOW) == []
    assert await store.grants_of_vehicle(VIN, "", 9) == [grant(), short, msgspec.structs.replace(bobs, ended_at=NOW)]
    assert await store.grants_of_vehicle(VIN, "g1", 1) == [short]


# ---- when to look


async def test_an_accepted_command_is_looked_at_soon(store: Any) -> None:
    """Two seconds after it was accepted, its lane is due, announced or not (law 3)."""
    await store.accept(asked(), None, None)

    assert await store.due(NOW + 1.9, 9) == []
    assert await store.due(NOW + 2, 9) == [VIN]


async def test_accepting_never_puts_off_a_look(store: Any) -> None:
    """A lane that is due earlier stays so."""
    await store.accept(asked(), None, None)
    await store.accept(asked(NOW + 1), None, None)

    assert await store.due(NOW + 2, 9) == [VIN]


async def test_a_wish_to_cancel_is_looked_at_soon(store: Any) -> None:
    """If nobody announced it, its lane is due two seconds later (law 3)."""
    await goes_away(store)
    stored = await store.accept(asked(), None, None)
    await decide(store, Accepted(vin=VIN, command_id=stored.id))

    await store.wish_cancel(stored.id, NOW + 5)

    assert await store.due(NOW + 6.9, 9) == []
    assert await store.due(NOW + 7, 9) == [VIN]


async def test_a_lane_is_due_when_the_decision_said(store: Any) -> None:
    """A command that waits is looked at when it expires; an empty lane never."""
    await goes_away(store)
    await store.accept(asked(), None, None)
    await decide(store, TimePassed(vin=VIN), TimePassed(vin=OTHER))

    assert await store.due(NOW + TTL - 0.1, 9) == []
    assert await store.due(NOW + TTL, 9) == [VIN]
    assert await store.due(NOW + 1e9, 9) == [VIN]


async def test_the_most_overdue_come_first(store: Any) -> None:
    """What is due is given in order of time, and no more than asked for."""
    await store.accept(asked(NOW + 1), None, None)
    await store.accept(asked(NOW, vin=OTHER), None, None)

    assert await store.due(NOW + 9, 9) == [OTHER, VIN]
    assert await store.due(NOW + 9, 1) == [OTHER]


async def test_a_wish_to_cancel_is_kept(store: Any) -> None:
    """The first wish counts, and the lane sees it; what is settled has none."""
    old = await settled(store)
    stored = await store.accept(asked(), None, None)

    for at in (NOW + 1, NOW + 2):
        await store.wish_cancel(stored.id, at)
        await store.wish_cancel(old.id, at)

    [found] = (await lane_of(store)).commands
    assert found.cancel_asked_at == NOW + 1
    assert (await store.command(old.id)).cancel_asked_at is None


async def test_presence_can_be_forgotten(store: Any) -> None:
    """All of it, for a broker that is gone told nobody who left (law 9)."""
    await goes_away(store)
    await decide(store, msgspec.structs.replace(birth("t"), vin=OTHER))

    await store.forget_presence()

    assert [v.presence for v in await store.vehicles(None, NOW, "", 9)] == [Presence.UNKNOWN] * 2


async def test_the_latest_changes_can_be_told_again(store: Any) -> None:
    """Those of the last seconds before the latest one, whenever that was, with their last hop."""
    await store.accept(asked(NOW - 100), None, None)
    await store.accept(asked(NOW - 3), None, None)
    third = await store.accept(asked(NOW), None, None)
    [change] = (await decide(store, CancelAsked(vin=VIN, command_id=third.id), now=NOW))[VIN].changes[-1:]

    found = await store.latest_changes(0.0)

    assert msgspec.structs.replace(change.command, grant_until=None) in [c.command for c in found]
    assert change.hop in [c.hop for c in found]


async def test_the_latest_changes_of_nothing_are_none(store: Any) -> None:
    """A platform that starts for the first time has nothing to tell."""
    assert await store.latest_changes(5.0) == []


# ---- what is found


async def test_commands_are_listed_newest_first(store: Any) -> None:
    """In pages: each continues below the last place of the one before."""
    stored = [await store.accept(asked(), None, None) for _ in range(5)]
    await store.accept(asked(vin=OTHER), None, None)

    first = await store.commands(VIN, list(Risk), 2**62, 3, None, None)
    rest = await store.commands(VIN, list(Risk), first[-1].seq, 3, None, None)

    assert first + rest == stored[::-1]


async def test_commands_are_filtered(store: Any) -> None:
    """By risk, by any of several states, by service."""
    expired = await settled(store, service="horn-blow", terms=terms(Risk.ATTENTION))
    waiting = await store.accept(asked(NOW + TTL), None, None)

    async def found(risks: Any = Risk, states: Any = None, service: str | None = None) -> list[str]:
        return [c.id for c in await store.commands(VIN, list(risks), 2**62, 9, states, service)]

    assert await found([Risk.ATTENTION]) == [expired.id]
    assert await found([]) == []
    assert await found(states=[State.EXPIRED, State.FAILED]) == [expired.id]
    assert await found(states=[State.EXPIRED, State.ACCEPTED]) == [waiting.id, expired.id]
    assert await found(states=[]) == []
    assert await found(service="climate-start") == [waiting.id]
    assert await found(service="horn-blow", states=[State.ACCEPTED]) == []


async def test_what_there_is_not(store: Any) -> None:
    """Asking for something unknown gives nothing, and no error."""
    assert await store.command("nobody's") is None
    assert await store.history("nobody's") == []
    assert await store.vehicle(UNKNOWN) is None
    assert await store.commands(UNKNOWN, list(Risk), 9, 9, None, None) == []
    assert await store.get_meta("nothing") is None
    await store.wish_cancel("nobody's", NOW)


async def test_vehicles_are_listed_by_vin(store: Any) -> None:
    """All of them, or those that a person has a grant for now, in pages."""
    await store.add_grant(grant("g2", person="bob", vin=OTHER, until=NOW + 5))
    await store.add_grant(grant("g3", vin=OTHER))

    async def found(person: str | None, now: float = NOW, after: str = "", limit: int = 9) -> list[str]:
        return [v.vin for v in await store.vehicles(person, now, after, limit)]

    assert await found(None) == [VIN, OTHER]
    assert await found(None, after=VIN) == [OTHER]
    assert await found(None, limit=1) == [VIN]
    assert await found("alice") == [VIN, OTHER]
    assert await found("alice", after=VIN) == [OTHER]
    assert await found("bob") == [OTHER]
    assert await found("bob", now=NOW + 5) == []
    assert await found("carol") == []


async def test_a_vehicle_is_registered_once(store: Any) -> None:
    """The second registration changes nothing, not even the model."""
    assert not await store.add_vehicle(VIN, "merlin-classic", NOW + 9)

    vehicle = await store.vehicle(VIN)
    assert (vehicle.model, vehicle.added_at) == (MODEL, NOW)
    assert (vehicle.presence, vehicle.signals, vehicle.heard_at) == (Presence.UNKNOWN, {}, None)


async def test_credentials(store: Any) -> None:
    """A vehicle connects with any of its credentials that is not revoked; a revoked one is still shown."""
    one, two = (Credential(id=name, vin=VIN, created_at=NOW) for name in ("k1", "k2"))
    await store.add_credential(one, "hash-1")
    await store.add_credential(two, "hash-2")

    revoked = await store.revoke_credential(VIN, "k1", NOW + 1)

    assert revoked == msgspec.structs.replace(one, revoked_at=NOW + 1)
    assert await store.revoke_credential(VIN, "k1", NOW + 2) == revoked
    assert await store.revoke_credential(OTHER, "k2", NOW) is None
    assert await store.valid_hashes(VIN) == ["hash-2"]
    assert await store.valid_hashes(UNKNOWN) == []
    assert await store.credentials(VIN, "", 9) == [revoked, two]
    assert await store.credentials(VIN, revoked.id, 9) == [two]


async def test_notes_to_itself(store: Any) -> None:
    """What is put under a key replaces what was there."""
    await store.put_meta("broker", "one")
    await store.put_meta("broker", "two")

    assert await store.get_meta("broker") == "two"


# ---- forgetting


async def test_old_commands_are_forgotten_in_batches(store: Any) -> None:
    """With their history, no more than asked for at once; newer ones stay."""
    old = [await settled(store, NOW - 1000 + n) for n in range(3)]
    new = await settled(store, NOW)

    assert await store.purge(NOW - 500, 2) == 2
    assert await store.purge(NOW - 500, 2) == 1
    assert await store.purge(NOW - 500, 2) == 0

    for gone in old:
        assert await store.command(gone.id) is None
        assert await store.history(gone.id) == []
    assert await store.command(new.id) == new
    assert await store.history(new.id)


async def test_open_commands_are_never_forgotten(store: Any) -> None:
    """However old: the promise still stands (law 1)."""
    stored = await store.accept(asked(NOW - 1e6), None, None)

    assert await store.purge(NOW, 9) == 0
    assert await store.command(stored.id) == stored


# ---- lies


@pytest.mark.parametrize(
    "lie",
    [
        {"state": State.EXPIRED, "settled_at": NOW, "attempt": 1, "not_left": 0},
        {"state": State.CANCELLED, "settled_at": NOW, "attempt": 2, "not_left": 1},
        {"state": State.SUPERSEDED, "settled_at": NOW, "attempt": 1},
        {"state": State.QUEUED, "attempt": 1},
        {"state": State.SENT},
        {"state": State.SENT, "attempt": 1, "not_left": 1},
        {"state": State.UNCONFIRMED, "settled_at": NOW},
        {"state": State.FAILED, "settled_at": NOW},
        {"state": State.EXECUTED, "settled_at": NOW, "attempt": 1},
        {"state": State.EXECUTED, "settled_at": NOW, "outcome": "done"},
        {"state": State.REJECTED, "settled_at": NOW, "outcome": "done"},
        {"state": State.ACCEPTED, "settled_at": NOW},
        {"state": State.EXPIRED},
        {"state": State.ACCEPTED, "attempt": 0, "not_left": 1},
        {"state": "perhaps"},
    ],
    ids=str,
)
async def test_the_store_refuses_lies(store: Any, lie: dict[str, Any]) -> None:
    """Even where the rules had a fault, "certainly not" and "it may have happened" are never confused (law 1)."""
    stored = await store.accept(asked(), None, None)

    def lying(lane: Lane, facts: Sequence[AnyFact]) -> Decision:
        [command] = lane.commands
        lied = msgspec.structs.replace(command, version=2, **lie)
        hop = Hop(command_id=command.id, version=2, what="lie", state=State.EXPIRED, at=NOW)
        return Decision(lane=lane, changes=(Change(command=lied, hop=hop),))

    with pytest.raises(Exception, match=r"(?i)constraint"):
        await store.decide({VIN: [TimePassed(vin=VIN)]}, lying, NOW)

    assert await store.command(stored.id) == stored
    assert len(await store.history(stored.id)) == 1


async def test_proof_that_nothing_left_makes_it_unsent_again(store: Any) -> None:
    """Its grant still covers it, so it waits; and "expired" is no lie after that attempt (law 11)."""
    command = await sent(store)

    await decide(store, did_not_leave(1, command.id))
    assert (await store.command(command.id)).state is State.QUEUED
    await decide(store, TimePassed(vin=VIN), now=NOW + TTL)

    assert (await store.command(command.id)).state is State.EXPIRED


# ---- lasting


async def test_what_was_stored_is_there_after_opening_again(store: Any, again: Open) -> None:
    """Commands, timelines, vehicles and grants outlast the process."""
    command = await sent(store)
    store.close()

    reopened = again()
    try:
        assert reopened.usable()
        assert await reopened.command(command.id) == command
        assert await reopened.history(command.id)
        assert await reopened.grants("alice", VIN, NOW) == [grant()]
        assert (await reopened.accept(asked(), None, None)).seq == 2
    finally:
        reopened.close()


async def test_a_lane_is_bounded(store: Any) -> None:
    """A vehicle has so many open commands at most; one more is refused, and there is room when they settle."""
    for _ in range(MOST_OPEN):
        await store.accept(asked(), None, None)

    with pytest.raises(LaneFull):
        await store.accept(asked(), None, None)
    await store.accept(asked(vin=OTHER), None, None)

    await decide(store, TimePassed(vin=VIN), now=NOW + 1e4)
    assert await store.accept(asked(), None, None)
