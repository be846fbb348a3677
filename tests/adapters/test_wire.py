"""What goes over the wire: between the services, to vehicles, and what vehicles may say."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outrider.adapters import wire
from outrider.domain.lane import Presence
from outrider.domain.lifecycle import State
from outrider.domain.messages import (
    Accepted,
    Answered,
    AnswerStatus,
    CancelAsked,
    Change,
    DeadLetter,
    DidNotLeave,
    Dispatch,
    Hop,
    PresenceChanged,
    StateReported,
)
from tests.contract import document, validator
from tests.domain.lanes import NOW, VIN, command

ID = "019aa9f0-6c1e-7b6a-9d43-5c8f1e2d3a4b"
SESSION = "n4bQgYhMfWWaL-qg"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TIME = "2026-11-22T10:00:00.250000Z"
GOLDEN = Path(__file__).parent / "wire"

DISPATCH = Dispatch(
    command_id=ID,
    vin=VIN,
    service="climate-start",
    model="falcon-electric",
    params={"temperature": 21},
    issued_at=NOW,
    expires_at=NOW + 60,
    attempt=2,
    clock_offset=-1.5,
    traceparent=TRACE,
)
EXECUTED = Change(
    command=command(ID, state=State.EXECUTED, outcome="done", result={"latitude": 47.1}, version=5, traceparent=TRACE),
    hop=Hop(command_id=ID, version=5, what="executed", state=State.EXECUTED, at=NOW + 3),
)
HEARD: dict[str, Any] = {"vin": VIN, "session": SESSION, "arrived_at": NOW, "vehicle_at": NOW + 0.25}
ANSWERED = Answered(
    **HEARD, command_id=ID, service="vehicle-find", status=AnswerStatus.EXECUTED, result={"latitude": 47.1}
)
LETTER = DeadLetter(vin=VIN, reason="bad_answer", detail="no id", source="answer", at=NOW, payload="{}")

STREAMED = {
    "fact-accepted": wire.fact_message(f"{ID}-accepted", Accepted(vin=VIN, command_id=ID)),
    "fact-cancel": wire.fact_message(f"{ID}-cancel", CancelAsked(vin=VIN, command_id=ID)),
    "fact-answer": wire.fact_message("uplink-1", ANSWERED),
    "fact-presence": wire.fact_message("uplink-2", PresenceChanged(**HEARD, presence=Presence.ONLINE)),
    "fact-state": wire.fact_message("uplink-3", StateReported(**HEARD, signals={"Vehicle.Speed": 0.5})),
    "fact-unsent": wire.fact_message(
        f"{ID}-unsent-2", DidNotLeave(vin=VIN, command_id=ID, attempt=2, reason="not_reachable")
    ),
    "facts-several": wire.facts_messages("uplink-4", [Accepted(vin=VIN, command_id=ID), ANSWERED])[0],
    "dispatch": wire.dispatch_message(DISPATCH),
    "event": wire.change_message(EXECUTED),
    "dead-letter": wire.letter_message(LETTER),
    "command": wire.Message(wire.command_subject(VIN), wire.order(DISPATCH), {}),
}


@pytest.mark.parametrize("name", STREAMED)
def test_golden(name: str) -> None:
    """A message goes out exactly as its golden file has it: subject, headers and body, as a receiver sees them."""
    message = STREAMED[name]
    seen = {"subject": message.subject, "headers": message.headers, "body": json.loads(message.data)}

    assert seen == json.loads((GOLDEN / f"{name}.json").read_text())


def test_every_golden_file_is_compared() -> None:
    """No golden file is left over from a message that is not sent any more."""
    assert {file.stem for file in GOLDEN.glob("*.json")} == set(STREAMED)


def test_an_event_tells_no_secret() -> None:
    """Parameters and results stay out of events, for they may say where a person is."""
    assert not {"params", "result", "asked_by"} & json.loads(wire.change_message(EXECUTED).data).keys()


# ---- there and back

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False), texts
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(texts, values, max_size=4)
times = st.floats(0, 4e9)
heard: dict[str, st.SearchStrategy[Any]] = {
    "vin": st.just(VIN),
    "session": texts,
    "arrived_at": times,
    "vehicle_at": st.none() | times,
}
facts = st.one_of(
    st.builds(Accepted, vin=st.just(VIN), command_id=texts),
    st.builds(CancelAsked, vin=st.just(VIN), command_id=texts),
    st.builds(
        Answered,
        **heard,
        command_id=texts,
        service=texts,
        status=st.sampled_from(AnswerStatus),
        reason=st.none() | texts,
        result=st.none() | objects,
    ),
    st.builds(PresenceChanged, **heard, presence=st.sampled_from(Presence)),
    st.builds(StateReported, **heard, signals=objects),
    st.builds(DidNotLeave, vin=st.just(VIN), command_id=texts, attempt=st.integers(1, 9), reason=texts),
)
dispatches = st.builds(
    Dispatch,
    command_id=st.uuids().map(str),
    vin=st.just(VIN),
    service=st.just("climate-start"),
    model=texts,
    params=objects,
    issued_at=times,
    expires_at=times,
    attempt=st.integers(1, 99),
    clock_offset=st.floats(-1e12, 1e12),
    traceparent=st.just(TRACE),
)


@given(facts)
def test_a_fact_comes_out_as_it_went_in(fact: Any) -> None:
    """Whatever a fact holds, processing reads the very same."""
    assert wire.read_facts(wire.fact_message("id", fact).data) == [fact]


@given(st.lists(facts, min_size=1, max_size=20), st.integers(1, 2000))
def test_facts_told_together_come_out_in_order(told: list[Any], most: int) -> None:
    """In as many messages as their size asks for, each with an id of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "MOST_TOLD", most)
        messages = wire.facts_messages("id", told)

    assert [fact for message in messages for fact in wire.read_facts(message.data)] == told
    assert len({message.headers["Nats-Msg-Id"] for message in messages}) == len(messages)


