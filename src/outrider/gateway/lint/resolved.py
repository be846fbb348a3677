"""A document with its references written out, as rules see it, and the way back to where a thing was written.

What Spectral does, and what its documentation does not say: every object with a text `$ref` is a reference, in examples
too, and what stands beside `$ref` is not seen. A reference that would lead to itself in the end stays as it is, so that
the document remains finite. Findings name the definition and not the places that refer to it.

Nothing outside of the document is read. What has no finite meaning, or would grow beyond `SIZE_LIMIT`, is refused.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath, step_into, value_at
from outrider.gateway.documents import Source
from outrider.gateway.faults import Refused
from outrider.gateway.lint.references import References, below, ends, finite, references_of
from outrider.gateway.openapi_references import refers

SIZE_LIMIT = 1_000_000_000
"""So many values may a document hold once its references are written out. They are not held in memory, and are looked
at once for all that refer to them; large APIs have some millions. What stands for more was made to.
"""

DEPTH_LIMIT = 256


class Placed(msgspec.Struct, frozen=True):
    """A place in the document as written. path: as far as it exists. sought: it, with the steps that do not exist."""

    path: JsonPath
    sought: JsonPath


class Resolved(msgspec.Struct, frozen=True):
    """written: the document as it is. data: with its references written out; parts may be shared, never change them.

    meant: the references that were written out, and the place of what each means at last. shared: what they mean, by
    its id, and where that is written; it is one object at all of them.
    """

    written: Any
    data: Any
    meant: Mapping[JsonPath, JsonPath]
    shared: Mapping[int, JsonPath]

    def place(self, path: JsonPath, *, resolved: bool) -> Placed:
        """Where that was written which lies at `path` of `data` (resolved) or of `written`."""
        if not resolved:
            return Placed(_closest(self.written, path), path)
        near = _closest(self.data, path)
        path = (*near, *path[len(near) :])
        rest = _behind_reference(self.written, near)
        if rest is None:
            return Placed(_closest(self.written, path), path)
        at: JsonPath = ()
        for step in path:
            at = (*at, step)
            at = self.meant.get(at, at)
        found = _closest(self.written, at)
        missing = path[_last_index(path, rest[-1]) + 1 :] if rest else ()
        return Placed(found, (*found, *missing))


def resolve(source: Source) -> Resolved:
    """Raises `Refused`: a reference leads out or nowhere, or what they mean has no end."""
    references = references_of(source)
    order, followed = finite(references)
    written = source.data
    meant = ends(followed)
    inside = sorted(followed)
    built: dict[JsonPath, Any] = {there: value_at(written, there) for there in references if there not in followed}
    weights = dict.fromkeys(built, (2, 1))
    for there in (*(each for each in order if each not in references), ()):
        value = value_at(written, there)
        followed_there = list(below(inside, there))
        weights[there] = _weight(value, there, followed_there, meant, weights)
        _bearable(source, there, *weights[there])
        built[there] = _written_out(value, there, followed_there, meant, built)
    shared = {id(built[there]): there for there in meant.values() if isinstance(built[there], (dict, list))}
    return Resolved(written, built[()], meant, shared)


def _closest(value: Any, path: JsonPath) -> JsonPath:
    """As much of the path as there is."""
    found: JsonPath = ()
    for each in path:
        step = step_into(value, each)
        if step is None:
            break
        found, value = (*found, step), value[step]
    return found


def _behind_reference(written: Any, path: JsonPath) -> JsonPath | None:
    """What of the path lies behind the first reference on its way; None where it has none.

    A step to what stands beside `$ref` is no way through it; neither is an end at an object that has more than that.
    """
    for index, each in enumerate(path):
        step = step_into(written, each)
        if step is None:
            return path[index:]
        written = written[step]
    return () if refers(written) and len(written) == 1 else None


def _last_index(path: JsonPath, step: str | int) -> int:
    return max(index for index, each in enumerate(path) if each == step)


def _weight(
    value: Any,
    place: JsonPath,
    inside: Iterable[JsonPath],
    meant: References,
    weights: Mapping[JsonPath, tuple[int, int]],
) -> tuple[int, int]:
    """How many values, and how many levels, it has once written out."""
    size, depth = _size(value)
    for each in inside:
        more, levels = weights[meant[each]]
        size += more
        depth = max(depth, len(each) - len(place) + levels)
    return size, depth


def _size(value: Any) -> tuple[int, int]:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    size, depth = 1, 0
    for member in members:
        more, levels = _size(member) if isinstance(member, (dict, list)) else (1, 0)
        size += more
        depth = max(depth, levels + 1)
    return size, depth


def _bearable(source: Source, place: JsonPath, size: int, depth: int) -> None:
    if size > SIZE_LIMIT:
        message = f"means more than {SIZE_LIMIT:,} values with its references written out; refer less to what is large"
        raise Refused(source.fault(place, message))
    if depth > DEPTH_LIMIT:
        message = f"is nested deeper than {DEPTH_LIMIT} levels with its references written out; shorten the chain"
        raise Refused(source.fault(place, message))


def _written_out(
    value: Any, place: JsonPath, inside: Iterable[JsonPath], meant: References, built: Mapping[JsonPath, Any]
) -> Any:
    """The value with the references inside of it written out, what is around them copied; itself where it has none."""
    copies: dict[JsonPath, Any] = {}
    for each in inside:
        around = copies.get(place)
        if around is None:
            around = copies[place] = copy(value)
        for length in range(len(place) + 1, len(each)):
            step, here = each[length - 1], each[:length]
            if here not in copies:
                copies[here] = around[step] = copy(around[step])
            around = copies[here]
        what = built[meant[each]]
        # Findings at what has something beside `$ref` are told there, so it is an object of its own.
        around[each[-1]] = copy(what) if len(around[each[-1]]) > 1 else what
    return copies.get(place, value)
