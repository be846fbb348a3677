"""YAML that is data and nothing else, with the line of every value.

Read is what YAML 1.2 calls the core schema: mappings with text keys, lists, text, numbers, true, false, null; `yes`,
`on` and dates are text. What makes files surprising is refused: a key given twice, anchors and aliases (a short file
can stand for gigabytes), tags, more than one document, infinite numbers, depth beyond 64, more than 200,000 values.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import yaml

from outrider.common.json_path import JsonPath, dotted

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: the same events, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

SIZE_LIMIT = 1024 * 1024
"""Bytes of the largest file that is read, unless the reader says otherwise."""

DEPTH_LIMIT = 64
SLIPS_LIMIT = 50
"""As many slips of one file are told; a stranger's file may have thousands."""

VALUES_LIMIT = 200_000
"""So many values may one file hold; a megabyte of prose has few, one of brackets would take seconds to read."""


class Position(msgspec.Struct, frozen=True):
    """A place in a file as editors count it: both from 1."""

    line: int
    column: int


class Slip(msgspec.Struct, frozen=True):
    """One thing in a file that cannot be read: where, in which field (may be empty), and what to do."""

    position: Position
    field: str
    message: str


class YamlError(ValueError):
    """The text is not YAML as Outrider reads it."""

    def __init__(self, slips: tuple[Slip, ...]) -> None:
        super().__init__("; ".join(f"line {slip.position.line}: {slip.message}" for slip in slips))
        self.slips = slips


class Document(msgspec.Struct, frozen=True):
    """The data of one YAML file, and where each of its fields begins (the key of a member, the value of an item)."""

    data: Any
    positions: dict[JsonPath, Position]

    def position(self, path: JsonPath) -> Position:
        """Where the field begins; for one that is not there, where the nearest thing around it begins."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, Position(1, 1))


def read_yaml(raw: bytes, limit: int = SIZE_LIMIT) -> Document:
    """Read one YAML document from its bytes (UTF-8, at most `limit` of them). Raises `YamlError` with all that it met
    until it had to stop.
    """
    if len(raw) > limit:
        raise YamlError((Slip(Position(1, 1), "", f"is larger than {limit} bytes; split it"),))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Position(raw.count(b"\n", 0, error.start) + 1, 1)
        raise YamlError((Slip(place, "", "is not UTF-8; save the file as UTF-8"),)) from None
    reading = _Reading(text)
    try:
        data = reading.document()
    except yaml.YAMLError as error:
        reading.slips.append(_syntax_slip(error, text))
    if reading.slips:
        raise YamlError(tuple(reading.slips))
    return Document(data, reading.positions)


class _Reading:
    """One pass over the events of a text. Slips are collected, so that one look at the file mends several."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.positions: dict[JsonPath, Position] = {}
        self.slips: list[Slip] = []

    def document(self) -> Any:
        self._loader = _Loader(self._text)
        data: Any = None
        documents = 0
        for event in self._events():
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self._slip(event, (), "a second document begins here; one file holds one")
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, ())
                data = value if documents == 1 else data
        return data

    def _events(self) -> Iterator[Any]:
        while self._loader.check_event():
            yield self._loader.get_event()

    def _value(self, event: Any, path: JsonPath) -> Any:
        self.positions.setdefault(path, _position(event))
        if len(self.positions) > VALUES_LIMIT:
            message = f"has more than {VALUES_LIMIT:,} values by here; split it"
            raise YamlError((*self.slips, Slip(_position(event), "", message)))
        if isinstance(event, yaml.AliasEvent):
            self._slip(event, path, f"*{event.anchor} is an alias; write the value out")
            return None
        if event.anchor:
            self._slip(event, path, f"&{event.anchor} is an anchor; remove it")
        if event.tag not in (None, "!"):
            self._slip(event, path, f"{event.tag} is a tag; write a plain value")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if len(path) >= DEPTH_LIMIT:
            # Nothing below is worth reading, and reading on would only go deeper.
            place = _position(event)
            raise YamlError((*self.slips, Slip(place, dotted(path[:3]) + "...", "is nested too deeply")))
        return self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._sequence(path)

    def _mapping(self, path: JsonPath) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key in iter(self._loader.get_event, None):
            if isinstance(key, yaml.MappingEndEvent):
                break
            name = self._key(key, path)
            member = (*path, name)
            if name in members:
                first = self.positions[member].line
                self._slip(key, member, f"is there twice, first on line {first}; keep one")
            self.positions.setdefault(member, _position(key))
            members[name] = self._value(self._loader.get_event(), member)
        return members

    def _key(self, event: Any, path: JsonPath) -> str:
        if isinstance(event, yaml.ScalarEvent) and not event.anchor and event.tag in (None, "!"):
            return str(event.value)
        self._slip(event, path, "a key must be plain text")
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._value(event, (*path, "?"))
        return "?"

    def _sequence(self, path: JsonPath) -> list[Any]:
        items: list[Any] = []
        for event in iter(self._loader.get_event, None):
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, (*path, len(items))))
        return items

    def _scalar(self, event: Any, path: JsonPath) -> Any:
        if not event.implicit[0]:
            return event.value
        for pattern, meaning in _PLAIN_SCALARS:
            if pattern.fullmatch(event.value):
                try:
                    return meaning(event.value)
                except ValueError:
                    self._slip(event, path, "is not a number that JSON can hold; quote it if it is text")
                    break
        return event.value

    def _slip(self, event: Any, path: JsonPath, message: str) -> None:
        self.slips.append(Slip(_position(event), dotted(path), message))
        if len(self.slips) == SLIPS_LIMIT:
            raise YamlError(tuple(self.slips))


def _whole(text: str, base: int = 10) -> int | float:
    """A whole number; one that 64 bits don't hold as programs that read JSON take it."""
    number = int(text, base)
    if -(2**63) <= number < 2**64:
        return number
    try:
        return float(number)
    except OverflowError:
        raise ValueError(text) from None


def _finite(text: str) -> float:
    number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(number):
        raise ValueError(text)
    return number


# The order matters: what is a whole number also reads as a number.
_PLAIN_SCALARS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"null|Null|NULL|~|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]+"), _whole),
    (re.compile(r"0o[0-7]+"), lambda text: _whole(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: _whole(text[2:], 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), _finite),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: _finite(text.lower())),
)


def _position(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)


def _syntax_slip(error: yaml.YAMLError, text: str) -> Slip:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        place = Position(error.problem_mark.line + 1, error.problem_mark.column + 1)
        return Slip(place, "", f"is not YAML: {error.problem}")
    line = text.count("\n", 0, getattr(error, "position", 0)) + 1
    return Slip(Position(line, 1), "", f"is not YAML: {getattr(error, 'reason', error)}")
