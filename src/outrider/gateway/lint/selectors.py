"""Selectors asked of a document: which places they match. All of them in one walk, however many there are.

The walk carries a state, which is how far each selector has come on the way from the root; states and what follows on
them are made as they are met and kept, so that a place costs a look into a table. A place is matched once by a
selector, where Spectral may match it several times: it drops the repeated findings.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.lint.expressions import Expression, Subject
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.not_understood import Failed, NotUnderstood
from outrider.gateway.lint.selector_syntax import All, Containers, Filter, Names, Slice, Step, Syntax, parse_selector

DEPTH_LIMIT = 400
"""Levels of a document; what is deeper fails the rule."""

SIZE_LIMIT = 2_000_000
"""So many objects and lists may one walk go into; with references written out, a short document can stand for more."""


class Match(NamedTuple):
    """A place and what stands there. For `~` the value is the last step of the path."""

    path: JsonPath
    value: Any


class Selector(msgspec.Struct, frozen=True):
    """A selector that was understood."""

    text: str
    syntax: Syntax

    @property
    def is_plain(self) -> bool:
        """Does it give what it comes to, as it stands?"""
        return not self.syntax.keys and not self.syntax.parents and self.syntax.steps != _CONTAINERS

    def matches(self, document: Any) -> list[Match]:
        """The places that it matches, from top to bottom. Raises `Failed`."""
        return matches_of([self], document)[0]


@lru_cache(maxsize=4000)
def compile_selector(text: str) -> Selector:
    """Raises `NotUnderstood`, with the offset of what is not."""
    try:
        return Selector(text, parse_selector(text))
    except RecursionError:
        raise NotUnderstood("the selector is nested too deeply; take it apart") from None


def matches_of(
    selectors: Sequence[Selector], document: Any, shared: Mapping[int, JsonPath] | None = None
) -> list[list[Match]]:
    """What each of the selectors matches, in their order. Raises `Failed`.

    shared: containers that stand at several places of the document, by their id, each with the place where it is
    written. Inside of such a one a selector matches there, and at one other place: at all others it would match alike.
    """
    walk = _Walk(_automaton(tuple(selectors)), document, shared or {})
    return walk.found


_Edges: TypeAlias = list[tuple[Step, int]]


class _Automaton:
    """Selectors as a tree of steps: what begins alike is one way."""

    def __init__(self, selectors: tuple[Selector, ...]) -> None:
        self.selectors = selectors
        self.edges: list[_Edges] = [[]]
        self.ends: list[list[int]] = [[]]
        for number, selector in enumerate(selectors):
            node = 0
            for step in selector.syntax.steps:
                node = self._following(node, step)
            self.ends[node].append(number)
        self.states: dict[tuple[frozenset[int], frozenset[int]], _State] = {}
        self.start = self.state(frozenset([0]), frozenset())

    def _following(self, node: int, step: Step) -> int:
        for known, following in self.edges[node]:
            if known == step:
                return following
        self.edges.append([])
        self.ends.append([])
        self.edges[node].append((step, len(self.edges) - 1))
        return len(self.edges) - 1

    def state(self, here: frozenset[int], above: frozenset[int]) -> "_State":
        """here: the ends of the ways so far. above: from where a `..` still looks for what is deeper."""
        above |= {node for node in here if any(step.deep for step, _ in self.edges[node])}
        if (here, above) not in self.states:
            self.states[here, above] = _State(self, here, above)
        return self.states[here, above]


class _State:
    """Where all selectors are at one place of the document."""

    __slots__ = (
        "above",
        "automaton",
        "changed",
        "ends",
        "everything",
        "filters",
        "here",
        "is_dead",
        "is_of_value",
        "members",
        "named",
        "slices",
        "with_more",
    )

    def __init__(self, automaton: _Automaton, here: frozenset[int], above: frozenset[int]) -> None:
        self.automaton, self.here, self.above = automaton, here, above
        ends = [number for node in here for number in automaton.ends[node]]
        self.ends = [number for number in ends if automaton.selectors[number].is_plain]
        self.changed = [number for number in ends if not automaton.selectors[number].is_plain]
        self.named: dict[str, set[int]] = {}
        self.everything: set[int] = set()
        self.slices: list[tuple[Slice, int]] = []
        self.filters: list[tuple[Expression, int, bool]] = []
        self.members: dict[str, _State] = {}
        self.with_more: dict[tuple[int, ...], _State] = {}
        edges = [(step, to) for node in here for step, to in automaton.edges[node] if not step.deep]
        edges += [(step, to) for node in above for step, to in automaton.edges[node] if step.deep]
        for step, to in edges:
            self._sort(step, to)
        self.is_dead = not edges
        self.is_of_value = not self.slices and all(condition.is_of_value for condition, _, _ in self.filters)

    def _sort(self, step: Step, to: int) -> None:
        match step:
            case Names(names):
                for name in names:
                    self.named.setdefault(name, set()).add(to)
            case All():
                self.everything.add(to)
            case Slice():
                self.slices.append((step, to))
            case Filter(condition):
                self.filters.append((condition, to, bool(self.automaton.ends[to])))
            case Containers():
                self.everything.add(to)

    def at(self, name: str) -> "_State":
        """At the member, or item, of this name, filters and slices apart."""
        known = self.members.get(name)
        if known is None:
            here = self.everything | self.named.get(name, set())
            known = self.members[name] = self.automaton.state(frozenset(here), self.above)
        return known

    def and_at(self, more: tuple[int, ...]) -> "_State":
        known = self.with_more.get(more)
        if known is None:
            known = self.with_more[more] = self.automaton.state(self.here | frozenset(more), self.above)
        return known


@lru_cache(maxsize=100)
def _automaton(selectors: tuple[Selector, ...]) -> _Automaton:
    return _Automaton(selectors)


class _Walk:
    def __init__(self, automaton: _Automaton, document: Any, shared: Mapping[int, JsonPath]) -> None:
        self.automaton, self.document = automaton, document
        # What is further out than a match differs from place to place.
        self.shared = {} if any(each.syntax.parents for each in automaton.selectors) else shared
        self.left = SIZE_LIMIT
        self.entered: set[tuple[_State, int, str | int]] = set()
        self.found: list[list[Match]] = [[] for _ in automaton.selectors]
        self.of_texts: dict[_State, dict[str, tuple[int, ...]]] = {}
        self.seen: set[tuple[int, JsonPath]] = set()
        self.path: list[str | int] = []
        self.subject = Subject(document)
        self._root(document)

    def _root(self, document: Any) -> None:
        start = self.automaton.start
        for number, selector in enumerate(self.automaton.selectors):
            if selector.syntax.steps in ((), _CONTAINERS):
                self.found[number].append(Match((), document))
        if not start.is_dead and isinstance(document, dict | list):
            self._visit(start, document)

    def _visit(self, state: _State, container: Any) -> None:
        path, members, found = self.path, state.members, self.found
        if len(path) >= DEPTH_LIMIT:
            raise Failed(f"the document has more than {DEPTH_LIMIT} levels; make it flatter")
        self.left -= 1
        if self.left < 0:
            raise Failed(f"more than {SIZE_LIMIT:,} objects and lists would be looked into; refer less to large ones")
        is_list = container.__class__ is list
        choosy = state.filters or state.slices
        path.append("")
        members_of: Iterable[tuple[Any, Any]] = enumerate(container) if is_list else container.items()
        for key, value in members_of:
            name = str(key) if is_list else key
            following = members.get(name) or state.at(name)
            path[-1] = key
            if choosy:
                if value.__class__ is str and state.is_of_value:
                    more = self._of_text(state, value)
                else:
                    more = self._more(state, key, value, container)
                if more:
                    following = following.and_at(more)
            if following.ends:
                match = Match(tuple(path), value)
                for number in following.ends:
                    found[number].append(match)
            if following.changed:
                for number in following.changed:
                    self._emit_changed(number, value)
            if value.__class__ in _CONTAINER_TYPES and not following.is_dead:
                if self.shared and self._was_entered(following, value):
                    continue
                self._visit(following, value)
        path.pop()

    def _was_entered(self, state: _State, container: Any) -> bool:
        """Was it entered already, in this state and by this name, somewhere else than where it is written?"""
        written = self.shared.get(id(container))
        if written is None or (len(written) == len(self.path) and written == tuple(self.path)):
            return False
        entry = (state, id(container), self.path[-1])  # its name is `@parentProperty` of its members
        if entry in self.entered:
            return True
        self.entered.add(entry)
        return False

    def _of_text(self, state: _State, value: str) -> tuple[int, ...]:
        """Most values are text, and many the same one: what filters say of it is kept."""
        known = self.of_texts.setdefault(state, {})
        if value not in known:
            known[value] = self._more(state, "", value, ())
        return known[value]

    def _more(self, state: _State, key: str | int, value: Any, container: Any) -> tuple[int, ...]:
        """Where the filters and slices lead, too, that are fulfilled here."""
        more: list[int] = []
        subject = self.subject
        subject.value, subject.property = value, key
        subject.outer = self.path[-2] if len(self.path) > 1 else UNDEFINED
        has_parts = value.__class__ in _CONTAINER_TYPES and bool(value)
        for condition, to, ends in state.filters:
            # A filter with more behind it matters only where there is something further inside.
            if (ends or has_parts) and condition.holds(subject):
                more.append(to)
        if state.slices and isinstance(key, int):
            more += [to for part, to in state.slices if _within(part, key, len(container))]
        return tuple(more)

    def _emit_changed(self, number: int, value: Any) -> None:
        """A match of what gives names, or what is further out, or containers only."""
        syntax = self.automaton.selectors[number].syntax
        if syntax.parents > len(self.path) or (syntax.steps == _CONTAINERS and not isinstance(value, dict | list)):
            return
        path = tuple(self.path[: len(self.path) - syntax.parents])
        if syntax.parents:
            if (number, path) in self.seen:
                return
            self.seen.add((number, path))
        if syntax.keys:
            value = path[-1] if path else UNDEFINED
        elif syntax.parents:
            value = self._at(path)
        self.found[number].append(Match(path, value))

    def _at(self, path: JsonPath) -> Any:
        value = self.document
        for step in path:
            value = value[step]
        return value


_CONTAINERS: tuple[Step, ...] = (Containers(),)
_CONTAINER_TYPES = frozenset([dict, list])


def _within(part: Slice, index: int, length: int) -> bool:
    first = max(0, part.first + length) if part.first < 0 else part.first
    return first <= index and (part.end is None or index < part.end)
