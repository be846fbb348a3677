"""A command's timeline as a person reads it."""

from typing import Any

import pytest
import typer

from outrider.cli.timeline import told

COMMAND: dict[str, Any] = {
    "id": "019a9e4c-8f2b-7c3d-9a51-0e6f7a8b9c0d",
    "vin": "WVWZZZ1KZAW000001",
    "service": "climate-start",
    "params": {"temperature": 21, "duration": 600},
    "state": "executed",
    "reason": None,
    "outcome": "done",
    "result": None,
    "settled": True,
    "final": True,
    "happened": "it did",
    "attempt": 2,
    "accepted_at": "2026-11-22T02:14:05.000Z",
    "sent_at": "2026-11-22T02:14:05.004Z",
    "settled_at": "2026-11-22T02:14:07.254Z",
    "expires_at": "2026-11-22T02:19:05.000Z",
    "deadline": "2026-11-22T02:19:25.000Z",
    "timeline": [
        {"what": "accepted", "state": "accepted", "reason": None, "attempt": None, "after": 0.0, "by": "backend"},
        {"what": "queued", "state": "queued", "reason": "vehicle_offline", "after": 0.001, "by": "backend"},
        {"what": "sent", "state": "sent", "reason": None, "attempt": 1, "after": 0.004, "by": "backend"},
        {"what": "repeated", "state": "sent", "reason": None, "attempt": 2, "after": 1.004, "by": "backend"},
        {"what": "delivered", "state": "delivered", "reason": None, "attempt": None, "after": 1.05, "by": "vehicle"},
        {"what": "executed", "state": "executed", "reason": None, "attempt": None, "after": 2.25, "by": "vehicle"},
    ],
    "seconds": {"total": 2.25, "backend": 0.004, "vehicle": 2.246},
}

STORY = """\
climate-start  executed: done
  vehicle   WVWZZZ1KZAW000001
  command   019a9e4c-8f2b-7c3d-9a51-0e6f7a8b9c0d
  asked     temperature=21 duration=600
  accepted  2026-11-22 02:14:05Z
  expires   2026-11-22 02:19:05Z, deadline 2026-11-22 02:19:25Z
  happened  it did

      AFTER  BACKEND                             VEHICLE
    0.000 s  accepted
    0.001 s  queued: vehicle_offline
    0.004 s  sent
    1.004 s  repeated (attempt 2)
    1.050 s                                      delivered
    2.250 s                                      executed

2.250 s in all: 0.004 s backend, 2.246 s vehicle"""


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who wants no colours."""
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.usefixtures("plain")
def test_a_timeline_reads_as_a_story() -> None:
    """Each hop has its time since the start, in the column of whoever made it."""
    assert "\n".join(told(COMMAND)) == STORY


@pytest.mark.usefixtures("plain")
def test_it_fits_a_hundred_columns() -> None:
    """No line is wider than a terminal that people use."""
    assert max(len(line) for line in told(COMMAND)) <= 100


def test_states_are_coloured() -> None:
    """Where there is a terminal, a good end is green and a bad one red."""
    failed = COMMAND | {"state": "failed", "outcome": None, "reason": "actuator_fault"}

    assert typer.style("executed: done", fg="green") in next(told(COMMAND))
    assert typer.style("failed: actuator_fault", fg="red") in next(told(failed))


@pytest.mark.usefixtures("plain")
def test_a_command_that_is_under_way_has_a_story_too() -> None:
    """What is not known yet is left out."""
    sent = COMMAND | {
        "state": "sent",
        "outcome": None,
        "happened": "yes",
        "timeline": COMMAND["timeline"][:3],
        "settled": False,
        "seconds": {"total": 1.5, "backend": 0.004, "vehicle": 1.496},
    }

    story = "\n".join(told(sent))

    assert story.startswith("climate-start  sent\n")
    assert "yes, it was sent" in story
    assert story.endswith("1.500 s so far: 0.004 s backend, 1.496 s vehicle")
    assert "None" not in story