def test_facts_told_together_stay_below_the_limit() -> None:
    """The largest things that vehicles may say fit into messages that NATS takes (320 KB)."""
    largest = StateReported(**HEARD, signals={"Vehicle.X": "x" * wire.LARGEST})

    messages = wire.facts_messages("id", [largest] * 100)

    assert 1 < len(messages) < 10
    assert max(len(message.data) for message in messages) < 256 * 1024


@given(dispatches)
def test_a_dispatch_comes_out_as_it_went_in(dispatch: Dispatch) -> None:
    """Outgoing reads the dispatch that processing made."""
    assert wire.read_dispatch(wire.dispatch_message(dispatch).data) == dispatch


@given(texts, texts, times)
def test_a_letter_comes_out_as_it_went_in(detail: str, payload: str, at: float) -> None:
    """A dead letter is read as it was buried."""
    letter = DeadLetter(vin=VIN, reason="bad_state", detail=detail, source="state", at=at, payload=payload)

    assert wire.read_letter(wire.letter_message(letter).data) == letter


@pytest.mark.parametrize("data", [b"", b"{}", b"not json", b'{"fact": "time", "vin": "x"}', b'{"fact": "rumour"}'])
def test_what_is_no_fact_is_refused(data: bytes) -> None:
    """A broken fact raises; so does "time passed", which nobody may tell over the stream (law 8)."""
    with pytest.raises(ValueError):  # noqa: PT011 - the wire's errors are all kinds of ValueError
        wire.read_facts(data)


# ---- what vehicles get


@given(dispatches)
@example(msgspec.structs.replace(DISPATCH, clock_offset=1e12))
@example(msgspec.structs.replace(DISPATCH, clock_offset=-1e12))
def test_a_vehicle_gets_what_the_contract_says(dispatch: Dispatch) -> None:
    """Every command fits the AsyncAPI document, however wrong the vehicle's clock is."""
    order = wire.order(dispatch)

    validator("Command").validate(json.loads(order))


def test_a_vehicle_gets_times_by_its_own_clock() -> None:
    """The vehicle is 1.5 s behind: so are the times that it is told (law 10)."""
    order = json.loads(wire.order(DISPATCH))

    assert (order["issued_at"], order["expires_at"]) == ("2027-01-15T07:59:58.500000Z", "2027-01-15T08:00:58.500000Z")


# ---- what vehicles say

BIRTH = {"session": SESSION, "status": "online", "at": TIME}
WILL = {"session": SESSION, "status": "offline"}
STATE = {"session": SESSION, "at": TIME, "signals": {"Vehicle.Speed": 0.5, "Vehicle.IsMoving": False}}
ANSWER = {"id": ID, "service": "door-lock", "status": "executed", "at": TIME, "session": SESSION}
SCHEMAS = {"answer": "Answer", "state": "State", "presence": "Presence"}


