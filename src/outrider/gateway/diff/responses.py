"""Answers by their status: which stands for which, where either may be a range such as `2XX`, or `default`.

The status of success says whether a call worked, so one that is gone is a change. How else an operation may fail is
not: callers must expect any failure anyway.
"""

import re
from collections.abc import Iterator, Mapping

from outrider.gateway.diff.keywords import rest, unjudged
from outrider.gateway.diff.media_types import answered_changes
from outrider.gateway.diff.parameters import written_changes
from outrider.gateway.diff.placed import Placed, members
from outrider.gateway.diff.rules import change
from outrider.gateway.diff.schemas import Schemas, Side
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Change

_STATUS = re.compile(r"[1-5](\d\d|XX)|default")
_NOT_MODIFIED = "304"
"""Whoever asks whether there is something new must expect the whole answer, too (RFC 9110, 13.1)."""


def responses_changes(old: Placed, new: Placed, schemas: Schemas) -> Iterator[Change]:
    """What changed of the answers of an operation."""
    was, now = statuses(old), statuses(new)
    for status, response in was.items():
        if status not in now and not _still_comes(status, was, now):
            yield _gone(status, response, new.get("responses") or new)
    for before, after in pairs(was, now):
        yield from _changes(was[before], now[after], after, schemas)


def statuses(operation: Placed) -> dict[str, Placed]:
    """The responses by their statuses, references followed. Raises `Refused`: a status is none."""
    found: dict[str, Placed] = {}
    for status, response in members(operation.get("responses")).items():
        if _STATUS.fullmatch(status):
            found[status] = response.followed()
        elif not status.startswith("x-"):
            message = "is no status; write one such as 200, a range such as 2XX, or default"
            raise Refused(operation.source.fault(response.path, message))
    return found


def pairs(was: Mapping[str, Placed], now: Mapping[str, Placed]) -> Iterator[tuple[str, str]]:
    """Each status of either document with what counted or counts for it in the other."""
    found: list[tuple[str | None, str | None]] = [(status, meant_by(status, now)) for status in was]
    found += [(meant_by(status, was), status) for status in now]
    for before, after in dict.fromkeys(found):
        if before and after:
            yield before, after


def meant_by(status: str, responses: Mapping[str, Placed]) -> str | None:
    """Which of the responses counts for a status; None where none does. Where a success is written out, `default` is
    how it fails.
    """
    default = "default" if status[0] in "45" or not any(map(_is_success, responses)) else ""
    return next((each for each in (status, f"{status[0]}XX", default) if each in responses), None)


def _is_success(status: str) -> bool:
    return status.startswith("2")


def _still_comes(status: str, was: Mapping[str, Placed], now: Mapping[str, Placed]) -> bool:
    """May callers go on as before, though the status itself is no longer there?"""
    if status == "default":  # it is how it succeeds only where nothing else is
        return any(map(_is_success, was)) or any(map(_is_success, now))
    if status[0] in "45" or status == _NOT_MODIFIED or f"{status[0]}XX" in now:
        return True
    return status.endswith("XX") and any(each[0] == status[0] for each in now)


def _gone(status: str, response: Placed, new: Placed) -> Change:
    if _is_success(status) or status == "default":
        return change("response-success-status-removed", response, new, status=status)
    return unjudged(f"the answer {status}", response, new)


def _changes(old: Placed, new: Placed, status: str, schemas: Schemas) -> Iterator[Change]:
    yield from rest("response", old, new, f" of the answer {status}")
    yield from answered_changes(old, new, Side.RESPONSE, schemas, status)
    was, now = _headers(old), _headers(new)
    for name, header in was.items():
        words = {"status": status, "name": name}
        if name not in now:
            rule = "required-response-header-removed" if header.flag("required") else "optional-response-header-removed"
            yield change(rule, header, new, **words)
        else:
            yield from _header_changes(header, now[name], words, schemas)


def _headers(response: Placed) -> dict[str, Placed]:
    """By their names without case. Content-Type counts for nothing here (OpenAPI 3.1.1, 4.8.17)."""
    named = members(response.get("headers")).items()
    return {name.lower(): header.followed() for name, header in named if name.lower() != "content-type"}


def _header_changes(old: Placed, new: Placed, words: Mapping[str, str], schemas: Schemas) -> Iterator[Change]:
    if old.flag("required") and not new.flag("required"):
        yield change("response-header-became-optional", old, new, **words)
    name = f"header {words['name']}"
    yield from rest("header", old, new, f" of the {name}")
    yield from written_changes(old, new, name, Side.RESPONSE_HEADER, schemas)
