"""THE MAP: the way of a command, stop by stop. The runner starts what is listed here; docs/flow.md is drawn from it.

    app ──HTTP──▶  CREATION ──accepted──▶ PROCESSING ──dispatch──▶ OUTGOING ──MQTT──▶ vehicle
                                           ▲      │                                      │
    app ◀──── GET, Prefer: wait ───────────┼──────┘                                      │
                                           └──answered── INCOMING ◀──────────MQTT────────┘

To follow a command, read this file, then services/creation.py, domain/deciding.py (with services/processing.py around
it), services/outgoing.py and services/incoming.py.
"""

from typing import NamedTuple


class Stop(NamedTuple):
    """One service: what it takes, what it gives, whether it writes to the store, and what it is for."""

    service: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    writes: bool
    does: str


FLOW = (
    Stop(
        "creation",
        takes=("HTTP",),
        gives=("facts.accepted", "facts.cancel"),
        writes=True,
        does="checks what a person asks for, stores it, says 202, announces it",
    ),
    Stop(
        "processing",
        takes=("facts.*", "the clock"),
        gives=("dispatch", "events.command", "deadletter"),
        writes=True,
        does="decides, persists, watches the clock; the only one that changes a command's state",
    ),
    Stop(
        "outgoing",
        takes=("dispatch",),
        gives=("outrider/v1/{vin}/command", "facts.unsent"),
        writes=False,
        does="turns a dispatch into the vehicle's message and gives it to the link; keeps nothing",
    ),
    Stop(
        "incoming",
        takes=("outrider/v1/{vin}/answer", "outrider/v1/{vin}/state", "outrider/v1/{vin}/presence"),
        gives=("facts.answer", "facts.state", "facts.presence", "facts.several", "deadletter"),
        writes=False,
        does="checks what vehicles say and turns it into facts; keeps nothing",
    ),
    Stop(
        "admission",
        takes=("a vehicle that connects",),
        gives=("its own topics, or a refusal",),
        writes=False,
        does="answers NATS whether a vehicle may connect; apart, so that a storm of reconnects slows no command",
    ),
)

TOGETHER = tuple(stop.service for stop in FLOW if stop.service != "admission")
"""What `outrider up` runs in one process; admission gets its own."""
WRITERS = frozenset(stop.service for stop in FLOW if stop.writes)
