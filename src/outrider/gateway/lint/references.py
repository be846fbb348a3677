"""The references of a document: where each stands, what it names, and which can be followed without end.

Every object with a text `$ref` is one, in examples too. Those that lead out of the document, nowhere, or only to each
other are refused. One that stands in something that it leads to stays as it is, so that the document remains finite.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from outrider.common.json_path import JsonPath, steps
from outrider.gateway.documents import Source, refuse
from outrider.gateway.faults import Fault
from outrider.gateway.lint.cycles import circles
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.openapi_references import refers, target

_ROUND = "leads back to itself; write out what is meant"

References: TypeAlias = dict[JsonPath, JsonPath]
"""Where each reference stands, and the place that it names."""


def references_of(source: Source) -> References:
    """All references of the document. Refused where one leads out, nowhere, or back to itself and to nothing else."""
    found: References = {}
    faults: list[Fault | str] = []
    for path, ref in _found(source.data, (), {}).items():
        try:
            found[path], _ = target(source.data, ref)
        except ValueError as error:
            faults.append(source.fault((*path, "$ref"), str(error)))
    faults += (source.fault((*path, "$ref"), _ROUND) for path in found.keys() - ends(found).keys())
    refuse(faults)
    return found


def _found(value: Any, path: JsonPath, found: dict[JsonPath, str]) -> dict[JsonPath, str]:
    """The references at the place and below it, by their places, in the order of the document."""
    if refers(value):
        found[path] = value["$ref"]
        return found
    for step, member in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(member, (dict, list)):
            _found(member, (*path, step), found)
    return found


def pointer_steps(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer that a ruleset names. Raises `NotUnderstood`: it is none."""
    try:
        return steps(pointer)
    except ValueError as error:
        raise NotUnderstood(str(error)) from None


def ends(references: References) -> References:
    """What each means at last: where what it names stands that is none of them. One without such an end is left out."""
    found: References = {}
    for place in references:
        way: dict[JsonPath, None] = {}
        there = place
        while there in references and there not in way and there not in found:
            way[there] = None
            there = references[there]
        if there not in way:
            found |= dict.fromkeys(way, found.get(there, there))
    return found


def finite(references: References) -> tuple[list[JsonPath], References]:
    """All places that are named, each after those that it leads to; and the references that can be followed.

    As json-ref-resolver has it, which asks only what stands inside of things and not in their place: of references that
    stand for others, one on each circle stays. Circles that it would leave open, where it never ends, are cut besides.
    """
    ordered = sorted(references)
    followed = dict(references)
    for place in _cut(references, ordered):
        del followed[place]
    graph = _graph(references, lambda there: (each for each in below(ordered, there) if each in followed))
    components = circles(graph)
    number = _numbers(components)
    open_ = [place for place, there in followed.items() if _inside(place, number[there], number)]
    for place in open_:
        del followed[place]
    return [there for component in components for there in component], followed


def _cut(references: References, ordered: list[JsonPath]) -> Iterator[JsonPath]:
    """Those that stand in something that they lead to, by what stands inside of it."""
    upward = {place for place, there in references.items() if place[: len(there)] == there}
    yield from upward
    graph = _graph(references, lambda there: (e for e in below(ordered, there) if e != there and e not in upward))
    components = circles(graph)
    number = _numbers(components)
    bits = {there: 1 << index for index, there in enumerate(each for each in graph if each in references)}
    reached: dict[int, int] = {}  # by component: the references that it leads to, a bit each
    for index, component in enumerate(components):
        onward = [there for each in component for there in graph[each]]
        mask = 0
        for there in onward:
            mask |= bits.get(there, 0) | reached.get(number[there], 0)
        reached[index] = mask
    for place, there in references.items():
        if place in upward:
            continue
        if _inside(place, number[there], number) or bits.get(place, 0) & reached[number[there]]:
            yield place


def _graph(references: References, inside: Callable[[JsonPath], Iterable[JsonPath]]) -> dict[JsonPath, list[JsonPath]]:
    """From each place that is named to those that are named inside of it."""
    named = dict.fromkeys(references.values())
    return {there: list(dict.fromkeys(references[each] for each in inside(there))) for there in named}


def _numbers(components: list[list[JsonPath]]) -> dict[JsonPath, int]:
    return {there: number for number, component in enumerate(components) for there in component}


def _inside(place: JsonPath, component: int, number: dict[JsonPath, int]) -> bool:
    return any(number.get(place[:length]) == component for length in range(len(place) + 1))


def below(ordered: list[JsonPath], place: JsonPath) -> Iterator[JsonPath]:
    """Those at or below the place, of sorted paths. Steps at the same place of a document are of one type."""
    for index in range(bisect_left(ordered, place), len(ordered)):
        if ordered[index][: len(place)] != place:
            return
        yield ordered[index]
