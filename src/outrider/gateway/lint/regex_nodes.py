"""What a regular expression consists of, once it was read."""

from typing import TypeAlias

import msgspec

from outrider.gateway.lint.characters import Ranges


class Chars(msgspec.Struct, frozen=True):
    """One of these characters."""

    ranges: Ranges


class Sequence(msgspec.Struct, frozen=True):
    parts: tuple["Node", ...]


class Choice(msgspec.Struct, frozen=True):
    options: tuple["Node", ...]


class Repeat(msgspec.Struct, frozen=True):
    """most: None is without end."""

    what: "Node"
    least: int
    most: int | None


class Look(msgspec.Struct, frozen=True):
    """(?=...), (?!...), (?<=...), (?<!...)"""

    what: "Node"
    ahead: bool
    negated: bool


class Start(msgspec.Struct, frozen=True):
    """The very beginning of the text."""


class End(msgspec.Struct, frozen=True):
    """The very end of the text."""


class Boundary(msgspec.Struct, frozen=True):
    """Between a character of a word and one that is none."""

    negated: bool


Node: TypeAlias = Chars | Sequence | Choice | Repeat | Look | Start | End | Boundary
