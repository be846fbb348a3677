"""Lists: what differs in their items, each by its position, and in what they must contain."""

from collections.abc import Iterator

import msgspec

from outrider.gateway.diff.placed import Placed
from outrider.gateway.diff.schemas_comparing import Pair
from outrider.gateway.diff.schemas_equal import equal
from outrider.gateway.diff.schemas_limits import ITEMS, counts
from outrider.gateway.diff.schemas_meaning import Alternative, NotJudgedError, Part, is_never
from outrider.gateway.diff.schemas_telling import Conjunction
from outrider.gateway.findings import Change


def lists(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """Why a list that is given may not be what is asked for."""
    lengths = tuple(map(len, given.values)) if given.values is not None else ()
    yield from counts(pair, given, asked, ITEMS, lengths)
    unique = [part.schema for part in asked.parts if part.schema.said("uniqueItems") is True]
    if unique and not any(part.schema.said("uniqueItems") is True for part in given.parts):
        what = pair.by_side("unique-items-set", "unique-items-unset")
        yield pair.tell(what, pair.point(given, "uniqueItems"), unique[0].get("uniqueItems"))
    yield from _items(pair, given, asked)
    yield from _contained(pair, given, asked)


def _items(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """By position as far as single positions are named, then all others at once."""
    named = max((_named(part) for part in (*given.parts, *asked.parts)), default=0)
    longest = min((part.schema.value.get("maxItems", named + 1) for part in given.parts), default=named + 1)
    for position in range(named + 1):
        there, wanted = _at(given, position, pair.given.head), _at(asked, position, pair.asked.head)
        if position >= longest or not wanted.schemas or _closed(there):
            continue
        if _closed(wanted):
            keyword = "items" if pair.point(asked, "items") else "unevaluatedItems"
            what = pair.by_side("unevaluated-items-added", "unevaluated-items-removed")
            what = pair.by_side("items-closed", "items-opened") if keyword == "items" else what
            yield pair.tell(what, *pair.points(given, asked, keyword))
            return
        pair.below(there, wanted, text=True)


def _named(part: Part) -> int:
    """So many positions are described one by one."""
    return len(part.schema.said("prefixItems") or ())


def _at(alternative: Alternative, position: int, head: Placed) -> Conjunction:
    """What is said of the item at this position."""
    found = [each for part in alternative.parts if (each := _part_at(part, position)) is not None]
    return Conjunction(tuple(found), found[0] if found else head)


def _part_at(part: Part, position: int) -> Placed | None:
    prefix, items = part.schema.get("prefixItems"), part.schema.get("items")
    if prefix is not None and position < _named(part):
        return prefix.get(position)
    if items is not None:
        if isinstance(items.value, list):
            raise NotJudgedError("items that are a list")
        return items
    evaluated = any("items" in each.value or len(each.said("prefixItems") or ()) > position for each in part.beside)
    return None if evaluated else part.schema.get("unevaluatedItems")


def _closed(items: Conjunction) -> bool:
    return any(map(is_never, items.schemas))


class _Contains(msgspec.Struct, frozen=True, eq=False):
    schema: Placed
    least: int
    most: int | None


def _contained(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    there = list(_contains(given))
    for wanted in _contains(asked):
        if wanted.least == 0 and wanted.most is None:
            continue
        alike = [each for each in there if equal(each.schema, wanted.schema)]
        if not there:
            yield pair.tell(pair.by_side("contains-added", "contains-removed"), None, wanted.schema)
        elif not alike:
            raise NotJudgedError("the keyword contains")
        else:
            yield from _how_many(pair, alike[0], wanted)


def _contains(alternative: Alternative) -> Iterator[_Contains]:
    for part in alternative.parts:
        if (schema := part.schema.get("contains")) is not None:
            yield _Contains(schema, part.schema.said("minContains", 1), part.schema.said("maxContains"))


def _how_many(pair: Pair, there: _Contains, wanted: _Contains) -> Iterator[Change]:
    point = there.schema, wanted.schema
    if wanted.least > there.least:
        what = pair.by_side("min-contains-increased", "min-contains-decreased")
        yield pair.tell(what, *point, given=there.least, asked=wanted.least)
    if wanted.most is not None and (there.most is None or there.most > wanted.most):
        what = pair.by_side("max-contains-decreased", "max-contains-increased")
        yield pair.tell(what, *point, given="any number" if there.most is None else there.most, asked=wanted.most)
