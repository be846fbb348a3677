"""The files of products and environments: how they are opened, read and checked for form, so that every fault has its
place.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import ELOOP
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from outrider.common.json_path import JsonPath, dotted
from outrider.common.json_schema import Schema
from outrider.common.yaml_positions import SIZE_LIMIT, Document, Position, YamlError, read_yaml
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.literals import literal_secrets

SCHEMAS = Path(__file__).parent / "schema"
"""`product.json`, `environment.json` and `governance.json`: the published schemas of these files."""

_START = Position(1, 1)
T = TypeVar("T")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read. file: as the caller named it."""

    file: str
    raw: bytes
    document: Document

    @property
    def data(self) -> Any:
        return self.document.data

    def fault(self, path: JsonPath, message: str) -> Fault:
        """What is wrong with one field."""
        return Fault(file=self.file, position=self.document.position(path), field=dotted(path), message=message)


def content(path: Path, limit: int = SIZE_LIMIT, *, inside: Path | None = None) -> bytes:
    """The bytes of a plain file, at most one more than `limit`; `inside`: the folder that no link may lead out of.

    Raises `Refused`.
    """
    try:
        if inside is not None and not path.resolve(strict=True).is_relative_to(inside.resolve()):
            raise _refused(path, "leads out of its folder; put the file itself here")
        if path.exists() and not path.is_file():
            raise _refused(path, "is no plain file")
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise _refused(path, "there is no such file") from None
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) or error.errno == ELOOP:  # one or the other, by the version of Python
            raise _refused(path, "leads to itself; put the file itself here") from None
        raise _refused(path, f"cannot be read: {error.strerror or error}") from None


def parse(raw: bytes, file: str, limit: int = SIZE_LIMIT) -> Source:
    """The data of a YAML file, with the place of every field. Raises `Refused`."""
    try:
        return Source(file=file, raw=raw, document=read_yaml(raw, limit))
    except YamlError as error:
        faults = [Fault(file=file, position=s.position, field=s.field, message=s.message) for s in error.slips]
        raise Refused(*faults) from None


def form_faults(source: Source, name: str) -> list[Fault]:
    """Where the file holds secrets, or has another form than the published schema of this name says."""
    found = list(literal_secrets(source.document, source.raw, source.file, by_name=True))
    secret = {fault.field for fault in found}
    for each in schema(name).faults(source.data):
        fault = source.fault(each.path, each.message)
        if fault.field not in secret:
            found.append(fault)
    return found


def converted(data: Any, into: type[T]) -> T:
    """The struct that the data says, once its form was found right."""
    return msgspec.convert(_whole(data), into)


@contextmanager
def gathering(faults: list[Fault | str]) -> Iterator[None]:
    """What is refused in the block is added to `faults`, and the next thing can be looked at."""
    try:
        yield
    except Refused as refused:
        faults += refused.faults


def refuse(faults: Sequence[Fault | str]) -> None:
    """Raise `Refused` with all of them, each once, in the order of files and lines; none: go on."""
    if faults:
        raise Refused(*sorted(dict.fromkeys(faults), key=_place))


def absolute(path: Path) -> Path:
    """The path as it is spelled, from the root: `..` undone by name, links not followed."""
    return Path(os.path.abspath(path))


@cache
def schema(name: str) -> Schema:
    """A published schema by its name: `product`, `environment`, `governance`."""
    return Schema(msgspec.json.decode((SCHEMAS / f"{name}.json").read_bytes()))


def _whole(value: Any) -> Any:
    """`5.0` is a whole number to JSON Schema, and not to msgspec."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(member) for name, member in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value


def _place(fault: Fault | str) -> tuple[str, int, int]:
    return ("", 0, 0) if isinstance(fault, str) else (fault.file, fault.position.line, fault.position.column)


def _refused(path: Path, message: str) -> Refused:
    return Refused(Fault(file=str(path), position=_START, field="", message=message))
