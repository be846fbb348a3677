"""Plain values: what differs in numbers, texts and what is counted up, and in what is said of all types."""

from collections.abc import Iterator
from typing import Any

from outrider.gateway.diff.placed import Placed, missing
from outrider.gateway.diff.schemas_comparing import Pair
from outrider.gateway.diff.schemas_equal import equal
from outrider.gateway.diff.schemas_limits import LENGTHS, bounds, counts, exact, matches
from outrider.gateway.diff.schemas_meaning import Alternative, NotJudgedError
from outrider.gateway.diff.schemas_telling import Conjunction
from outrider.gateway.findings import Change

_CONTAINED = {("int32", "int64"), ("float", "double")}
"""Each value of the one format is one of the other."""
_ANYTHING = {"", ".*", "^.*$", "^.*", ".*$"}
_AS_CONTENT = {"byte": ("contentEncoding", "base64"), "binary": ("contentMediaType", "application/octet-stream")}
"""How formats of OpenAPI 3.0 are written in 3.1."""


def numbers(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """What differs in numbers."""
    values = given.values
    whole = given.whole or (values is not None and all(float(value).is_integer() for value in values))
    if asked.whole and not whole:
        points = pair.points(given, asked, "type")
        yield pair.tell(pair.by_side("type-changed", "type-generalized"), *points, given="number", asked="integer")
    yield from _formats(pair, given, asked)
    yield from bounds(pair, given, asked)
    yield from _multiples(pair, given, asked, whole)


def texts(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """What differs in texts."""
    lengths = tuple(map(len, given.values)) if given.values is not None else ()
    yield from _formats(pair, given, asked)
    yield from counts(pair, given, asked, LENGTHS, lengths)
    yield from _patterns(pair, given, asked)
    for keyword, what in (("contentEncoding", "content-encoding"), ("contentMediaType", "content-media-type")):
        there, wanted = _content(given, keyword), _content(asked, keyword)
        if there != wanted:
            points = pair.points(given, asked, keyword)
            yield pair.tell(f"{what}-changed", *points, given=_list(there), asked=_list(wanted))
    yield from _content_schema(pair, given, asked)


def anything(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """What differs in the values there are, and in what is excluded or asked for by conditions."""
    yield from _values(pair, given, asked)
    _exclusions(given, asked)
    yield from _conditions(pair, given, asked)


def _values(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    there, wanted = given.values, asked.values
    points = pair.points(given, asked, "const", "enum")
    if wanted is not None and there is None:
        one = pair.point(asked, "const") is not None
        what = pair.by_side("const-added" if one else "became-enum", "const-removed" if one else "enum-removed")
        yield pair.tell(what, *points, asked=wanted[0] if one else list(wanted))
    elif wanted is not None and there is not None:
        strange = missing(there, wanted)
        if strange and pair.point(given, "const") and pair.point(asked, "const"):
            yield pair.tell("const-changed", *points, given=there[0], asked=wanted[0])
        elif strange:
            what = pair.by_side("enum-value-removed", "enum-value-added")
            yield pair.tell(what, *points, given=_list(strange), asked=list(wanted))
    if pair.requests:
        yield from _extended(pair, given, asked)


def _extended(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """`x-extensible-enum` says what is known now; in requests nothing else is."""
    wanted, there = _extensible(asked), _extensible(given) if given.values is None else given.values
    if wanted is None:
        return
    points = pair.points(given, asked, "x-extensible-enum")
    if there is None:
        yield pair.tell("became-enum", *points, asked=list(wanted))
    elif strange := missing(there, wanted):
        yield pair.tell("x-extensible-enum-value-removed", *points, given=_list(strange))


def _extensible(alternative: Alternative) -> list[Any] | None:
    for part in alternative.parts:
        if isinstance(said := part.schema.said("x-extensible-enum"), list):
            return said
    return None


def _formats(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    there, wanted = _said(given, "format") - _AS_CONTENT.keys(), _said(asked, "format") - _AS_CONTENT.keys()
    for each in sorted(wanted - there):
        if not any((other, each) in _CONTAINED for other in there):
            what = pair.by_side("type-changed", "type-changed" if there else "type-generalized")
            points = pair.points(given, asked, "format")
            yield pair.tell(what, *points, given=_formatted(given, there), asked=_formatted(asked, wanted))


def _patterns(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    there, wanted = _said(given, "pattern"), _said(asked, "pattern") - _ANYTHING
    for pattern in sorted(wanted - there):
        if given.values is not None and all(matches(pattern, value) for value in given.values):
            continue
        what = "pattern-changed" if there - _ANYTHING else pair.by_side("pattern-added", "pattern-removed")
        points = pair.points(given, asked, "pattern")
        yield pair.tell(what, *points, given=_list(there), asked=pattern)


def _multiples(pair: Pair, given: Alternative, asked: Alternative, whole: bool) -> Iterator[Change]:
    there = {exact(each) for each in _said(given, "multipleOf")} | ({exact(1)} if whole else set())
    for each in sorted(_said(asked, "multipleOf")):
        step = exact(each)
        counted = given.values is not None and all((exact(value) / step).denominator == 1 for value in given.values)
        if not counted and not any((other / step).denominator == 1 for other in there):
            points = pair.points(given, asked, "multipleOf")
            yield pair.tell("multiple-of-changed", *points, asked=each)


def _content(alternative: Alternative, keyword: str) -> frozenset[str]:
    by_format = (_AS_CONTENT[name] for name in _said(alternative, "format") & _AS_CONTENT.keys())
    return frozenset(_said(alternative, keyword) | {value for which, value in by_format if which == keyword})


def _content_schema(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    there, wanted = _schemas(given, "contentSchema"), _schemas(asked, "contentSchema")
    if wanted and not there:
        yield pair.tell(pair.by_side("content-schema-added", "content-schema-removed"), None, wanted[0])
    elif wanted:
        pair.below(Conjunction(there, there[0]), Conjunction(wanted, wanted[0]))


def _exclusions(given: Alternative, asked: Alternative) -> None:
    there = _schemas(given, "not")
    if not all(any(equal(each, other) for other in there) for each in _schemas(asked, "not")):
        raise NotJudgedError("the keyword not")


def _conditions(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """`if` with what follows from it; without `then` and `else` nothing does."""
    there = [part.schema for part in given.parts if _conditional(part.schema)]
    for schema in (part.schema for part in asked.parts if _conditional(part.schema)):
        alike = [each for each in there if _alike(each, schema, "if")]
        if not there:
            yield pair.tell(pair.by_side("if-added", "if-removed"), None, schema.get("if"))
        elif not alike:
            raise NotJudgedError("the keyword if")
        for keyword in ("then", "else") if alike else ():
            if keyword not in schema.value or any(_alike(each, schema, keyword) for each in alike):
                continue
            if any(keyword in each.value for each in alike):
                raise NotJudgedError(f"the keyword {keyword}")
            yield pair.tell(pair.by_side(f"{keyword}-added", f"{keyword}-removed"), alike[0], schema.get(keyword))


def _conditional(schema: Placed) -> bool:
    return "if" in schema.value and bool(schema.value.keys() & {"then", "else"})


def _alike(one: Placed, other: Placed, keyword: str) -> bool:
    mine, others = one.get(keyword), other.get(keyword)
    return mine is not None and others is not None and equal(mine, others)


def _said(alternative: Alternative, keyword: str) -> set[Any]:
    return {part.schema.value[keyword] for part in alternative.parts if keyword in part.schema.value}


def _schemas(alternative: Alternative, keyword: str) -> tuple[Placed, ...]:
    found = (part.schema.get(keyword) for part in alternative.parts)
    return tuple(each for each in found if each is not None)


def _list(values: Any) -> str:
    """Told in words."""
    told = sorted(map(str, values)) if isinstance(values, (set, frozenset)) else [str(value) for value in values]
    return ", ".join(told) or "nothing"


def _formatted(alternative: Alternative, formats: set[str]) -> str:
    name = "integer" if alternative.whole else alternative.type
    return f"{name} ({_list(formats)})" if formats else name
