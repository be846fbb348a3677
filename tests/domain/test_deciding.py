"""What follows from a fact, as conversations: what happens, what we do, in order."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from outrider.domain.catalog import Quirks, Repeat, Risk
from outrider.domain.deciding import MAX_CLOCK_ERROR, Decision, decide, fold
from outrider.domain.lane import BETWEEN_SESSIONS, MOST_ATTEMPTS, Lane, Presence
from outrider.domain.lifecycle import LATE_FACTS_FOR, State
from outrider.domain.messages import Accepted, AnyFact, CancelAsked, StateReported, TimePassed
from tests.domain.lanes import (
    ACK_WITHIN,
    FINISH_WITHIN,
    FORGETFUL,
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

ACCEPTED = Accepted(vin=VIN, command_id="c1")
TIME = TimePassed(vin=VIN)
DEADLINE = NOW + TTL + FINISH_WITHIN


def story(lane: Lane, *happens: tuple[float, AnyFact]) -> Decision:
    """The lane after several facts, each at its time (seconds after NOW); all that followed from them."""
    changes, dispatches, refused = [], [], []
    for after, fact in happens:
        decision = decide(lane, fact, NOW + after)
        lane = decision.lane
        changes += decision.changes
        dispatches += decision.dispatches
        refused += decision.refused
    return Decision(lane=lane, changes=tuple(changes), dispatches=tuple(dispatches), refused=tuple(refused))


def states(decision: Decision) -> list[str]:
    """The way of the commands, as their timelines tell it."""
    return [change.hop.what for change in decision.changes]


def sent(**news: Any) -> Lane:
    """A lane whose one command was just sent."""
    presence = {key: news.pop(key) for key in ("presence", "session", "quirks", "clock_offset") if key in news}
    return decide(lane(command(**news), **presence), ACCEPTED, NOW).lane


# ---- the ordinary way


def test_the_whole_way() -> None:
    """A command to a vehicle that is there is sent, delivered, executed, with what the vehicle said about it."""
    told = story(
        lane(command()),
        (0, ACCEPTED),
        (1, answer("received")),
        (2, answer("executing")),
        (3, answer("executed", result={"latitude": 48.1})),
    )

    assert states(told) == ["sent", "delivered", "executing", "executed"]
    assert len(told.dispatches) == 1
    (done,) = told.lane.commands
    assert (done.outcome, done.result, done.settled_at) == ("done", {"latitude": 48.1}, NOW + 3)


@pytest.mark.parametrize(
    ("said", "state", "outcome"),
    [
        ("already_done", State.EXECUTED, "already_done"),
        ("rejected", State.REJECTED, None),
        ("failed", State.FAILED, None),
    ],
)
def test_other_ends(said: str, state: State, outcome: str | None) -> None:
    """What the vehicle says is what the command becomes, and its reason is kept."""
    told = story(sent(), (1, answer(said, reason="doors_open")))

    (done,) = told.lane.commands
    assert (done.state, done.outcome, done.reason) == (state, outcome, "doors_open")


def test_the_dispatch_says_all_that_outgoing_needs() -> None:
    """A dispatch names command, vehicle, parameters, expiry, attempt and the vehicle's clock."""
    (dispatch,) = decide(lane(command(), clock_offset=7.5), ACCEPTED, NOW + 1).dispatches

    assert (dispatch.command_id, dispatch.vin, dispatch.params) == ("c1", VIN, {"temperature": 21})
    assert (dispatch.expires_at, dispatch.attempt, dispatch.clock_offset) == (NOW + TTL, 1, 7.5)


def test_sent_first() -> None:
    """A dispatch never exists without the record that it was sent (law 6)."""
    decision = decide(lane(command()), ACCEPTED, NOW)

    assert [change.command.state for change in decision.changes] == [State.SENT]
    assert len(decision.dispatches) == 1


def test_facts_of_a_batch_are_folded() -> None:
    """A batch says what its facts say one by one (law 4)."""
    facts = [ACCEPTED, answer("received"), answer("executed")]

    assert fold(lane(command()), facts, NOW) == story(lane(command()), *((0, fact) for fact in facts))


