"""The behaviours of simulated vehicles, as data: a new one is a row in the table."""

import msgspec

from outrider.simulator.messages import Status


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """How a vehicle answers.

    begins: what it says before it acts. ends: what it says afterwards; None: nothing. refuses: it ends without acting.
    after: seconds by which every answer is late. times: how often each answer is said.
    """

    name: str
    begins: tuple[Status, ...] = (Status.RECEIVED, Status.EXECUTING)
    ends: Status | None = Status.EXECUTED
    reason: str | None = None
    refuses: bool = False
    after: float = 0.0
    times: int = 1


NORMAL = Behaviour(name="normal")

BEHAVIOURS = {
    behaviour.name: behaviour
    for behaviour in (
        NORMAL,
        Behaviour(name="already_done", begins=(Status.RECEIVED,), ends=Status.ALREADY_DONE, refuses=True),
        Behaviour(name="refuses", begins=(), ends=Status.REJECTED, reason="doors_open", refuses=True),
        Behaviour(name="fails", ends=Status.FAILED, reason="actuator_fault"),
        Behaviour(name="silent", begins=(), ends=None, refuses=True),
        Behaviour(name="late", after=10.0),
        Behaviour(name="doubles", times=2),
    )
}


def late(seconds: float) -> Behaviour:
    """A vehicle that does as it is told, and whose answers come `seconds` after the deed."""
    return msgspec.structs.replace(BEHAVIOURS["late"], after=seconds)