def read(kind: str, said: Any) -> Any:
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    return wire.read_said(kind, data).fact(VIN, NOW)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_contracts_examples_are_understood(kind: str) -> None:
    """What the contract gives as an example becomes a fact."""
    for shown in document()["components"]["messages"][kind]["examples"]:
        assert read(kind, shown["payload"]).vin == VIN


def test_facts_of_what_vehicles_say() -> None:
    """The fact has what the vehicle said, whose topic it was, and when the broker had it."""
    at = 1_795_341_600.25

    heard = {"vin": VIN, "session": SESSION, "arrived_at": NOW}
    assert read("presence", BIRTH) == PresenceChanged(**heard, vehicle_at=at, presence=Presence.ONLINE)
    assert read("presence", WILL) == PresenceChanged(**heard, presence=Presence.OFFLINE)
    assert read("state", STATE) == StateReported(**heard, vehicle_at=at, signals=STATE["signals"])
    assert read("answer", ANSWER | {"reason": "doors_open", "result": {"a": [1]}}) == Answered(
        **heard,
        vehicle_at=at,
        command_id=ID,
        service="door-lock",
        status=AnswerStatus.EXECUTED,
        reason="doors_open",
        result={"a": [1]},
    )


def test_members_nobody_named_are_ignored() -> None:
    """A newer vehicle may say more than we know."""
    assert read("presence", BIRTH | {"firmware": "2.1"}) == read("presence", BIRTH)


def without(said: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key != name}