def test_a_lost_announcement() -> None:
    """A command that nobody announced is found when its lane is looked at (law 3)."""
    assert states(decide(lane(command()), TIME, NOW + 2)) == ["sent"]


# ---- waiting


def test_offline() -> None:
    """A vehicle that is away gets its command when it comes back."""
    told = story(
        lane(command(), presence=Presence.OFFLINE), (0, ACCEPTED), (9, birth("session-2")), (10, answer("executed"))
    )

    assert states(told) == ["queued", "sent", "executed"]
    assert told.changes[0].hop.reason == "vehicle_offline"


def test_unknown_means_try() -> None:
    """A vehicle of which we know nothing is tried (law 9)."""
    assert states(decide(lane(command(), presence=Presence.UNKNOWN, session=None), ACCEPTED, NOW)) == ["sent"]


def test_one_at_a_time_in_order() -> None:
    """One vehicle's commands go out one by one in the order of their acceptance, whatever the order of news (law 5)."""
    both = lane(command("c1", 1), command("c2", 2))
    told = story(
        both,
        (0, Accepted(vin=VIN, command_id="c2")),
        (1, ACCEPTED),
        (2, answer("executed", "c1")),
        (3, answer("executed", "c2")),
    )

    assert [(change.command.id, change.hop.what) for change in told.changes] == [
        ("c1", "sent"),
        ("c2", "queued"),
        ("c1", "executed"),
        ("c2", "sent"),
        ("c2", "executed"),
    ]
    assert told.changes[1].hop.reason == "lane_busy"


def test_a_silent_head_does_not_block_for_ever() -> None:
    """The lane goes on when its head is unconfirmed."""
    both = lane(command("c1", 1), command("c2", 2, accepted_at=NOW + TTL))
    told = story(both, (0, ACCEPTED), (TTL + FINISH_WITHIN, TIME))

    assert [c.state for c in told.lane.commands] == [State.UNCONFIRMED, State.SENT]


# ---- the two times


def test_expired() -> None:
    """Unsent when its time runs out, a command is expired, with what it waited for (law 2)."""
    told = story(lane(command(), presence=Presence.OFFLINE), (0, ACCEPTED), (TTL, TIME))

    (end,) = told.lane.commands
    assert (end.state, end.reason, told.dispatches) == (State.EXPIRED, "vehicle_offline", ())


def test_nothing_leaves_after_its_expiry() -> None:
    """A vehicle that comes back too late gets nothing (law 2)."""
    told = story(lane(command(), presence=Presence.OFFLINE), (0, ACCEPTED), (TTL, birth("session-2")))

    assert states(told) == ["queued", "expired"]


def test_unconfirmed() -> None:
    """Sent, and no answer by the deadline: we don't know, and we say so (law 1)."""
    told = story(sent(), (TTL + FINISH_WITHIN - 1, TIME), (TTL + FINISH_WITHIN, TIME))

    assert states(told)[-1] == "unconfirmed"
    assert told.lane.commands[0].settled_at == DEADLINE


def test_answers_before_timers() -> None:
    """An answer that was told before we looked counts even past the deadline: only time itself ends it (law 8)."""
    told = story(sent(), (TTL + FINISH_WITHIN + 3, answer("executed")))

    assert told.lane.commands[0].state is State.EXECUTED


def test_look_again() -> None:
    """A lane says when it wants to be looked at: for a repeat, for the end of its time, or never."""
    offline = decide(lane(command(), presence=Presence.OFFLINE), ACCEPTED, NOW).lane

    assert offline.look_at(NOW) == NOW + TTL
    assert sent().look_at(NOW) == NOW + ACK_WITHIN
    assert story(sent(), (1, answer("received"))).lane.look_at(NOW) == DEADLINE
    assert story(sent(), (1, answer("executed"))).lane.look_at(NOW) is None


# ---- what is believed


