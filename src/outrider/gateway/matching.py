"""Which operation a request is for, if any: what the compiled routes decide, said of one method and path. Pure."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import msgspec

from outrider.gateway.product import Operation
from outrider.gateway.templates import by_precedence, pattern, unescaped

NEAREST = 3
"""So many published paths are named where a path is not."""

_REFUSED = re.compile(r"%(2f|5c|00)|#|[^!-~]", re.I)


class Found(msgspec.Struct, frozen=True):
    """The request is for this operation."""

    operation: Operation


class OtherMethods(msgspec.Struct, frozen=True):
    """The path is published, but not with this method: 405, with these allowed. path: the template."""

    path: str
    allowed: tuple[str, ...]


class Unpublished(msgspec.Struct, frozen=True):
    """No operation has this path: 404. nearest: the templates that look most like it."""

    nearest: tuple[str, ...]


class BadPath(msgspec.Struct, frozen=True):
    """The path is refused before anything else is looked at: it has an escaped slash, or what no path may have. 400."""


Match = Found | OtherMethods | Unpublished | BadPath


def match(operations: Sequence[Operation], method: str, path: str, *, preflights: bool = False) -> Match:
    """What becomes of a request. path: as a client sends it, with or without a query. preflights: are they answered?"""
    path, _, query = path.partition("?")
    if not path.startswith("/") or _REFUSED.search(path) or "#" in query:
        return BadPath()
    path = normalised(path)
    for template in by_precedence(operation.path for operation in operations):
        if re.fullmatch(pattern(template), path):
            here = with_path(operations, template)
            if method.upper() in here:
                return Found(here[method.upper()])
            return OtherMethods(template, tuple(sorted({*here, *(["OPTIONS"] if preflights else [])})))
    return Unpublished(nearest(operations, path))


def normalised(path: str) -> str:
    """The path as routes see it: needless escapes undone, `.` and `..` resolved, slashes merged."""
    path = unescaped(path).replace("\\", "/")
    *folders, last = path.split("/")[1:]
    kept: list[str] = []
    for segment in folders:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-1:]
    kept.append("" if last in (".", "..") else last)
    return re.sub("/+", "/", "/" + "/".join(kept))


def nearest(operations: Sequence[Operation], path: str) -> tuple[str, ...]:
    """The published paths that look most like this one, the likest first."""
    likeness = {template: _likeness(template, path) for template in {operation.path for operation in operations}}
    return tuple(sorted(likeness, key=lambda template: (-likeness[template], template))[:NEAREST])


def _likeness(template: str, path: str) -> float:
    return SequenceMatcher(a="/".join(_filled(template, path)), b=path, autojunk=False).ratio()


def _filled(template: str, path: str) -> Iterator[str]:
    """The template's segments; where one is a parameter, whatever the path has there, so that it counts as the same."""
    given = path.split("/")
    for number, segment in enumerate(template.split("/")):
        yield given[number] if "{" in segment and number < len(given) else segment


def with_path(operations: Sequence[Operation], path: str) -> dict[str, Operation]:
    """The operations of one path by method, whatever their parameters are called."""
    here = {operation.method.upper(): operation for operation in operations if pattern(operation.path) == pattern(path)}
    return dict(sorted(here.items()))