@pytest.mark.parametrize(
    ("kind", "said", "why"),
    [
        ("state", b"", "truncated"),
        ("state", b"hello", "malformed"),
        ("state", b"[]", "Expected `object`"),
        ("state", b'{"session": "\xff"}', "utf-8"),
        ("state", json.dumps(STATE).encode() + b"{}", "trailing"),
        ("state", STATE | {"signals": {"Vehicle.Speed": "x" * wire.LARGEST}}, "at most 16384"),
        ("state", json.dumps(STATE)[:-1].encode() + b', "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "too deeply"),
        ("state", without(STATE, "session"), "missing required field `session`"),
        ("state", without(STATE, "at"), "missing required field `at`"),
        ("state", without(STATE, "signals"), "missing required field `signals`"),
        ("state", STATE | {"session": "short"}, r"\$.session"),
        ("state", STATE | {"session": f"{SESSION}\n"}, r"\$.session"),
        ("state", STATE | {"at": "yesterday"}, r"\$.at"),
        ("state", STATE | {"at": "2026-11-22T10:00:00"}, r"\$.at"),
        ("state", STATE | {"at": "2026-11-22T10:00:00+02:00"}, r"\$.at"),
        ("state", STATE | {"at": "2026-02-30T10:00:00Z"}, "datetime"),
        ("state", STATE | {"at": 1_800_000_000}, r"\$.at"),
        ("state", STATE | {"signals": [1]}, r"\$.signals"),
        ("state", STATE | {"signals": {"speed": 1}}, r"\$.signals"),
        ("state", STATE | {"signals": {"Vehicle.Speed": None}}, r"\$.signals"),
        ("state", STATE | {"signals": {"Vehicle.Speed": {"Vehicle": 1}}}, r"\$.signals"),
        ("state", json.dumps(STATE).replace("0.5", "1e400").encode(), "out of range"),
        ("answer", without(ANSWER, "id"), "missing required field `id`"),
        ("answer", without(ANSWER, "service"), "missing required field `service`"),
        ("answer", without(ANSWER, "status"), "missing required field `status`"),
        ("answer", ANSWER | {"id": "1"}, r"\$.id"),
        ("answer", ANSWER | {"service": "Door.Lock"}, r"\$.service"),
        ("answer", ANSWER | {"status": "perhaps"}, r"\$.status"),
        ("answer", ANSWER | {"reason": "Doors are open"}, r"\$.reason"),
        ("answer", ANSWER | {"reason": None}, r"\$.reason"),
        ("answer", ANSWER | {"result": 5}, r"\$.result"),
        ("presence", without(WILL, "session"), "missing required field `session`"),
        ("presence", without(WILL, "status"), "missing required field `status`"),
        ("presence", WILL | {"status": "unknown"}, r"\$.status"),
        ("presence", without(BIRTH, "at"), "at is required"),
    ],
)
def test_what_breaks_the_contract_is_refused_with_the_reason(kind: str, said: Any, why: str) -> None:
    """The dead letter says what is wrong with a message."""
    with pytest.raises(ValueError, match=why):
        read(kind, said)


def agrees(kind: str) -> Callable[[Any], None]:
    """Both readings of the contract accept a message, or both refuse it."""

    def compare(said: Any) -> None:
        try:
            read(kind, said)
            understood = True
        except ValueError:
            understood = False
        assert understood == validator(SCHEMAS[kind]).is_valid(said), said

    return compare


# Around what is allowed: mostly good members, now and then one that is not, or is missing.
junk = st.one_of(st.none(), scalars, st.just([]), st.just({}))


def near(good: dict[str, Any], **also: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    members = {name: st.just(value) for name, value in good.items()}
    odd = st.sampled_from(sorted({*members, *also})).flatmap(
        lambda name: st.builds(lambda value: {name: value}, also.get(name, junk) | junk)
    )
    kept = st.sampled_from([good, *(without(good, name) for name in good)])
    return st.builds(lambda base, *more: {**base, **{k: v for m in more for k, v in m.items()}}, kept, odd, odd)


sessions = st.from_regex(r"\A[A-Za-z0-9_\-]{6,66}\n?\Z")
moments = st.from_regex(r"\A20[0-9]{2}-[0-3][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{0,10})?[Zz]\Z")
names = st.from_regex(r"\A[a-z][a-z0-9_\-]{0,66}\Z")
signal_names = st.from_regex(r"\AVehicle(\.[A-Za-z0-9]{1,9}){0,25}[.\n]?\Z")


@given(near(STATE, session=sessions, at=moments, signals=st.dictionaries(signal_names, scalars | junk, max_size=3)))
def test_state_is_read_as_the_contract_has_it(said: dict[str, Any]) -> None:
    """For any state report, the platform and the AsyncAPI document agree on whether it is acceptable."""
    agrees("state")(said)


@given(
    near(
        ANSWER,
        id=st.uuids().map(str) | st.uuids().map(lambda u: str(u).upper()),
        service=names,
        status=st.sampled_from(AnswerStatus),
        reason=names,
        result=objects,
        session=sessions,
        at=moments,
    )
)
def test_answers_are_read_as_the_contract_has_them(said: dict[str, Any]) -> None:
    """For any answer, the platform and the AsyncAPI document agree on whether it is acceptable."""
    agrees("answer")(said)


@given(near(BIRTH, status=st.sampled_from(["online", "offline", "unknown", "Online"]), session=sessions, at=moments))
def test_presence_is_read_as_the_contract_has_it(said: dict[str, Any]) -> None:
    """For any presence message, the platform and the AsyncAPI document agree on whether it is acceptable."""
    agrees("presence")(said)


@pytest.mark.parametrize(
    ("kind", "said", "understood"),
    [
        ("answer", ANSWER | {"service": "s" * 64}, True),
        ("answer", ANSWER | {"service": "s" * 65}, False),
        ("answer", ANSWER | {"reason": "r" * 64}, True),
        ("answer", ANSWER | {"reason": "r" * 65}, False),
        ("answer", ANSWER | {"id": ID.upper()}, False),
        ("state", STATE | {"session": "s" * 8}, True),
        ("state", STATE | {"session": "s" * 7}, False),
        ("state", STATE | {"session": "s" * 64}, True),
        ("state", STATE | {"session": "s" * 65}, False),
        ("state", STATE | {"at": "2026-11-22T10:00:00.123456789Z"}, True),
        ("state", STATE | {"at": "2026-11-22T10:00:00.1234567890Z"}, False),
        ("state", STATE | {"at": "2026-11-22T10:00:00.Z"}, False),
        ("state", STATE | {"at": "2026-11-22t10:00:00z"}, False),
        ("state", STATE | {"signals": {f"Vehicle.{'x' * 192}": 1}}, True),
        ("state", STATE | {"signals": {f"Vehicle.{'x' * 193}": 1}}, False),
        ("state", STATE | {"signals": {"Vehicle": 1}}, False),
        ("state", STATE | {"signals": {}}, True),
    ],
)
def test_where_the_contract_draws_the_line(kind: str, said: dict[str, Any], understood: bool) -> None:
    """The longest that is allowed is understood and one more is not, by both readings."""
    assert validator(SCHEMAS[kind]).is_valid(said) == understood
    agrees(kind)(said)
