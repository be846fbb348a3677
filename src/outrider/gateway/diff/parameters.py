"""Parameters of a request, wherever they come in it: each is known by its place and its name."""

from collections.abc import Iterator
from typing import Any

from outrider.gateway.diff import lifecycle
from outrider.gateway.diff.keywords import rest, unjudged
from outrider.gateway.diff.lifecycle import Notice
from outrider.gateway.diff.media_types import only_media_type
from outrider.gateway.diff.operations import Operation
from outrider.gateway.diff.placed import Placed, an_object, same
from outrider.gateway.diff.rules import change
from outrider.gateway.diff.schemas import Schemas, Side
from outrider.gateway.findings import Change

_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
"""How a parameter is written that says nothing else (OpenAPI 3.1.1, 4.8.12.2)."""
_DECLARED_ELSEWHERE = ("accept", "content-type", "authorization")
"""As parameters in headers these count for nothing (the same); media types and security say them."""


def parameter_changes(old: Operation, new: Operation, notice: Notice, schemas: Schemas) -> Iterator[Change]:
    """Everything that changed of the parameters of an operation, its path's included."""
    was, now = _parameters(old), _parameters(new)
    for key, parameter in was.items():
        name = _name(parameter)
        if key not in now:
            yield from lifecycle.removed(lifecycle.PARAMETER_REMOVED, parameter, notice, name=name)
        else:
            yield from _changes(parameter, now[key], name, notice, schemas)
    for key, parameter in now.items():
        if key not in was and key[0] == "path":
            yield change("new-request-path-parameter", None, parameter, name=_name(parameter))
        elif key not in was and parameter.flag("required"):
            yield change("new-required-request-parameter", None, parameter, name=_name(parameter))


def _parameters(operation: Operation) -> dict[tuple[str, str | int], Placed]:
    """By where they are and their name: for headers without case, for the path by the place in it, so that a parameter
    may be renamed there. Those of the operation stand for those of its path.
    """
    found: dict[tuple[str, str | int], Placed] = {}
    for holder in (operation.item, operation.placed):
        for each in listed.items() if (listed := holder.get("parameters")) else ():
            parameter = an_object(each.followed())
            where, name = str(parameter.said("in")), str(parameter.said("name"))
            if where == "path" and name in operation.names:
                found[where, operation.names.index(name)] = parameter
            elif where != "header":
                found[where, name] = parameter
            elif name.lower() not in _DECLARED_ELSEWHERE:
                found[where, name.lower()] = parameter
    return found


def _name(parameter: Placed) -> str:
    return f"{parameter.said('in')} parameter {parameter.said('name')}"


def _changes(old: Placed, new: Placed, name: str, notice: Notice, schemas: Schemas) -> Iterator[Change]:
    yield from lifecycle.changed(lifecycle.PARAMETER, old, new, notice, name=name)
    if new.flag("required") and not old.flag("required"):
        yield change("request-parameter-became-required", old, new, name=name)
    for keyword in ("allowReserved", "allowEmptyValue"):
        if old.flag(keyword) and not new.flag(keyword):
            yield unjudged(f"{keyword} of the {name}", old, new)
    yield from rest("parameter", old, new, f" of the {name}")
    yield from written_changes(old, new, name, Side.REQUEST_PARAMETER, schemas)


def written_changes(old: Placed, new: Placed, name: str, side: Side, schemas: Schemas) -> Iterator[Change]:
    """What changed of the values that a parameter or a header takes, and of how they are written."""
    if "content" in old.value or "content" in new.value:
        yield from only_media_type(old, new, name, side, schemas)
        return
    if (unlike := _written(old, new)) is not None:
        yield unjudged(f"{unlike} of the {name}", old.get(unlike) or old, new.get(unlike) or new)
    yield from schemas.changes(old.get("schema"), new.get("schema"), side, name, text=True)


def _written(old: Placed, new: Placed) -> str | None:
    """By which keyword they are written in another way: the style, or whether each item comes by itself."""
    was, now = _style(old), _style(new)
    if not same(was, now):
        return "style"
    unlike = not same(old.said("explode", was == "form"), new.said("explode", now == "form"))
    return "explode" if unlike else None


def _style(parameter: Placed) -> Any:
    return parameter.said("style", _STYLES.get(str(parameter.said("in", "header"))))
