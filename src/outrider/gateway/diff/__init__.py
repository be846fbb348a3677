"""What changed between two OpenAPI documents and breaks callers, or may: a pure function.

It goes by the contract and not by what a server happens to accept. The ids and levels are oasdiff's (`rules.py`). What
is not told was understood and breaks nobody; what was not understood is told as `cannot-be-judged`.
"""

from collections.abc import Iterator
from datetime import date

import msgspec

from outrider.common.versions import major_and_minor
from outrider.gateway.diff import lifecycle
from outrider.gateway.diff.calls import operation_changes
from outrider.gateway.diff.keywords import rest, unjudged
from outrider.gateway.diff.lifecycle import Notice
from outrider.gateway.diff.operations import Operation, operations, paths
from outrider.gateway.diff.placed import Placed, root, same
from outrider.gateway.diff.schemas import Schemas
from outrider.gateway.diff.security import security_of
from outrider.gateway.diff.webhooks import webhooks_changes
from outrider.gateway.documents import Source, refuse
from outrider.gateway.faults import Fault
from outrider.gateway.findings import Change
from outrider.gateway.openapi import METHODS, not_readable
from outrider.gateway.openapi_references import References


def compare(old: Source, new: Source, *, today: date, notice_days: int = 0) -> tuple[Change, ...]:
    """Every change that breaks callers or may, each once, however many operations it is found in.

    old, new: OpenAPI 3.0 or 3.1. today: in UTC. notice_days: how long before its end a deprecation is to be announced.
    Raises `Refused`: a document cannot be understood; nothing can be said of it then.
    """
    refuse([fault for source in (old, new) for fault in _faults(source)])
    if same(old.data, new.data):
        return ()
    notice = Notice(today, notice_days)
    told: dict[tuple[object, ...], tuple[Change, list[str]]] = {}
    for label, change in _changes(root(old), root(new), notice):
        key = (change.rule, change.old, change.new, change.message)
        labels = told.setdefault(key, (change, []))[1]
        labels += [label] if label not in labels else []
    return tuple(msgspec.structs.replace(change, operation=_several(labels)) for change, labels in told.values())


def new_major_version(old: Source, new: Source) -> bool:
    """Does the new document's `info.version` say that callers must change? A higher major version does, or below 1 a
    higher minor one (https://semver.org, 4 and 8). What is no such version says nothing.
    """
    was, now = _version(old), _version(new)
    if was is None or now is None:
        return False
    return now[0] > was[0] or (was[0] == now[0] == 0 and now[1] > was[1])


def _faults(source: Source) -> Iterator[Fault]:
    if fault := not_readable(source):
        yield fault
    else:
        yield from References(source).faults()


def _changes(old: Placed, new: Placed, notice: Notice) -> Iterator[tuple[str, Change]]:
    """In the order of the old document, each with the operation that it was found in."""
    now = {(each.path, each.method): each for each in operations(new)}
    there, security, schemas = paths(new), security_of(old, new), Schemas(notice)
    for path, (template, item) in paths(old).items():
        yield from ((template, change) for change in _path_changes(item, there.get(path), new))
    for operation in operations(old):
        if not lifecycle.promised(operation.placed):
            continue
        other = now.get((operation.path, operation.method))
        if other is None:
            found = _removed(operation, operation.path in there, notice)
        else:
            found = operation_changes(operation, other, security, schemas, notice)
        label = (other or operation).label
        yield from ((label, change) for change in found)
    yield from webhooks_changes(old, new, schemas)
    yield from (("", change) for change in rest("document", old, new))


def _path_changes(old: Placed, new: tuple[str, Placed] | None, around: Placed) -> Iterator[Change]:
    """What changed of a path besides its operations; of one without any, that it is gone."""
    if new is not None:
        yield from rest("path", old, new[1])
    elif old.value and not any(name in METHODS for name, _ in old.members()):
        yield unjudged("what is at the path", old, around.get("paths") or around)


def _removed(operation: Operation, path_stays: bool, notice: Notice) -> Iterator[Change]:
    ids = lifecycle.OPERATION_REMOVED if path_stays else lifecycle.PATH_REMOVED
    return lifecycle.removed(ids, operation.placed, notice)


def _several(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{labels[0]} and {len(labels) - 1} more"


def _version(source: Source) -> tuple[int, int] | None:
    info = source.data.get("info") if isinstance(source.data, dict) else None
    return major_and_minor(str(info.get("version"))) if isinstance(info, dict) else None
