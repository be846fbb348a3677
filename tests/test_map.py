"""The map and the laws: what flow.py and the design say is found again in code and tests."""

import re
from importlib import import_module
from pathlib import Path

from outrider.adapters.streams import CONSUMERS, STREAMS
from outrider.cli.up import SERVICES
from outrider.flow import FLOW, TOGETHER, WRITERS

TESTS = Path(__file__).parent
NOT_BUILT = {12}
"""Law 12, verification by signals, comes later, as do conflicts; their terms are kept with each command already."""


def test_every_stop_is_a_module() -> None:
    """Who follows the map finds each service in a module of its own, and can run it alone."""
    for stop in FLOW:
        assert import_module(f"outrider.services.{stop.service}").__doc__
    assert {stop.service for stop in FLOW} == set(SERVICES)


def test_every_subject_of_the_map_has_a_stream() -> None:
    """What a stop gives to a stream, a stream takes; and each consumer is a stop of the map (law 13)."""
    roots = {subject.split(".")[0] for stream in STREAMS for subject in stream.subjects or []}
    given = {
        subject.split(".")[0] for stop in FLOW for subject in stop.gives if "/" not in subject and " " not in subject
    }

    assert given <= roots
    assert set(CONSUMERS) == {stop.service for stop in FLOW} - {"creation", "admission"}
    assert WRITERS <= set(TOGETHER)


def test_every_law_is_proved_somewhere() -> None:
    """Each law is named by at least one test that proves it."""
    named: set[int] = set()
    for file in TESTS.rglob("test_*.py"):
        for laws in re.findall(r"\blaws? ([\d, and]+)", file.read_text("utf-8")):
            named |= {int(number) for number in re.findall(r"\d+", laws)}

    assert named >= set(range(1, 14)) - NOT_BUILT
