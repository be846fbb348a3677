"""Objects: what differs in their members, those that are listed, those that match a pattern, and all others.

A member that is listed is part of the contract; what else an object holds is not, unless a schema speaks of it. So in
requests a member may be added that may be left out, and responses may have more members than were listed, even where
`additionalProperties: false` said that there are no more: else no response could ever grow.
"""

from collections.abc import Iterator

from outrider.gateway.diff.placed import Placed
from outrider.gateway.diff.schemas_comparing import Pair
from outrider.gateway.diff.schemas_ending import ending
from outrider.gateway.diff.schemas_equal import equal
from outrider.gateway.diff.schemas_limits import MEMBERS, counts, matches
from outrider.gateway.diff.schemas_meaning import Alternative, NotJudgedError, Part, is_never
from outrider.gateway.diff.schemas_telling import Conjunction, Side
from outrider.gateway.findings import Change

_MOST = 20_000
"""So often is a pattern tried on the name of a member, in one object."""
_EVALUATING = frozenset(("additionalProperties", "unevaluatedProperties"))


def members(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """Why an object that is given may not be what is asked for."""
    sides = _Object(pair, given, pair.given.head), _Object(pair, asked, pair.asked.head, grows=not pair.requests)
    names = dict.fromkeys(name for side in sides for name in (*side.listed, *side.required))
    for name in names:
        yield from _member(pair, *sides, name)
    yield from _others(pair, *sides)
    yield from _by_pattern(pair, *sides)
    yield from _names(pair, *sides)
    yield from _dependent(pair, given, asked)
    least = (len(sides[0].required),) if given.values is None else tuple(map(len, given.values))
    yield from counts(pair, given, asked, MEMBERS, least)


class _Object:
    """What one side says of an object's members. grows: may it have more than it says, though it says it may not?"""

    def __init__(self, pair: Pair, alternative: Alternative, head: Placed, *, grows: bool = False) -> None:
        self.parts = alternative.parts
        self.grows = grows
        self.head = head
        self._known: dict[str, Conjunction] = {}
        hides = "readOnly" if pair.requests else "writeOnly"
        written = [name for part in self.parts for name in part.schema.said("properties") or ()]
        self.patterns = {
            pattern: None for part in self.parts for pattern in part.schema.said("patternProperties") or ()
        }
        if len(self.patterns) * len(set(written)) > _MOST:
            raise NotJudgedError("more members and patterns than can be compared")
        self.hidden = {name for name in written if any(_says(each, hides) for each in self.at(name).schemas)}
        required = (name for part in self.parts for name in part.schema.said("required") or ())
        self.anyway = dict.fromkeys(name for name in required if isinstance(name, str))
        self.listed = {name: None for name in written if name not in self.hidden}
        self.required = {name: None for name in self.anyway if name not in self.hidden}

    def at(self, name: str) -> Conjunction:
        """What is said of the member of this name."""
        if name not in self._known:
            self._known[name] = self._all([each for part in self.parts for each in _at(part, name, self.grows)])
        return self._known[name]

    def others(self) -> Conjunction:
        """What is said of a member that is not listed and matches no pattern."""
        return self._all([each for part in self.parts if (each := additional(part, self.grows)) is not None])

    def matching(self, pattern: str) -> Conjunction:
        """What is said of a member that is not listed and matches this pattern."""
        found = (part.schema.get("patternProperties") for part in self.parts)
        direct = [each for there in found if there is not None and (each := there.get(pattern)) is not None]
        others = (part for part in self.parts if pattern not in (part.schema.said("patternProperties") or ()))
        return self._all([*direct, *filter(None, (additional(part, self.grows) for part in others))])

    def place(self, name: str) -> Placed | None:
        """Where the member is listed."""
        return next((each for part in self.parts for each in _listed(part.schema, name)), None)

    def _all(self, found: list[Placed]) -> Conjunction:
        return Conjunction(tuple(found), found[0] if found else self.head)


def said_of(alternative: Alternative, name: str) -> tuple[Placed, ...]:
    """What is said of the member of this name."""
    return tuple(each for part in alternative.parts for each in _at(part, name))


def additional(part: Part, grows: bool = False) -> Placed | None:
    """What a schema says of members that it does not list; None: nothing."""
    found = part.schema.get("additionalProperties")
    if found is None and not any(each.value.keys() & _EVALUATING for each in part.beside):
        found = part.schema.get("unevaluatedProperties")
    anything = found is None or found.value is True or found.value == {} or (grows and is_never(found))
    return None if anything else found


def closed(members: Conjunction) -> bool:
    """May there be none such?"""
    return any(map(is_never, members.schemas))


def _listed(schema: Placed, name: str) -> list[Placed]:
    found = schema.value.get("properties", ())
    return [Placed(found[name], (*schema.path, "properties", name), schema.source)] if name in found else []


def _at(part: Part, name: str, grows: bool = False) -> list[Placed]:
    own = [*_listed(part.schema, name), *_matching(part.schema, name)]
    if own:
        return own
    rest = additional(part, grows)
    if rest is None:
        return []
    evaluated = any(_listed(each, name) or _matching(each, name) for each in part.beside)
    return [] if evaluated and "additionalProperties" not in part.schema.value else [rest]


def _matching(schema: Placed, name: str) -> list[Placed]:
    matching = []
    said = schema.get("patternProperties")
    for pattern, each in said.members() if said else ():
        found = matches(pattern, name)
        if found is None:
            raise NotJudgedError("the keyword patternProperties")
        matching += [each] if found else []
    return matching


def _says(schema: Placed, keyword: str, depth: int = 8) -> bool:
    """Is the keyword true of the schema, or of what it refers to or is composed of? Any default is."""
    there = schema.referred() if schema.said("$ref") else None
    if there is not None and schema.is_3_0:
        return depth > 0 and _says(there, keyword, depth - 1)
    if schema.said(keyword) is True or (keyword == "default" and schema.get(keyword) is not None):
        return True
    composed = schema.get("allOf")
    inner = [*([there] if there else []), *(composed.items() if composed else [])]
    return depth > 0 and any(_says(each, keyword, depth - 1) for each in inner)


def _member(pair: Pair, given: _Object, asked: _Object, name: str) -> Iterator[Change]:
    there, wanted = given.at(name), asked.at(name)
    listed, wanted_listed = name in given.listed, name in asked.listed
    if name in asked.hidden:
        if listed and pair.requests:
            yield _told(pair, f"request-{_need(given, name)}-property-became-read-only", given, asked, name)
        elif name in given.required and name in asked.anyway:
            yield _told(pair, "response-required-property-became-not-write-only", given, asked, name)
        return
    if listed and wanted_listed and pair.comparing.all_equal(there, wanted):
        if name in asked.required and name not in given.required:
            yield _told(pair, _requirement(pair, given, asked, name), given, asked, name)
        return
    if name in asked.required and name not in given.required:
        yield _told(pair, _requirement(pair, given, asked, name), given, asked, name)
    if closed(there):
        return
    if closed(wanted) and pair.requests:
        yield _told(pair, "request-property-forbidden", given, asked, name)
        return
    if listed and not wanted_listed and pair.requests and not wanted.schemas:
        yield _told(pair, "request-property-removed", given, asked, name)
    elif wanted_listed and not listed and not pair.requests and name not in asked.required:
        yield _told(pair, "response-optional-property-removed", given, asked, name)
    elif pair.strict and listed != wanted_listed:
        rule = "request-property-removed" if pair.requests else "response-optional-property-removed"
        yield _told(pair, rule if listed else "request-property-forbidden", given, asked, name)
    if listed and wanted_listed and pair.exact and not pair.strict:
        yield from ending(pair, given.place(name), asked.place(name))
    if listed or there.schemas or name in given.required:
        pair.below(there, wanted)


def _need(side: _Object, name: str) -> str:
    return "required" if name in side.required else "optional"


def _requirement(pair: Pair, given: _Object, asked: _Object, name: str) -> str:
    """What it is called that a member is asked for which may be missing."""
    if not pair.requests:
        gone = name in asked.listed and name not in given.listed
        return "response-required-property-removed" if gone else "response-property-became-optional"
    what = "request-property-became-required" if name in given.listed else "new-required-request-property"
    return f"{what}-with-default" if any(_says(each, "default") for each in asked.at(name).schemas) else what


def _told(pair: Pair, rule: str, given: _Object, asked: _Object, name: str) -> Change:
    if pair.side is Side.REQUEST_PARAMETER:
        rule = rule.replace("request", "request-parameter", 1)
    if pair.side is Side.RESPONSE_HEADER:
        rule = rule.replace("response", "response-header", 1)
    return pair.tell_member(rule, given.place(name), asked.place(name))


def _others(pair: Pair, given: _Object, asked: _Object) -> Iterator[Change]:
    """What is said of members that are not listed, by all schemas in which no pattern speaks of them."""
    kinds = {None: given.others()} | {pattern: given.matching(pattern) for pattern in given.patterns}
    for pattern, there in kinds.items():
        for part in asked.parts:
            rest = additional(part, asked.grows)
            if rest is None or closed(there) or pattern in (part.schema.said("patternProperties") or ()):
                continue
            if not is_never(rest):
                pair.below(there, Conjunction((rest,), rest))
            else:
                own = "additionalProperties" in part.schema.value
                what = "additional-properties-closed" if own else "unevaluated-properties-added"
                yield pair.tell(what, None, rest)


def _by_pattern(pair: Pair, given: _Object, asked: _Object) -> Iterator[Change]:
    for pattern in asked.patterns:
        there = given.matching(pattern)
        found = [each for part in asked.parts if (each := _of(part, "patternProperties", pattern)) is not None]
        if not there.schemas and pattern not in given.patterns:
            words = {"was": pattern, "now": pattern}
            yield pair.tell(pair.by_side("pattern-property-added", "pattern-property-removed"), None, found[0], **words)
        elif not closed(there):
            pair.below(there, Conjunction(tuple(found), found[0]))


def _of(part: Part, keyword: str, name: str) -> Placed | None:
    found = part.schema.get(keyword)
    return None if found is None else found.get(name)


def _names(pair: Pair, given: _Object, asked: _Object) -> Iterator[Change]:
    there = tuple(each for part in given.parts if (each := part.schema.get("propertyNames")) is not None)
    wanted = tuple(each for part in asked.parts if (each := part.schema.get("propertyNames")) is not None)
    if wanted and not there:
        yield pair.tell(pair.by_side("property-names-added", "property-names-removed"), None, wanted[0])
    elif wanted:
        pair.below(Conjunction(there, there[0]), Conjunction(wanted, wanted[0]))


def _dependent(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    known = {name for part in given.parts for name in part.schema.said("required") or ()}
    there = _dependencies(given)
    for name, wanted in _dependencies(asked).items():
        lacking = [each for each in wanted if each not in known and each not in there.get(name, ())]
        if lacking:
            what = pair.by_side("added", "removed") if name not in there else "changed"
            points = pair.points(given, asked, "dependentRequired")
            yield pair.tell(f"dependent-required-{what}", *points, was=name, now=", ".join(lacking))
    for part in asked.parts:
        found = part.schema.get("dependentSchemas")
        for name, schema in found.members() if found else ():
            others = [each for other in given.parts if (each := _of(other, "dependentSchemas", name)) is not None]
            if not others:
                what = pair.by_side("dependent-schema-added", "dependent-schema-removed")
                yield pair.tell(what, None, schema, was=name)
            elif not any(equal(each, schema) for each in others):
                raise NotJudgedError("the keyword dependentSchemas")


def _dependencies(alternative: Alternative) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in alternative.parts:
        for name, names in (part.schema.said("dependentRequired") or {}).items():
            found.setdefault(name, []).extend(names)
    return found
