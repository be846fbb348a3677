"""What every object of OpenAPI may hold, and what it means when a member of it changes: one table for all.

Documentation breaks nobody. What is judged has its own code. All else that changes is told: a warning where the table
says so, an error otherwise. Extensions (`x-...`) are left out, for OpenAPI 3.1.1 (4.9) lets every reader ignore them;
those that Outrider knows (x-sunset, x-stability-level, x-extensible-enum) are judged.
"""

from collections.abc import Iterator, Mapping

import msgspec

from outrider.gateway.diff.placed import Placed, alike
from outrider.gateway.diff.rules import JUDGED_NOT, change
from outrider.gateway.findings import Change, Severity
from outrider.gateway.openapi import METHODS


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """The members of one kind of object. milder: what is a warning. What is in none of them is an error."""

    documentation: frozenset[str]
    judged: frozenset[str]
    milder: frozenset[str]


def _members(documentation: str, judged: str, milder: str = "") -> Members:
    names = (frozenset(names.split()) for names in (documentation, judged, milder))
    return Members(documentation=next(names), judged=next(names), milder=next(names))


_METHODS = " ".join(METHODS)
_ABOUT = "summary description externalDocs tags operationId deprecated"

MEMBERS: Mapping[str, Members] = {
    # The same API may be written in 3.0 and in 3.1. Servers, security and components count where something uses them.
    "document": _members("openapi info tags externalDocs", "paths webhooks servers security components"),
    "path": _members("summary description", f"$ref parameters servers {_METHODS}"),
    # No call has the operationId; oasdiff, too, has it as mere information.
    "operation": _members(
        "summary description externalDocs tags operationId",
        "parameters requestBody responses callbacks deprecated security servers",
    ),
    "parameter": _members(
        "description example examples",
        "name in required deprecated schema content style explode allowReserved allowEmptyValue",
    ),
    "request body": _members("description", "content required"),
    "media type": _members("example examples", "schema"),
    # Links are advice on what to call next; a program that follows them may miss one.
    "response": _members("summary description", "headers content", milder="links"),
    "header": _members("description example examples deprecated", "required schema content style explode"),
    # The bearerFormat is a hint to readers, by the specification.
    "security scheme": _members("description bearerFormat", "type name in scheme flows"),
    "flow": _members("", "authorizationUrl tokenUrl scopes", milder="refreshUrl"),
    "server": _members("description", "url variables"),
    "server variable": _members("description", "enum"),
    "path of a webhook": _members("summary description", f"$ref {_METHODS}"),
    "webhook": _members(_ABOUT, "requestBody responses"),
    "response to a webhook": _members("summary description", "content"),
}


def rest(kind: str, old: Placed, new: Placed, where: str = "") -> Iterator[Change]:
    """What changed of two objects of a kind and is neither documentation nor judged elsewhere. where: in words, such
    as ` of the query parameter limit`.
    """
    known = MEMBERS[kind]
    was, now = dict(old.members()), dict(new.members())
    for name in {**was, **now}:
        if name.startswith("x-") or name in known.documentation or name in known.judged:
            continue
        if not alike(was.get(name), now.get(name)):
            level = Severity.WARN if name in known.milder else Severity.ERROR
            yield unjudged(f"{name}{where}", was.get(name) or old, now.get(name) or new, level)


def unjudged(what: str, old: Placed | None, new: Placed | None, level: Severity = Severity.ERROR) -> Change:
    """Something changed of which nobody knows what it does to callers."""
    return msgspec.structs.replace(change(JUDGED_NOT, old, new, what=what), severity=level)
