"""The simulated vehicle in conversation: what comes, what it says and does."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.domain.catalog import Quirks
from outrider.simulator.behaviour import BEHAVIOURS, NORMAL, Behaviour, late
from outrider.simulator.messages import Topic
from outrider.simulator.vehicle import Action, Memory, Note, Say, Vehicle
from tests.contract import validator
from tests.simulator.garage import LOCKED, NOON, SERVICES, WARMTH, command, command_id, model

SESSION = "session-1"
SCHEMAS = {Topic.ANSWER: "Answer", Topic.STATE: "State", Topic.PRESENCE: "Presence"}


def car(behaviour: Behaviour = NORMAL, **differs: Any) -> Vehicle:
    """A vehicle that is online since noon and acts at once."""
    quirks = Quirks(**differs.pop("quirks", {}))
    made: dict[str, Any] = {"pace": 0.0, "behaviour": behaviour, **differs}
    vehicle = Vehicle("0UTR1DERS00000001", model(quirks=quirks), SERVICES, **made)
    vehicle.connected(SESSION, NOON)
    return vehicle


def heard(actions: Iterable[Action], topic: Topic = Topic.ANSWER) -> list[dict[str, Any]]:
    """What it said on a topic, each message checked against the contract."""
    for said in actions:
        if isinstance(said, Say):
            validator(SCHEMAS[said.topic]).validate(json.loads(said.body))
    return [json.loads(said.body) for said in actions if isinstance(said, Say) and said.topic is topic]


def answers(actions: Iterable[Action]) -> list[str]:
    """Its answers in a few words."""
    return [
        answer["status"] + (f": {answer['reason']}" if "reason" in answer else "") for answer in heard(list(actions))
    ]


def deeds(actions: Iterable[Action]) -> list[str | None]:
    """The ids of the commands that it performed."""
    return [done.id for done in actions if isinstance(done, Note) and done.what == "performed"]


def test_performs_what_it_is_asked() -> None:
    """A command is received, executed and answered, the signals show it, and a state report tells."""
    vehicle = car()

    done = vehicle.receive(command(service="climate-start", temperature=22.5), NOON + 1)

    assert answers(done) == ["received", "executing", "executed"]
    assert deeds(done) == [command_id(1)]
    assert [report["signals"][WARMTH] for report in heard(done, Topic.STATE)] == [22.5]


def test_takes_its_time() -> None:
    """A vehicle of pace 1 needs as long as the catalog says, and its signals change when it is done."""
    vehicle = car(pace=1.0)

    assert answers(vehicle.receive(command(), NOON)) == ["received", "executing"]
    assert vehicle.due == NOON + 2
    assert vehicle.pass_time(NOON + 1.9) == []
    assert vehicle.signals[LOCKED] is False
    assert answers(vehicle.pass_time(NOON + 2)) == ["executed"]
    assert vehicle.signals[LOCKED] is True


def test_repeats_its_last_answer() -> None:
    """Law 7: an id that comes again is answered with the last answer, and nothing is performed."""
    vehicle = car(pace=1.0)
    vehicle.receive(command(), NOON)

    assert answers(vehicle.receive(command(), NOON + 1)) == ["executing"]
    vehicle.pass_time(NOON + 2)
    again = vehicle.receive(command(), NOON + 3)

    assert answers(again) == ["executed"]
    assert deeds(again) == []


def test_knows_an_id_before_it_looks_at_the_expiry() -> None:
    """Law 7: a repeat that comes after the expiry is answered with what happened, not with `expired`."""
    vehicle = car()
    vehicle.receive(command(), NOON)

    assert answers(vehicle.receive(command(), NOON + 3600)) == ["executed"]


def test_refuses_what_is_expired() -> None:
    """Law 2: no vehicle begins after `expires_at`."""
    late_command = car().receive(command(), NOON + 60.001)

    assert answers(late_command) == ["rejected: expired"]
    assert deeds(late_command) == []


@pytest.mark.parametrize("service", ["charge-start", "make-coffee"])
def test_refuses_what_it_cannot_do(service: str) -> None:
    """A service that the model or the whole catalog does not have is rejected as unsupported."""
    assert answers(car().receive(command(service=service), NOON)) == ["rejected: unsupported"]


def test_refuses_what_it_cannot_make_sense_of() -> None:
    """A command that lacks a parameter is rejected; nothing is performed by guessing."""
    vague = car().receive(command(service="climate-start"), NOON)

    assert (answers(vague), deeds(vague)) == (["rejected: wrong_params"], [])


def test_gives_a_result() -> None:
    """Where a service has a result, the final answer carries it, and its repeat too."""
    vehicle = car()
    found = {"latitude": 48.1}

    first = heard(vehicle.receive(command(service="vehicle-find"), NOON))
    again = heard(vehicle.receive(command(service="vehicle-find"), NOON + 1))

    assert [answer.get("result") for answer in first + again] == [None, None, found, found]


EXPECTED = {
    "normal": (["received", "executing", "executed"], 1),
    "already_done": (["received", "already_done"], 0),
    "refuses": (["rejected: doors_open"], 0),
    "fails": (["received", "executing", "failed: actuator_fault"], 0),
    "silent": ([], 0),
    "late": ([], 1),
    "doubles": (["received", "received", "executing", "executing", "executed", "executed"], 1),
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_behaviours(behaviour: str) -> None:
    """Each behaviour says and does what its name promises."""
    said = car(BEHAVIOURS[behaviour]).receive(command(), NOON)

    assert (answers(said), len(deeds(said))) == EXPECTED[behaviour]


def test_late_answers_tell_when_it_happened() -> None:
    """A late vehicle acts in time and answers after its delay, with the time of the deed."""
    vehicle = car(late(30))
    vehicle.receive(command(), NOON)

    assert vehicle.signals[LOCKED] is True
    assert vehicle.pass_time(NOON + 29) == []
    said = heard(vehicle.pass_time(NOON + 30))
    assert [answer["status"] for answer in said] == ["received", "executing", "executed"]
    assert {answer["at"] for answer in said} == {"2026-11-22T12:00:00Z"}


def test_has_its_own_clock() -> None:
    """Law 10: a vehicle whose clock is ahead judges the expiry, and dates what it says, by its own clock."""
    vehicle = car(clock_offset=300.0)

    assert answers(vehicle.receive(command(1, expires_at=NOON + 299), NOON)) == ["rejected: expired"]
    on_time = vehicle.receive(command(2, expires_at=NOON + 301), NOON)
    assert {answer["at"] for answer in heard(on_time)} == {"2026-11-22T12:05:00Z"}


def test_birth_comes_first() -> None:
    """A new connection begins with the birth message and then the state; its will is of the same session."""
    vehicle = car()

    born = vehicle.connected("session-2", NOON + 9)

    assert [said.topic for said in born if isinstance(said, Say)] == [Topic.PRESENCE, Topic.STATE]
    assert heard(born, Topic.PRESENCE) == [{"session": "session-2", "status": "online", "at": "2026-11-22T12:00:09Z"}]
    will = Say(Topic.PRESENCE, vehicle.will("session-2"))
    assert heard([will], Topic.PRESENCE) == [{"session": "session-2", "status": "offline"}]


def test_reports_its_state_regularly() -> None:
    """Law 9: the state is reported at least every `state_every` seconds, and only while connected."""
    vehicle = car()

    assert vehicle.due == NOON + 120
    assert len(heard(vehicle.pass_time(NOON + 120), Topic.STATE)) == 1
    assert vehicle.due == NOON + 240
    vehicle.disconnected()
    assert vehicle.pass_time(NOON + 500) == []


def test_says_again_what_the_broker_may_not_have() -> None:
    """A final answer that was not acknowledged is said on the next connection, with the session of that connection."""
    vehicle = car()
    vehicle.receive(command(1), NOON)
    vehicle.receive(command(2), NOON)
    vehicle.acknowledged(command_id(1))
    vehicle.disconnected()

    again = heard(vehicle.connected("session-2", NOON + 5))

    assert [(answer["id"], answer["status"], answer["session"]) for answer in again] == [
        (command_id(2), "executed", "session-2")
    ]


def test_goes_on_without_a_connection() -> None:
    """A deed begun before the connection was lost is done, and told afterwards."""
    vehicle = car(pace=1.0)
    vehicle.receive(command(), NOON)
    vehicle.disconnected()

    assert deeds(vehicle.pass_time(NOON + 2)) == [command_id(1)]
    assert answers(vehicle.connected("session-2", NOON + 3)) == ["executed"]


def test_remembers_through_a_reboot() -> None:
    """Law 7: ids are stored durably; a rebooted vehicle performs no command again."""
    vehicle = car()
    vehicle.receive(command(), NOON)

    vehicle.reboot(NOON + 1)
    vehicle.connected("session-2", NOON + 9)

    again = vehicle.receive(command(), NOON + 10)
    assert (answers(again), deeds(again)) == (["executed"], [])


def test_memory_is_a_value() -> None:
    """A new vehicle with the memory of another knows the commands of the other."""
    memory = Memory()
    car(memory=memory).receive(command(), NOON)

    assert deeds(car(memory=memory).receive(command(), NOON)) == []


def test_reboot_in_the_middle_is_a_failure() -> None:
    """A deed that a reboot cut off may be half done: it has failed, and is not begun again."""
    vehicle = car(pace=1.0)
    vehicle.receive(command(), NOON)

    vehicle.reboot(NOON + 1)

    assert answers(vehicle.connected("session-2", NOON + 9)) == ["failed: rebooted"]
    assert deeds(vehicle.receive(command(), NOON + 10)) == []


@pytest.mark.parametrize("reboots", [True, False])
def test_forgets_when_its_model_does(reboots: bool) -> None:
    """A model that forgets on reboot knows an id within one session only: a repeat in the next would be performed."""
    vehicle = car(quirks={"forgets_on_reboot": True})
    vehicle.receive(command(), NOON)
    assert deeds(vehicle.receive(command(), NOON)) == []

    if reboots:
        vehicle.reboot(NOON + 1)
    vehicle.connected("session-2", NOON + 9)

    assert deeds(vehicle.receive(command(), NOON + 10)) == [command_id(1)]


def test_a_forgetful_model_says_nothing_of_what_it_forgot() -> None:
    """A reboot in the middle of a deed leaves a forgetful model without a word about it: the platform is not told."""
    vehicle = car(pace=1.0, quirks={"forgets_on_reboot": True})
    vehicle.receive(command(), NOON)

    vehicle.reboot(NOON + 1)

    assert answers(vehicle.connected("session-2", NOON + 9)) == []


def test_performs_again_when_its_model_does_not_deduplicate() -> None:
    """A model without deduplication performs every message: the platform must not repeat."""
    vehicle = car(quirks={"deduplicates": False})

    assert len(deeds(vehicle.receive(command(), NOON) + vehicle.receive(command(), NOON))) == 2


def test_remembers_for_a_day() -> None:
    """Law 7: an id is known until `expires_at` + 24 h, and its memory is free an hour later."""
    vehicle = car()
    vehicle.receive(command(1), NOON)

    vehicle.receive(command(2, expires_at=NOON + 90_000), NOON + 60 + 24 * 3600 - 1)
    assert command_id(1) in vehicle.memory.answers
    vehicle.receive(command(3, expires_at=NOON + 99_000), NOON + 60 + 25 * 3600)
    assert command_id(1) not in vehicle.memory.answers


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"id": 7}'])
def test_ignores_what_it_does_not_understand(body: bytes) -> None:
    """What is not a command is noted and not answered."""
    assert car().receive(body, NOON) == [Note("malformed")]


happenings = st.lists(
    st.one_of(
        st.integers(1, 4),
        st.sampled_from(["time", "disconnect", "connect", "reboot", "acknowledge"]),
    ),
    max_size=40,
)


@given(happenings, st.sampled_from(sorted(BEHAVIOURS)), st.sampled_from([0.0, 1.0]))
def test_performs_each_id_at_most_once(happens: list[int | str], behaviour: str, pace: float) -> None:
    """Law 1: whatever comes, in whatever order, an id is performed once at most, and all that is said is valid."""
    vehicle, now, said = car(BEHAVIOURS[behaviour], pace=pace), NOON, list[Action]()
    for turn, happening in enumerate(happens):
        now += 1.5
        match happening:
            case int(number):
                said += vehicle.receive(command(number), now)
            case "time":
                said += vehicle.pass_time(now)
            case "disconnect":
                vehicle.disconnected()
            case "connect":
                said += vehicle.connected(f"session-{turn}", now)
            case "reboot":
                vehicle.reboot(now)
            case "acknowledge":
                vehicle.acknowledged(command_id(1))
    said += vehicle.pass_time(now + 60)

    heard(said)
    assert all(times == 1 for times in Counter(deeds(said)).values())
