"""Which streams there are between the services, who reads them, and why they are kept as they are."""

from typing import Any

from nats.js import api

ACK_WAIT = 2.0
"""Seconds after which a message that a crashed reader held comes again: well within the 5 s of the promise (law 1)."""
DAY = 86_400.0
MIB = 1024**2
"""NATS sets aside what the streams may grow to, so together they must fit a small disk."""

_work: dict[str, Any] = {"retention": api.RetentionPolicy.WORK_QUEUE, "duplicate_window": 120}

STREAMS = (
    # What vehicles say. Per subject bounded and discarding the old, so that one mad vehicle fills nothing.
    api.StreamConfig(
        name="UPLINK",
        subjects=["outrider.v1.*.answer", "outrider.v1.*.state", "outrider.v1.*.presence"],
        max_msgs_per_subject=1000,
        max_msg_size=64 * 1024,
        max_bytes=512 * MIB,
        max_age=DAY,
        discard=api.DiscardPolicy.OLD,
        **_work,
    ),
    # Facts for processing. When full, incoming and creation wait: nothing that was taken is dropped.
    api.StreamConfig(name="FACTS", subjects=["facts.>"], max_bytes=512 * MIB, discard=api.DiscardPolicy.NEW, **_work),
    # In memory on purpose, and delivered once: a dispatch that came back after its broker's death could make a vehicle
    # perform twice. One that is lost is repeated by processing where that is safe (docs/decisions/0003).
    api.StreamConfig(
        name="DISPATCH",
        subjects=["dispatch.>"],
        storage=api.StorageType.MEMORY,
        max_bytes=256 * MIB,
        max_age=600,
        **_work,
    ),
    # News for whoever listens: filter by subject, read from where you were.
    api.StreamConfig(
        name="EVENTS",
        subjects=["events.>"],
        max_bytes=512 * MIB,
        max_age=7 * DAY,
        duplicate_window=120,
        allow_direct=True,
    ),
    # What broke the contract: a few per reason and vehicle are enough to find out why.
    api.StreamConfig(
        name="DEADLETTER", subjects=["deadletter.>"], max_msgs_per_subject=20, max_bytes=64 * MIB, max_age=14 * DAY
    ),
)

CONSUMERS = {
    "incoming": ("UPLINK", -1),
    "processing": ("FACTS", -1),
    "outgoing": ("DISPATCH", 1),  # delivered once, whatever happens to outgoing (law 6)
}
