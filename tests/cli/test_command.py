"""Asking vehicles and following what becomes of it, on a running platform with simulated vehicles."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import OUTRIDER, Child, Running
from tests.cli.outrider import Said, outrider

Ask = Callable[..., Said]
AWAY = "WVWZZZ1KZAW900001"


@pytest.fixture(scope="module")
def ask(running: Running) -> Ask:
    """Run a command line against the platform; the vehicle AWAY is registered and never online."""
    outrider("vehicle", "add", AWAY, "--model", "falcon-electric", "--data", running.data)
    return lambda *words: outrider(*words, "--data", running.data)


def test_a_command_is_followed_until_it_is_executed(running: Running, ask: Ask) -> None:
    """Each hop is a line as it happens; the last line is the verdict, and the exit code is 0."""
    said = ask(
        "command", "send", running.obeys, "climate-start", "-p", "temperature=21.5", "-p", "duration=600", "--wait"
    )

    assert said.code == 0
    assert re.search(r"^ +0\.\d{3} s  accepted$", said.out, re.MULTILINE)
    assert re.search(r"^ +\d\.\d{3} s {20,}executed$", said.out, re.MULTILINE)
    assert said.out.splitlines()[-1].startswith("executed: ")


def test_a_command_is_shown_with_its_timeline(running: Running, ask: Ask) -> None:
    """Parameters arrived as numbers; the timeline names backend and vehicle."""
    sent = ask("command", "send", running.obeys, "charge-limit", "-p", "limit=80", "--wait", "--json").data

    shown = ask("command", "show", sent["id"])

    assert sent["params"] == {"limit": 80}
    assert shown.code == 0
    assert "limit=80" in shown.out
    assert re.search(r"s in all: \d+\.\d{3} s backend, \d+\.\d{3} s vehicle$", shown.out)
    assert "\x1b" not in shown.out


def test_a_refusal_has_an_exit_code_of_its_own(running: Running, ask: Ask) -> None:
    """Settled, but not executed: 4."""
    said = ask("command", "send", running.refuses, "door-unlock", "--wait")

    assert said.code == 4
    assert said.out.splitlines()[-1].startswith("rejected: doors_open")


def test_a_command_is_followed_for_a_while(ask: Ask) -> None:
    """Not settled in time: 5. It waits for its vehicle, and can be withdrawn, once and again."""
    said = ask("command", "send", AWAY, "door-lock", "--timeout", "0.2", "--json")

    assert said.code == 5
    assert said.data["settled"] is False
    assert ask("command", "cancel", said.data["id"]).code == 0
    assert ask("command", "show", said.data["id"], "--json").data["state"] == "cancelled"


def test_whoever_follows_may_go(running: Running, ask: Ask, tmp_path: Path) -> None:
    """Ctrl-C ends the following with 130 and without a traceback; the command goes on."""
    with Child(
        tmp_path / "log", "command", "send", AWAY, "charge-start", "--wait", "--data", running.data
    ) as following:
        said = following.says("queued: ")

    assert following.stop() == 130
    assert "Traceback" not in following.log.read_text()
    assert ask("command", "cancel", re.findall("command (.*)", said)[0]).code == 0


def test_what_may_have_happened_cant_be_withdrawn(running: Running, ask: Ask) -> None:
    """The platform says no: 1."""
    done = ask("command", "send", running.obeys, "light-flash", "--wait", "--json").data

    said = ask("command", "cancel", done["id"])

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("The command is settled\n")


def test_without_waiting_the_id_is_printed_alone(running: Running, ask: Ask) -> None:
    """So that a shell can keep it; the same idempotency key sends nothing twice."""
    first, again = (ask("command", "send", running.obeys, "horn-blow", "--key", "a-key-of-mine") for _ in range(2))

    assert first.code == 0
    assert re.fullmatch(r"[0-9a-f-]{36}\n", first.out)
    assert again.out == first.out


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["climate-start", "-p", "temperature=99"], "params.temperature: must be at most 28"),
        (["climate-start", "-p", "temperature=warm"], "params.temperature: must be a number"),
        (["climate-start", "-p", "colour=red"], "params.colour: is not known"),
        (["door-lock", "--expires-in", "9999"], "expires_in: must be"),
    ],
)
def test_wrong_parameters_are_named(running: Running, ask: Ask, typed: list[str], complaint: str) -> None:
    """The platform's own words, by field, and nothing is sent."""
    said = ask("command", "send", running.obeys, *typed)

    assert (said.code, said.out) == (1, "")
    assert complaint in said.err


def test_what_is_no_pair_is_a_mistake_of_the_command_line(running: Running, ask: Ask) -> None:
    """Usage: 2."""
    assert ask("command", "send", running.obeys, "climate-start", "-p", "temperature").code == 2


def test_commands_are_listed_newest_first(ask: Ask) -> None:
    """By state and by service."""
    ids = [ask("command", "send", AWAY, "climate-start", "--json").data["id"] for _ in range(2)]

    listed = ask("command", "list", AWAY, "--service", "climate-start", "--state", "queued", "--state", "accepted")

    assert re.findall(r"^[0-9a-f-]{36}", listed.out, re.MULTILINE) == ids[::-1]
    assert max(map(len, listed.out.splitlines())) <= 100
    assert ask("command", "list", AWAY, "--state", "no-such-state").code == 1


def test_a_reader_that_has_seen_enough_ends_it_quietly(running: Running, ask: Ask) -> None:
    """`outrider ... | head -1` leaves no traceback."""
    ask("command", "send", AWAY, "door-lock")
    with subprocess.Popen(
        [*OUTRIDER, "command", "list", AWAY, "--data", str(running.data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