@pytest.mark.parametrize("late", ["received", "executing", "executed", "already_done"])
def test_an_old_answer_or_a_repeat(late: str) -> None:
    """After the last answer, repeats and older ones change nothing (law 5)."""
    done = story(sent(), (1, answer("executed"))).lane
    decision = decide(done, answer(late), NOW + 2)

    assert (decision.lane.commands, decision.changes, decision.refused) == (done.commands, (), ())


def test_an_answer_that_contradicts() -> None:
    """A vehicle that takes back its last answer is not believed, and someone should look at it (law 5)."""
    done = story(sent(), (1, answer("executed"))).lane
    decision = decide(done, answer("failed"), NOW + 2)

    assert (decision.changes, [r.reason for r in decision.refused]) == ((), ["contradicts"])


def test_an_answer_to_a_command_never_sent() -> None:
    """An answer to what never left changes nothing and goes to dead letter (law 5)."""
    waiting = decide(lane(command(), presence=Presence.OFFLINE), ACCEPTED, NOW).lane
    decision = decide(waiting, answer("executed", session="session-9"), NOW + 1)

    assert (decision.changes, [r.reason for r in decision.refused]) == ((), ["never_sent"])


def test_an_answer_to_another_vehicles_command() -> None:
    """A lane holds its own vehicle's commands only, so a foreign id is unknown there (law 5)."""
    decision = decide(sent(), answer("executed", "somebody-elses"), NOW + 1)

    assert (decision.changes, [r.reason for r in decision.refused]) == ((), ["unknown_command"])


def test_an_answer_for_another_service() -> None:
    """An answer that names another service than the command's is not believed."""
    decision = decide(sent(), answer("executed", service="door-lock"), NOW + 1)

    assert (decision.changes, [r.reason for r in decision.refused]) == ((), ["wrong_service"])


def test_a_late_answer() -> None:
    """Unconfirmed is open to the truth for a day, then it is final."""
    silent = story(sent(), (TTL + FINISH_WITHIN, TIME)).lane
    in_time, too_late = DEADLINE + LATE_FACTS_FOR - 1, DEADLINE + LATE_FACTS_FOR

    assert decide(silent, answer("executed"), in_time).lane.commands[0].state is State.EXECUTED
    assert [r.reason for r in decide(silent, answer("executed"), too_late).refused] == ["too_late"]


# ---- repeating


def test_repeated_after_silence() -> None:
    """Without an answer it is sent again, each time after twice the wait, and never past its expiry (laws 2 and 7)."""
    told = story(
        sent(),
        (ACK_WITHIN - 1, TIME),
        (ACK_WITHIN, TIME),
        (ACK_WITHIN + 2 * ACK_WITHIN, TIME),
        (ACK_WITHIN + 2 * ACK_WITHIN + 4 * ACK_WITHIN, TIME),
        (TTL, TIME),
    )

    assert states(told) == ["repeated", "repeated", "repeated"]
    assert [d.attempt for d in told.dispatches] == [2, 3, 4]


def test_not_repeated_once_it_is_delivered() -> None:
    """A vehicle that has it is left in peace."""
    assert story(sent(), (1, answer("received")), (50, TIME)).dispatches == ()


def test_repeated_to_a_vehicle_that_came_back() -> None:
    """A new session may have lost the message or its answer: the vehicle is asked again and repeats its last word."""
    told = story(sent(), (1, answer("received")), (2, birth("session-2", NOW + 2)), (3, TIME), (4, TIME))

    assert states(told) == ["delivered", "repeated"]


@pytest.mark.parametrize(
    ("repeat", "quirks", "session"),
    [
        (Repeat.NEVER, Quirks(), "session-1"),
        (Repeat.IF_DEDUPLICATING, Quirks(deduplicates=False), "session-1"),
        (Repeat.IF_DEDUPLICATING, FORGETFUL, "session-2"),
    ],
)
def test_never_repeated(repeat: Repeat, quirks: Quirks, session: str) -> None:
    """Neither what must never be repeated, nor to a model that would do it twice, nor after it may have forgotten
    (laws 6 and 7).
    """
    told = story(
        sent(terms=terms(repeat=repeat), quirks=quirks),
        (1, birth(session, NOW + 1)),
        *((after, TIME) for after in (ACK_WITHIN, 20, 40, TTL)),
    )

    assert told.dispatches == ()


