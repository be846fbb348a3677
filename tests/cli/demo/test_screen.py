"""How the demo looks, with and without a terminal."""

from typing import Any

import pytest
from rich.console import Console

from outrider.cli.demo.cast import HARD, ORDINARY, Play, Role
from outrider.cli.demo.scene import Scene
from outrider.cli.demo.screen import Lines, summary, table
from outrider.simulator.driver import Car

REFUSES = next(play for play, _ in HARD if play.behaviour == "refuses")


def _scene(play: Play, state: str, reason: str | None = None, fault: str | None = None) -> Scene:
    role = Role(play=play, model="falcon-electric", service="destination-send", params={}, expires_in=None)
    scene = Scene(role, Car(vin="0UTR1DERS00000017", model=role.model, credential=""))
    hops = [_hop("accepted", 0.0), _hop(state, 1.25, reason)]
    settled = state not in ("sent", "queued")
    scene.command = {
        "id": "1",
        "state": state,
        "reason": reason,
        "outcome": "done" if state == "executed" else None,
        "settled": settled,
        "timeline": hops,
        "seconds": {"total": 1.25},
    }
    scene.faults = [fault] if fault else []
    return scene


def _hop(state: str, after: float, reason: str | None = None) -> dict[str, Any]:
    return {"what": state, "state": state, "reason": reason, "after": after}


def _drawn(width: int, *scenes: Scene) -> list[str]:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table(scenes, width))
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_a_row_tells_all_of_a_command_in_a_hundred_columns() -> None:
    """Nothing is cut: car, model, service, behaviour, state, why, time, and whether that was expected."""
    lines = _drawn(100, _scene(ORDINARY, "executed"), _scene(REFUSES, "unconfirmed", "vehicle_offline", "wrong"))

    assert " ".join(lines[0].split()) == "CAR MODEL SERVICE THIS CAR STATE WHY TIME ENDED"
    assert " ".join(lines[1].split()) == "0017 falcon-electric destination-send obeys executed done 1.2 s as expected"
    assert lines[2] == ""
    assert lines[3].split()[-6:] == ["refuses", "unconfirmed", "vehicle_offline", "1.2", "s", "UNEXPECTED"]


def test_on_a_narrow_terminal_the_model_is_left_out() -> None:
    """The rest still has room."""
    [_, line] = _drawn(90, _scene(ORDINARY, "executed"))

    assert " ".join(line.split()) == "0017 destination-send obeys executed done 1.2 s as expected"


def test_without_a_terminal_each_hop_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Said once, however often it is looked at; the last says whether it was expected."""
    lines, scene = Lines(), _scene(REFUSES, "rejected", "doors_open")
    lines.show([scene])
    lines.show([scene])

    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[0].endswith("accepted")
    assert said[1].endswith("rejected: doors_open  (as expected)")


def test_the_last_lines_count_the_ends() -> None:
    """And say that the promise was kept, or what was not."""
    kept = summary([_scene(ORDINARY, "executed"), _scene(ORDINARY, "executed"), _scene(REFUSES, "rejected")], 9.0, [])
    broken = summary([_scene(ORDINARY, "sent")], 9.0, ["it is still sent"])

    assert "3 commands in 9.0 s: " in kept[1]
    assert "2 executed" in kept[1]
    assert "None was lost" in kept[2]
    assert "1 LOST" in broken[2]
    assert broken[-1] == "  it is still sent"
