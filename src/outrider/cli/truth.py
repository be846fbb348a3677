"""What the platform claims against what the cars say they did: the judgement of demo and bench. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from outrider.domain.lifecycle import CERTAINLY_NOT, State

Deeds = Mapping[tuple[str, str], int]
"""How often each car moved for each command, by (VIN, command id): the cars' own record."""


def twice(deeds: Deeds) -> list[tuple[str, str]]:
    """The commands that a car performed more than once."""
    return [which for which, times in deeds.items() if times > 1]


def untrue(commands: Iterable[Mapping[str, Any]], deeds: Deeds) -> Iterator[str]:
    """Each claim that the cars' record contradicts, in words: executed and not performed, or the reverse."""
    for command in commands:
        times = deeds.get((command["vin"], command["id"]), 0)
        state = State(command["state"])
        if state is State.EXECUTED and command["outcome"] == "done" and not times:
            yield f"{command['id']} is said to be executed, and {command['vin']} never did it"
        if state in CERTAINLY_NOT and times:
            yield f"{command['id']} is said to be {state}, and {command['vin']} did it"
