"""What checks find: a rule that a document breaks, a change that would break its callers. Both name their places.

Whatever they say is printable: names and messages hold what strangers wrote.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import TypeAlias

import msgspec

from outrider.common import json_path
from outrider.common.json_path import JsonPath
from outrider.common.words import counted, keep_printable
from outrider.common.yaml_positions import Position


class Severity(IntEnum):
    """How bad it is. Only an error keeps a product from being published."""

    ERROR = 0
    WARN = 1
    INFO = 2
    HINT = 3

    @property
    def word(self) -> str:
        """As rulesets write it."""
        return self.name.lower()

    @property
    def noun(self) -> str:
        """What one is that is so bad."""
        return ("error", "warning", "note", "hint")[self]


class Place(msgspec.Struct, frozen=True):
    """Where in a document. file: as the caller named it. path: as the document is written, references not followed."""

    file: str
    position: Position
    path: JsonPath

    def __post_init__(self) -> None:
        keep_printable(self, "file")

    def __str__(self) -> str:
        return f"{self.file}:{self.position.line}:{self.position.column}"

    @property
    def pointer(self) -> str:
        """As waivers name a place: `#/paths/~1v1~1stations/get`."""
        return json_path.pointer(self.path)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that is broken. message: what is wrong. why: the rule's description. mend: what to write instead."""

    rule: str
    severity: Severity
    message: str
    place: Place
    why: str = ""
    mend: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        for name in ("why", "mend"):  # prose, which its author may have broken into lines
            msgspec.structs.force_setattr(self, name, " ".join(getattr(self, name).split()))
        keep_printable(self, "rule", "message", "why", "mend", "url")

    @property
    def sentence(self) -> str:
        """What was found."""
        return self.message


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two documents. rule: oasdiff's id of it. operation: such as `GET /v1/stations`, or empty.

    old, new: its places in the two documents; one is None where it is only in the other.
    """

    rule: str
    severity: Severity
    message: str
    operation: str = ""
    old: Place | None
    new: Place | None

    def __post_init__(self) -> None:
        keep_printable(self, "rule", "message", "operation")

    @property
    def place(self) -> Place:
        """Where to look first: in the new document, unless it is gone there."""
        place = self.new or self.old
        assert place is not None
        return place

    @property
    def sentence(self) -> str:
        """What was found, and of which operation."""
        return f"{self.operation}: {self.message}" if self.operation else self.message


Found: TypeAlias = Finding | Change


def tally(found: Iterable[Found]) -> list[str]:
    """How many of each severity that there is: `2 errors`, `1 warning`."""
    severities = [one.severity for one in found]
    return [counted(severities.count(each), each.noun) for each in Severity if each in severities]
