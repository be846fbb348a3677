"""What is told of two schemas themselves: types first, then alternative by alternative."""

from collections.abc import Iterator
from itertools import chain

from outrider.gateway.diff.placed import Placed
from outrider.gateway.diff.schemas_comparing import Judge, Pair
from outrider.gateway.diff.schemas_lists import lists
from outrider.gateway.diff.schemas_meaning import TYPES, Alternative, alternatives, is_bare
from outrider.gateway.diff.schemas_members import members
from outrider.gateway.diff.schemas_notes import notes
from outrider.gateway.diff.schemas_plain import anything, numbers, texts
from outrider.gateway.diff.schemas_unions import gone, matched
from outrider.gateway.findings import Change

_JUDGES: dict[str, Judge] = {"number": numbers, "string": texts, "array": lists, "object": members}


def judgement(pair: Pair) -> Iterator[Change]:
    """What differs, without what is below: that is asked for. Raises `NotJudgedError`."""
    given, asked = alternatives(pair.given.schemas), alternatives(pair.asked.schemas)
    yield from notes(pair, given, asked)
    yield from _types(pair, given, asked)
    for name in TYPES:
        there, wanted = ([each for each in side if each.type == name] for side in (given, asked))
        if there and wanted:
            yield from matched(pair, there, wanted, _judged)


def _judged(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    judge = _JUDGES.get(given.type)
    found = judge(pair, given, asked) if judge else ()
    return chain(anything(pair, given, asked), found)


def _types(pair: Pair, given: tuple[Alternative, ...], asked: tuple[Alternative, ...]) -> Iterator[Change]:
    """Types that are given, and not asked for."""
    wanted = {each.type for each in asked}
    lost = [each for each in given if each.type not in wanted and not _as_text(pair, each, asked)]
    everything = len(_named(given)) == len(TYPES) - 1 and _named(tuple(lost))
    if "null" in (each.type for each in lost) and wanted and not everything:
        keyword = "nullable" if pair.given.head.is_3_0 else "type"
        told = next((found for each in given if (found := pair.point(each, keyword)) is not None), None)
        yield pair.tell(pair.by_side("became-not-nullable", "became-nullable"), told, _type_of(pair, asked))
    if wanted and not everything:
        lost = [each for each in lost if each.type != "null"]
    unions = {keyword for each in asked for part in each.parts for keyword in part.schema.value}
    branches = [each for each in lost if each.union in unions]
    yield from (gone(pair, each) for each in branches)
    if len(lost) > len(branches):
        there, words = _named(given), (_words(given), _words(asked))
        point = _type_of(pair, given), _type_of(pair, asked)
        what = _change_of_types(pair, there, _named(asked))
        yield pair.tell(what, *point, given=words[0], asked=words[1])


def _as_text(pair: Pair, given: Alternative, asked: tuple[Alternative, ...]) -> bool:
    """7 in a query is the same as "7"."""
    plain = pair.text and given.type in ("boolean", "number")
    return plain and any(each.type == "string" and each.values is None and is_bare(each) for each in asked)


def _change_of_types(pair: Pair, given: set[str], asked: set[str]) -> str:
    if not asked < given:
        return "type-changed"
    if len(given) >= len(TYPES) - 1:
        return pair.by_side("type-changed", "type-generalized")
    return pair.by_side("list-of-types-narrowed", "list-of-types-widened")


def _named(some: tuple[Alternative, ...]) -> set[str]:
    return {each.type for each in some} - {"null"}


def _type_of(pair: Pair, some: tuple[Alternative, ...]) -> Placed | None:
    return next((found for each in some if (found := pair.point(each, "type")) is not None), None)


def _words(some: tuple[Alternative, ...]) -> str:
    names = dict.fromkeys("integer" if each.whole else each.type for each in some if each.type != "null")
    if len(names) >= len(TYPES) - 1:
        return "anything"
    return " or ".join(names) or ("null" if some else "nothing")
