"""How long something that is deprecated must stay, by `deprecated`, `x-sunset` and `x-stability-level`."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from outrider.common.times import moment
from outrider.gateway.diff.placed import Placed, same
from outrider.gateway.diff.rules import change
from outrider.gateway.findings import Change

SUNSET, STABILITY = "x-sunset", "x-stability-level"

LEVELS = ("draft", "alpha", "beta", "stable")
"""What `x-stability-level` may say; each promises more than the one before."""
_NO_PROMISE = LEVELS[:2]


class Notice(msgspec.Struct, frozen=True):
    """today: in UTC. days: between the announcement of an end and the end; 0: an end need not be announced."""

    today: date
    days: int = 0


class Ids(msgspec.Struct, frozen=True):
    """By which ids the same is told of an operation, of a parameter, of a property."""

    missing: str
    parse: str
    too_small: str
    changed_too_small: str
    deleted: str


class RemovedIds(msgspec.Struct, frozen=True):
    """By which ids a removal is told."""

    without_deprecation: str
    before_sunset: str
    parse: str
    missing: str


OPERATION = Ids(
    missing="api-deprecated-sunset-missing",
    parse="api-deprecated-sunset-parse",
    too_small="api-sunset-date-too-small",
    changed_too_small="api-sunset-date-changed-too-small",
    deleted="sunset-deleted",
)
PARAMETER = Ids(
    missing="request-parameter-deprecated-sunset-missing",
    parse="request-parameter-sunset-parse",
    too_small="request-parameter-sunset-date-too-small",
    changed_too_small="request-parameter-sunset-date-changed-too-small",
    deleted="request-parameter-sunset-deleted",
)
PATH_REMOVED = RemovedIds(
    without_deprecation="api-path-removed-without-deprecation",
    before_sunset="api-path-removed-before-sunset",
    parse="api-path-sunset-parse",
    missing="api-deprecated-sunset-missing",
)
OPERATION_REMOVED = RemovedIds(
    without_deprecation="api-removed-without-deprecation",
    before_sunset="api-removed-before-sunset",
    parse="api-path-sunset-parse",
    missing="api-deprecated-sunset-missing",
)
PARAMETER_REMOVED = RemovedIds(
    without_deprecation="request-parameter-removed",
    before_sunset="request-parameter-removed-before-sunset",
    parse="request-parameter-sunset-parse",
    missing="request-parameter-deprecated-sunset-missing",
)


def removed(ids: RemovedIds, old: Placed, notice: Notice, **words: str) -> Iterator[Change]:
    """What is wrong with the removal of something: nothing, once it was deprecated and its day is there."""
    if not old.flag("deprecated"):
        yield change(ids.without_deprecation, old, None, **words)
    elif SUNSET not in old.value:
        if notice.days > 0:
            yield change(ids.missing, old, None, **words)
    elif (end := _day(old.said(SUNSET))) is None:
        yield change(ids.parse, old.get(SUNSET), None, **words)
    elif notice.today < end:
        yield change(ids.before_sunset, old, None, date=end.isoformat(), **words)


def changed(ids: Ids, old: Placed, new: Placed, notice: Notice, **words: str) -> Iterator[Change]:
    """What is wrong with the end that something now has. What is no longer deprecated has none."""
    if not new.flag("deprecated"):
        return
    announced = old.flag("deprecated")
    was, now = (old.get(SUNSET) if announced else None), new.get(SUNSET)
    if now is None and was is not None:
        yield change(ids.deleted, was, new, before=str(was.value), **words)
    elif now is None:
        if not announced and notice.days > 0:
            yield change(ids.missing, old, new.get("deprecated"), **words)
    elif was is None or not same(was.value, now.value):
        yield from _end(ids, was, now, notice, words)


def _end(ids: Ids, was: Placed | None, now: Placed, notice: Notice, words: dict[str, str]) -> Iterator[Change]:
    before, after = _day(was.value) if was else None, _day(now.value)
    if after is None:
        yield change(ids.parse, was, now, **words)
    elif (after - notice.today).days < notice.days and not (before and before <= after):
        rule = ids.changed_too_small if before else ids.too_small
        dates = {"date": after.isoformat(), "before": str(before), "days": str(notice.days)}
        yield change(rule, was, now, **dates, **words)


def promised(operation: Placed) -> bool:
    """May callers count on it? Not where it is a draft or in alpha; what says nothing is stable."""
    return operation.said(STABILITY) not in _NO_PROMISE


def stability_changes(old: Placed, new: Placed) -> Iterator[Change]:
    """Where less is promised than before, or nobody knows what."""
    was, now = old.said(STABILITY, "stable"), new.said(STABILITY, "stable")
    if same(was, now):
        return
    if now not in LEVELS:
        yield change("api-invalid-stability-level", old, new.get(STABILITY))
    elif LEVELS.index(now) < LEVELS.index(was if was in LEVELS else "stable"):
        yield change(
            "api-stability-decreased", old.get(STABILITY) or old, new.get(STABILITY), before=str(was), after=now
        )


def _day(value: Any) -> date | None:
    time = moment(value)
    return time.date() if time else None
