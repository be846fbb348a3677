"""anyOf and oneOf: which member became which, and what fits two of them.

A member is known by its name: that of its definition, its title, its value of the discriminator; and where it has none
of them or that does not fit, any member will do that takes all of it.
"""

from collections.abc import Iterator

from outrider.common.json_path import JsonPath
from outrider.gateway.diff.placed import Placed, missing
from outrider.gateway.diff.schemas_comparing import Judge, Pair
from outrider.gateway.diff.schemas_known import at
from outrider.gateway.diff.schemas_limits import bound
from outrider.gateway.diff.schemas_meaning import Alternative, NotJudgedError, alternatives, branch_names, is_never
from outrider.gateway.diff.schemas_members import said_of
from outrider.gateway.diff.schemas_telling import breaks
from outrider.gateway.findings import Change


def matched(pair: Pair, given: list[Alternative], asked: list[Alternative], judge: Judge) -> Iterator[Change]:
    """Why one of the given may be none of those asked for; all are of one type."""
    if len(given) == len(asked) == 1:
        yield from _exactly(pair, judge, given[0], asked[0])
        yield from _renamed(pair, given[0], asked[0], given)
        return
    fits = [(each, _fitting(pair, each, asked, judge)) for each in given]
    free = [each for each in asked if all(each is not fit for _, fit in fits)]
    left = [each for each, fit in fits if fit is None]
    for each, fit in fits:
        if fit is None:
            fit = _nearest(pair, each, asked, free, judge, alone=len(left) == 1)
            free = [other for other in free if other is not fit]
        if fit is None:
            yield gone(pair, each)
            continue
        yield from _exactly(pair, judge, each, fit)
        yield from _renamed(pair, each, fit, given)


