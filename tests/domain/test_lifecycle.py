"""The table of the lifecycle, as the design tells it."""

import pytest

from outrider.domain.lifecycle import (
    CERTAINLY_NOT,
    IN_FLIGHT,
    MEANING,
    OPEN,
    SETTLED,
    TERMINAL,
    TRANSITIONS,
    UNSENT,
    Event,
    State,
    after,
)


def test_the_table_covers_every_state() -> None:
    """No state is forgotten, and each has a meaning that people can read."""
    assert set(TRANSITIONS) == set(State) == set(MEANING)


def test_terminal_states() -> None:
    """A terminal state is one that nothing leads out of; unconfirmed is settled, but not terminal."""
    assert TERMINAL == {
        State.EXECUTED,
        State.REJECTED,
        State.FAILED,
        State.EXPIRED,
        State.CANCELLED,
        State.SUPERSEDED,
    }
    assert SETTLED - TERMINAL == {State.UNCONFIRMED}
    assert set(State) == SETTLED | OPEN


def test_every_state_can_be_reached() -> None:
    """There are no dead states: each is reached from accepted."""
    reached, more = set(), {State.ACCEPTED}
    while more:
        reached |= more
        more = {to for state in more for to in TRANSITIONS[state].values()} - reached
    assert reached == set(State)


def test_every_open_state_can_settle() -> None:
    """Wherever a command stands, it can be settled by time alone (law 1)."""
    for state in UNSENT:
        assert after(state, Event.TIME_RAN_OUT) is State.EXPIRED
    for state in IN_FLIGHT:
        assert after(state, Event.STAYED_SILENT) is State.UNCONFIRMED


@pytest.mark.parametrize("state", [State.EXPIRED, State.CANCELLED, State.SUPERSEDED])
def test_certainly_not(state: State) -> None:
    """Expired, cancelled and superseded are reached only from where it certainly did not happen (law 1)."""
    sources = {source for source, events in TRANSITIONS.items() for event, to in events.items() if to is state}
    proved = {State.UNCONFIRMED} if state is State.EXPIRED else set()

    assert sources - proved <= UNSENT
    assert state in CERTAINLY_NOT
    assert after(State.UNCONFIRMED, Event.TIME_RAN_OUT) is None


def test_a_late_fact() -> None:
    """An unconfirmed command believes a final answer, and no other."""
    assert after(State.UNCONFIRMED, Event.SUCCEEDED) is State.EXECUTED
    assert after(State.UNCONFIRMED, Event.REFUSED) is State.REJECTED
    assert after(State.UNCONFIRMED, Event.BROKE) is State.FAILED
    assert after(State.UNCONFIRMED, Event.STARTED) is None


def test_no_way_back() -> None:
    """What was said is not unsaid: from a state the vehicle reported, nothing leads to an earlier one (law 5)."""
    order = [State.SENT, State.DELIVERED, State.EXECUTING]
    for place, state in enumerate(order):
        assert not {to for to in TRANSITIONS[state].values() if to in order[:place]}