def test_a_forgetful_model() -> None:
    """A model that forgets on reboot is sent nothing twice: its new session may begin unseen at any moment (law 7)."""
    assert story(sent(quirks=FORGETFUL), (ACK_WITHIN, TIME), (2 * ACK_WITHIN, TIME)).dispatches == ()


def test_withdrawn_while_on_its_way() -> None:
    """Once someone wished to withdraw it, or the grant has ended, what was sent is not sent again (law 11)."""
    for news in ({"cancel_asked_at": NOW}, {"grant_until": NOW + 1}):
        first = msgspec.structs.replace(sent().commands[0], **news)

        assert story(sent().with_command(first), (ACK_WITHIN, TIME)).dispatches == ()


def test_who_comes_back_all_the_time() -> None:
    """A vehicle at the edge of coverage is sent a command again at most once a second, and not for ever."""
    happens = [(n / 10, birth(f"session-{n}", NOW + n / 10)) for n in range(2, 500)]
    told = story(sent(), *(step for at, fact in happens for step in ((at, fact), (at, TIME))))

    assert len(told.dispatches) == MOST_ATTEMPTS - 1
    gaps = [b.issued_at - a.issued_at for a, b in pairwise(told.dispatches)]
    assert min(gaps) >= BETWEEN_SESSIONS


def test_a_birth_that_is_told_late() -> None:
    """An old session's birth, told again after a crash, does not replace the session that we know (law 5)."""
    known = story(lane(), (0, birth("session-2", NOW))).lane

    assert story(known, (1, birth("session-1", NOW - 9))).lane.vehicle == known.vehicle


def test_a_clock_that_is_set_back() -> None:
    """A fresh report tells that a clock was corrected: a wrong start locks no doors for good (law 10)."""
    wrong = story(lane(), (0, birth("session-2", NOW, NOW + 4000))).lane
    report = StateReported(vin=VIN, session="session-2", arrived_at=NOW + 60, vehicle_at=NOW + 60, signals={})

    assert story(wrong, (60, report)).lane.vehicle.clock_offset == 0


def test_flips_of_presence() -> None:
    """However often a vehicle comes and goes, the commands behind the first write no line of their timelines."""
    many = lane(*(command(f"c{n}", n) for n in range(1, 20)), presence=Presence.OFFLINE)
    waiting = decide(many, ACCEPTED, NOW).lane
    told = story(
        waiting,
        *((n, fact) for n in range(20) for fact in (birth(f"s-{n}", NOW + n), will(f"s-{n}", NOW + n))),
    )

    assert {change.command.id for change in told.changes} == {"c1"}


# ---- what did not leave


def test_did_not_leave() -> None:
    """Proof that nobody heard it makes a command unsent again, and the vehicle offline (law 9)."""
    told = story(sent(), (1, did_not_leave(1)))

    (waits,) = told.lane.commands
    assert (waits.state, waits.reason, waits.sent_at) == (State.QUEUED, "vehicle_offline", None)
    assert told.lane.vehicle.presence is Presence.OFFLINE


def test_did_not_leave_then_expired() -> None:
    """What provably never left expires: certainly not (law 1)."""
    assert states(story(sent(), (1, did_not_leave(1)), (TTL, TIME))) == ["queued", "expired"]


def test_did_not_leave_but_is_back() -> None:
    """If the vehicle came back before we heard of the failed attempt, it is sent again at once."""
    told = story(sent(), (1, birth("session-2", NOW + 1)), (2, did_not_leave(1)))

    assert [d.attempt for d in told.dispatches] == [2]
    assert told.lane.vehicle.presence is Presence.ONLINE


def test_one_of_two_did_not_leave() -> None:
    """While one attempt may have left, the command may have happened: no proof about another changes that (law 1)."""
    told = story(sent(), (ACK_WITHIN, TIME), (ACK_WITHIN + 1, did_not_leave(2)), (TTL + FINISH_WITHIN, TIME))

    assert told.lane.commands[0].state is State.UNCONFIRMED


