"""The laws, against any order and any repetition of facts."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.domain.catalog import Quirks, Repeat, Risk
from outrider.domain.deciding import Decision, decide
from outrider.domain.lane import Lane, Presence
from outrider.domain.lifecycle import IN_FLIGHT, SETTLED, TERMINAL, UNSENT, State
from outrider.domain.messages import Accepted, AnswerStatus, AnyFact, CancelAsked, DidNotLeave, TimePassed
from tests.domain.lanes import (
    ACK_WITHIN,
    FINISH_WITHIN,
    NOW,
    TTL,
    VIN,
    answer,
    birth,
    command,
    did_not_leave,
    lane,
    terms,
    will,
)

NAMES = ("c1", "c2", "c3")
SESSIONS = ("session-1", "session-2", "session-3")
LAST_DEADLINE = NOW + TTL + FINISH_WITHIN

names = st.sampled_from((*NAMES, "nobody's"))
sessions = st.sampled_from(SESSIONS)
facts: st.SearchStrategy[AnyFact] = st.one_of(
    st.builds(Accepted, vin=st.just(VIN), command_id=names),
    st.builds(CancelAsked, vin=st.just(VIN), command_id=names),
    st.builds(answer, st.sampled_from(list(AnswerStatus)), names, session=sessions),
    st.builds(birth, sessions),
    st.builds(will, sessions),
    st.builds(did_not_leave, st.integers(1, 4), names),
    st.just(TimePassed(vin=VIN)),
)
stories = st.lists(st.tuples(st.floats(0, ACK_WITHIN * 3), facts), max_size=30)
lanes = st.builds(
    lambda risk, repeat, quirks, presence, wishes: lane(
        *(
            command(name, seq, terms=terms(risk, repeat), cancel_asked_at=NOW if seq in wishes else None)
            for seq, name in enumerate(NAMES, 1)
        ),
        quirks=quirks,
        presence=presence,
    ),
    st.sampled_from(Risk),
    st.sampled_from(Repeat),
    st.builds(Quirks, deduplicates=st.booleans(), forgets_on_reboot=st.booleans()),
    st.sampled_from(Presence),
    st.sets(st.integers(1, 3)),
)


def told(lane: Lane, story: list[tuple[float, AnyFact]]) -> list[tuple[Lane, AnyFact, Decision]]:
    """Every step: the lane before, the fact, and what followed."""
    now, steps = NOW, []
    for wait, fact in story:
        now += wait
        decision = decide(lane, fact, now)
        steps.append((lane, fact, decision))
        lane = decision.lane
    return steps


def ends(lane: Lane, story: list[tuple[float, AnyFact]]) -> Lane:
    """The lane after the story and all its deadlines."""
    steps = told(lane, story)
    last = steps[-1][2].lane if steps else lane
    passed = sum(wait for wait, _ in story)
    return decide(last, TimePassed(vin=VIN), max(LAST_DEADLINE, NOW + passed)).lane


@given(lanes, stories)
def test_a_terminal_state_is_never_left(lane: Lane, story: Any) -> None:
    """What is over stays over: state, outcome, reason and result never change again (law 5)."""
    for before, _, decision in told(lane, story):
        over = [c for c in before.commands if c.state in TERMINAL]
        assert [decision.lane.command(c.id) for c in over] == over


@given(lanes, stories)
def test_certainly_not_is_certain(lane: Lane, story: Any) -> None:
    """Expired, cancelled and superseded only if never sent, or if every attempt provably did not leave (law 1)."""
    for c in ends(lane, story).commands:
        if c.state in UNSENT | {State.EXPIRED, State.CANCELLED, State.SUPERSEDED}:
            assert not c.may_have_left


@given(lanes, stories)
def test_every_command_settles_by_its_deadline(lane: Lane, story: Any) -> None:
    """Whatever happens, a look at the deadline finds nothing open (law 1)."""
    assert {c.state for c in ends(lane, story).commands} <= SETTLED


@given(lanes, stories)
def test_what_must_not_be_repeated_is_not(lane: Lane, story: Any) -> None:
    """`repeat: never`, or a model that does not de-duplicate: never two dispatches that may both have left (law 6)."""
    repeatable = lane.commands[0].terms.repeat is not Repeat.NEVER and lane.vehicle.quirks.deduplicates
    for before, _, decision in told(lane, story):
        for dispatch in decision.dispatches:
            earlier = before.command(dispatch.command_id)
            assert earlier is not None
            assert repeatable or dispatch.attempt == 1 + decision.lane.commands[earlier.seq - 1].not_left


@given(lanes, stories)
def test_nothing_leaves_past_its_expiry(lane: Lane, story: Any) -> None:
    """No dispatch is made at or after `expires_at` (law 2)."""
    for _, _, decision in told(lane, story):
        assert all(d.issued_at < d.expires_at for d in decision.dispatches)


@given(lanes, stories)
def test_one_at_a_time(lane: Lane, story: Any) -> None:
    """A vehicle never has two commands in flight."""
    for _, _, decision in told(lane, story):
        assert sum(c.state in IN_FLIGHT for c in decision.lane.commands) <= 1


@given(lanes, stories)
def test_a_fact_told_twice(lane: Lane, story: Any) -> None:
    """A repeated fact changes nothing (law 5). What was not believed, or tells of what never was, is no fact."""
    now = NOW
    for wait, fact in story:
        now += wait
        once = decide(lane, fact, now)
        again = decide(once.lane, fact, now)
        unreal = isinstance(fact, DidNotLeave) and (c := lane.command(fact.command_id)) and fact.attempt > c.attempt
        assert unreal or once.refused or (again.changes, again.dispatches, again.lane) == ((), (), once.lane)
        lane = once.lane


@given(lanes, stories)
def test_every_change_is_one_line_of_the_timeline(lane: Lane, story: Any) -> None:
    """Versions count up by one, so a timeline has no gap and a reader can tell older news from newer (law 3)."""
    versions = Counter[str]()
    for _, _, decision in told(lane, story):
        for change in decision.changes:
            versions[change.command.id] += 1
            assert change.hop.version == change.command.version == 1 + versions[change.command.id]


@settings(max_examples=50)
@given(lanes, stories)
def test_a_lane_at_rest_wants_no_look(lane: Lane, story: Any) -> None:
    """After a look, a lane either wants none or one in the future: the clock never spins."""
    end = NOW + sum(wait for wait, _ in story)
    steps = told(lane, [*story, (0.0, TimePassed(vin=VIN))])
    at = steps[-1][2].lane.look_at(end)
    assert at is None or at > end