def _exactly(pair: Pair, judge: Judge, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """The same, and that it fits no other member of oneOf; where it is only tried, that would be looked for later."""
    yield from judge(pair, given, asked)
    yield from overlaps(pair, given, asked) if pair.requests and pair.exact else ()


def _renamed(pair: Pair, given: Alternative, asked: Alternative, all_given: list[Alternative]) -> Iterator[Change]:
    """A value of the discriminator that nobody knows, for it is the name of a schema, and that is another."""
    there, wanted = _values(given), _values(asked)
    for value in sorted(there - wanted) if wanted or _is_told_apart(asked) else ():
        if value not in given.names:  # then the mapping says it
            continue
        stays = any(wanted & _values(each) for each in all_given)
        what = "discriminator-mapping-deleted" if pair.requests or not stays else "discriminator-mapping-added"
        yield pair.tell(what, given.member, asked.member, was=value, now=value)


def _is_told_apart(alternative: Alternative) -> bool:
    member = alternative.member
    return member is not None and "discriminator" in at(member.path[:-2], member)


def _values(alternative: Alternative) -> set[str]:
    return {name[1:] for name in alternative.names if name.startswith("=")}


def _fitting(pair: Pair, given: Alternative, asked: list[Alternative], judge: Judge) -> Alternative | None:
    """The one of the same name, else one that takes all of it, best so that it fits no other member of oneOf."""
    if named := [each for each in asked if each.names & given.names]:
        return named[0] if len(named) == 1 else min(named, key=lambda each: _misfit(pair, given, each, judge))
    strictly = pair.strictly()
    fitting = [each for each in asked if _fits(strictly, given, each, judge)]
    for each in fitting if len(fitting) > 1 and not pair.strict else ():
        if not breaks(overlaps(pair, given, each) if pair.requests else ()):
            return each
    return fitting[0] if fitting else None


def _fits(pair: Pair, given: Alternative, asked: Alternative, judge: Judge) -> bool:
    return pair.comparing.fits(pair, lambda trial: judge(trial, given, asked))


def _misfit(pair: Pair, given: Alternative, asked: Alternative, judge: Judge) -> int:
    """How much would be told of the two themselves."""
    return len(pair.comparing.tell(pair, lambda trial: judge(trial, given, asked))[0])


def _nearest(
    pair: Pair, given: Alternative, asked: list[Alternative], free: list[Alternative], judge: Judge, *, alone: bool
) -> Alternative | None:
    """What became of one that is called by no name known there and that nothing takes as a whole; None: it is gone."""
    if given.union:
        unnamed = [each for each in free if not (each.names and given.names)]
        fit = next((each for each in unnamed if _fits(pair, given, each, judge)), None)
        return fit or (unnamed[0] if alone and len(free) == len(unnamed) == 1 else None)
    return min(asked, key=lambda each: _misfit(pair, given, each, judge))


def gone(pair: Pair, given: Alternative) -> Change:
    """A member of a union that nobody asks for."""
    union = "one-of" if given.union == "oneOf" else "any-of"
    what = pair.by_side(f"{union}-removed", f"{union}-added")
    name = min((name for name in given.names if not name.startswith("=")), default=given.type)
    return pair.tell(what, given.member, None, given=name, asked=name)


def overlaps(pair: Pair, given: Alternative, asked: Alternative) -> Iterator[Change]:
    """Requests that fitted one member of oneOf, or came from elsewhere, and may now fit two, and then are refused.

    What fits one member fits no other. So a member that takes no more than one did before does no harm, if no other
    stands for that one already; and one that is new or takes more must be told from all others.
    """
    for union in _unions(asked):
        branches = _branches(union)
        before = (_wider(pair, union, old) for old in _unions(given))
        told: set[frozenset[JsonPath]] = set()
        for each in min(before, key=len, default=branches):
            others = (other for other in branches if other.path != each.path)
            other = next((other for other in others if not disjoint((each,), (other,))), None)
            if other is not None and (both := frozenset((each.path, other.path))) not in told:
                told.add(both)
                yield pair.tell("one-of-overlaps", None, each, was=_name(union, other), now=_name(union, each))


def disjoint(some: tuple[Placed, ...], others: tuple[Placed, ...], depth: int = 3) -> bool:
    """Is it certain that no value fits both?"""
    try:
        pairs = [(one, other) for one in alternatives(some) for other in alternatives(others) if one.type == other.type]
        return all(_apart(one, other, depth) for one, other in pairs)
    except NotJudgedError:
        return False


def _apart(one: Alternative, other: Alternative, depth: int) -> bool:
    if one.values is not None and other.values is not None:
        return len(missing(one.values, other.values)) == len(one.values)
    if one.type == "number":
        return _below(one, other) or _below(other, one)
    if one.type == "object" and depth:
        return any(_apart_by(one, other, name, depth) for name in {*_required(one), *_required(other)})
    return False


def _apart_by(one: Alternative, other: Alternative, name: str, depth: int) -> bool:
    """By a member that at least one must have: its values differ, or the other must not have it."""
    some, others = said_of(one, name), said_of(other, name)
    if (name in _required(one) and _never(others)) or (name in _required(other) and _never(some)):
        return True
    return bool(some and others) and disjoint(some, others, depth - 1)


def _never(schemas: tuple[Placed, ...]) -> bool:
    return any(map(is_never, schemas))


def _below(one: Alternative, other: Alternative) -> bool:
    most, least = bound(one, upper=True), bound(other, upper=False)
    if most is None or least is None:
        return False
    return most[0] < least[0] or (most[0] == least[0] and (most[1] or least[1]))


def _required(alternative: Alternative) -> set[str]:
    return {name for part in alternative.parts for name in part.schema.said("required") or ()}


def _wider(pair: Pair, union: Placed, before: Placed) -> list[Placed]:
    """Those members that stand for none of the members that were there before."""
    free, wider = {each.path: each for each in _branches(before)}, []
    for each in _branches(union):
        names = branch_names(union, each)
        named = [old for old in free.values() if branch_names(before, old) & names]
        fit = next((old for old in named or free.values() if pair.comparing.no_wider(pair, each, old)), None)
        if fit is None:
            wider.append(each)
        else:
            del free[fit.path]
    return wider


def _unions(alternative: Alternative) -> list[Placed]:
    """Those that tell their members apart by nothing but oneOf itself."""
    found = (part.schema for part in alternative.parts)
    return [schema for schema in found if "oneOf" in schema.value and "discriminator" not in schema.value]


def _branches(union: Placed) -> list[Placed]:
    there = union.get("oneOf")
    return list(there.items()) if there else []


def _name(union: Placed, branch: Placed) -> str:
    names = sorted(name for name in branch_names(union, branch) if not name.startswith("="))
    return names[0] if names else f"its member {int(branch.path[-1]) + 1}"