def test_both_did_not_leave() -> None:
    """When every attempt is proved to have stayed, the command is unsent again."""
    told = story(sent(), (ACK_WITHIN, TIME), (6, did_not_leave(1)), (7, did_not_leave(2)), (7, did_not_leave(2)))

    assert told.lane.commands[0].state is State.QUEUED


def test_a_late_proof() -> None:
    """Even an unconfirmed command becomes certain when it is proved that it never left."""
    told = story(sent(), (TTL + FINISH_WITHIN, TIME), (TTL + FINISH_WITHIN + 1, did_not_leave(1, reason="expired")))

    assert told.lane.commands[0].state is State.EXPIRED


# ---- presence


def test_a_will_of_another_session() -> None:
    """The will of an old connection does not end the new one (law 9)."""
    told = story(lane(), (0, birth("session-2")), (1, will("session-1")))

    assert told.lane.vehicle.presence is Presence.ONLINE
    assert story(told.lane, (2, will("session-2"))).lane.vehicle.presence is Presence.OFFLINE


def test_a_state_report_is_a_sign_of_life() -> None:
    """Who reports its state is there, even if its birth was lost; its signals are kept (law 9)."""
    report = StateReported(vin=VIN, session="session-3", arrived_at=NOW, vehicle_at=NOW, signals={"Vehicle.Speed": 0})
    told = story(lane(command(), presence=Presence.OFFLINE), (0, ACCEPTED), (1, report))

    assert states(told) == ["queued", "sent"]
    assert told.lane.vehicle.signals == {"Vehicle.Speed": 0}


# ---- cancelling, grants, clocks


def wished(lane: Lane) -> Lane:
    """The lane after its first command's cancel wish was stored."""
    first = msgspec.structs.replace(lane.commands[0], cancel_asked_at=NOW)
    return lane.with_command(first)


def test_cancelled() -> None:
    """What has not left can be withdrawn."""
    waiting = decide(lane(command(), presence=Presence.OFFLINE), ACCEPTED, NOW).lane
    told = story(wished(waiting), (1, CancelAsked(vin=VIN, command_id="c1")))

    assert (told.lane.commands[0].state, told.lane.commands[0].reason) == (State.CANCELLED, "asked")


def test_too_late_to_cancel() -> None:
    """What was sent can't be withdrawn; but if it turns out that it never left, the wish still counts."""
    told = story(wished(sent()), (1, CancelAsked(vin=VIN, command_id="c1")))
    assert (told.changes, told.lane.commands[0].state) == ((), State.SENT)

    assert story(told.lane, (2, did_not_leave(1))).lane.commands[0].state is State.CANCELLED


@pytest.mark.parametrize("until", [None, NOW])
def test_a_grant_that_ended(until: float | None) -> None:
    """The grant is checked again when the command would leave (law 11)."""
    told = story(lane(command(grant_until=until)), (0, ACCEPTED))

    assert (told.lane.commands[0].state, told.lane.commands[0].reason) == (State.CANCELLED, "grant_ended")
    assert told.dispatches == ()


@pytest.mark.parametrize(("risk", "state"), [(Risk.ACCESS, State.REJECTED), (Risk.COMFORT, State.SENT)])
def test_a_wrong_clock(risk: Risk, state: State) -> None:
    """With too wrong a clock a vehicle's doors stay as they are; less dangerous things go on (law 10)."""
    offset = MAX_CLOCK_ERROR + 1
    told = story(lane(command(terms=terms(risk=risk)), clock_offset=-offset), (0, ACCEPTED))

    assert told.lane.commands[0].state is state


def test_the_vehicles_clock() -> None:
    """A birth tells the vehicle's time anew; within a session a message that was long on its way changes nothing
    (law 10).
    """
    born = story(lane(), (0, birth("session-2", NOW, NOW + 30))).lane
    assert born.vehicle.clock_offset == 30

    delayed = answer("executed", "gone", session="session-2", arrived_at=NOW + 60, vehicle_at=NOW + 50)
    assert story(born, (60, delayed)).lane.vehicle.clock_offset == 30
