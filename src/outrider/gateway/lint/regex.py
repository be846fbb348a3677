"""JavaScript's regular expressions, asked one question: is there a match? `RegExp.prototype.test`.

Answered by an automaton whose states are made as they are met, so no text takes more than its length times the
pattern's; a pattern that looks around at every character may take more, and is stopped at `WORK_LIMIT`. What is
stopped fails the rule: it is never taken for an answer.
"""

import re
from functools import lru_cache
from typing import TypeAlias

from outrider.gateway.lint import regex_syntax
from outrider.gateway.lint.characters import WORDS, Ranges, holds
from outrider.gateway.lint.not_understood import Failed, NotUnderstood
from outrider.gateway.lint.regex_nodes import Boundary, Chars, Choice, End, Look, Node, Repeat, Sequence, Start
from outrider.gateway.lint.regex_syntax import units

WORK_LIMIT = 1_000_000
"""Steps for one text; at most a second. A text of 10,000 characters needs 10,000 of them with most patterns."""

SIZE_LIMIT = 10_000
"""States of one pattern, once its counted repetitions are written out."""

_CACHED = 2000
_WRITTEN = re.compile("/([^\n\r\u2028\u2029]+)/([a-z]*)")

Assertion: TypeAlias = Start | End | Boundary | Look


class Regex:
    """A pattern that was understood; `search` is `test`."""

    def __init__(self, source: str, flags: str = "") -> None:
        self.source = source
        self._by_units = "u" not in flags
        try:
            self._automaton = _Automaton(regex_syntax.parse(source, flags), ahead=True)
        except RecursionError:
            raise NotUnderstood("the pattern is nested too deeply; take it apart") from None
        self._sticky = "y" in flags

    def search(self, text: str) -> bool:
        """Is there a match anywhere? Raises `Failed` where that would take too long."""
        if self._by_units:
            text = units(text)
        if not self._sticky:
            known = self._known(text)
            if known is not None:
                return known
        return _Search(text, self.source).run(self._automaton, 0, not self._sticky)

    def _known(self, text: str) -> bool | None:
        """The answer, if all states on the way were met before and none has to look around."""
        state, hopeless = self._automaton.begin, self._automaton.hopeless
        for character in text:
            if state.accepts:
                return True
            following = state.next_again.get(character)
            if following is None:
                return None
            if following is hopeless:
                return False
            state = following
        return state.accepts_at_end


@lru_cache(maxsize=1000)
def regex(source: str, flags: str = "") -> Regex:
    """`new RegExp(source, flags)`. Raises `NotUnderstood`."""
    return Regex(source, flags)


def written(text: str) -> Regex:
    """A pattern as rules write it: `/source/flags`, or the source alone. Raises `NotUnderstood`."""
    if whole := _WRITTEN.fullmatch(text):
        return regex(whole[1], whole[2])
    return regex(text)


def _too_large() -> NotUnderstood:
    return NotUnderstood("the pattern repeats too much; use smaller numbers in {...}, or the function length")


class _State:
    """Where an automaton can be at once. chars: what it would read. asserts: what must hold here to go on."""

    __slots__ = ("accepts", "accepts_at_end", "asserts", "chars", "ends", "next", "next_again")

    def __init__(self, automaton: "_Automaton", nodes: frozenset[int]) -> None:
        self.chars = [node for node in nodes if isinstance(automaton.what[node], tuple)]
        self.ends = [node for node in nodes if isinstance(automaton.what[node], End)]
        self.asserts = [node for node in nodes if isinstance(automaton.what[node], Start | Boundary | Look)]
        self.accepts = automaton.accept in nodes
        self.accepts_at_end = self.accepts or (None if self.asserts else automaton.ends(nodes))
        self.next: dict[str, _State] = {}
        self.next_again: dict[str, _State] = {}


class _Automaton:
    """A pattern as states and steps. ahead: whether it reads onwards; what looks behind reads backwards."""

    def __init__(self, node: Node, ahead: bool) -> None:
        self.ahead, self.added = ahead, 0
        self.what: list[Ranges | Assertion | None] = [None]
        self.then: list[list[int]] = [[]]
        self.looks: dict[int, _Automaton] = {}
        self.accept = 0
        first = self._add(node, self.accept)
        self.states: dict[frozenset[int], _State] = {}
        self.dead = self.state(frozenset())
        self.first = self._closure([first])
        self.again = frozenset(node for node in self.first if not isinstance(self.what[node], Start))
        self.begin = self.state(self._passing(self.first, Start))
        self.hopeless = None if self.again else self.dead

    def _new(self, what: Ranges | Assertion | None, then: list[int]) -> int:
        if len(self.what) >= SIZE_LIMIT:
            raise _too_large()
        self.what.append(what)
        self.then.append(then)
        return len(self.what) - 1

    def _add(self, node: Node, then: int) -> int:
        self.added += 1
        if self.added > 10 * SIZE_LIMIT:
            raise _too_large()
        match node:
            case Chars(ranges):
                return self._new(ranges, [then])
            case Sequence(parts):
                for part in reversed(parts) if self.ahead else parts:
                    then = self._add(part, then)
                return then
            case Choice(options):
                return self._new(None, [self._add(option, then) for option in options])
            case Repeat():
                return self._repeat(node, then)
            case Look(what, ahead, _):
                here = self._new(node, [then])
                self.looks[here] = _Automaton(what, ahead)
                return here
            case _:
                return self._new(node, [then])

    def _repeat(self, node: Repeat, then: int) -> int:
        here, most = then, node.most
        if most is None:
            here = self._new(None, [then])
            self.then[here].append(self._add(node.what, here))
        for _ in range((most or node.least) - node.least):
            here = self._new(None, [self._add(node.what, here), then])
        for _ in range(node.least):
            here = self._add(node.what, here)
        return here

    def _closure(self, nodes: list[int]) -> frozenset[int]:
        """What can be reached from here without reading; what must hold first stops the way."""
        seen, stack = set(nodes), list(nodes)
        while stack:
            node = stack.pop()
            if self.what[node] is None:
                new = [each for each in self.then[node] if each not in seen]
                seen.update(new)
                stack += new
        return frozenset(node for node in seen if self.what[node] is not None or node == self.accept)

    def state(self, nodes: frozenset[int]) -> _State:
        found = self.states.get(nodes)
        if found is None:
            if len(self.states) > _CACHED:
                self._forget()
            found = self.states[nodes] = _State(self, nodes)
        return found

    def _forget(self) -> None:
        for state in self.states.values():
            state.next.clear()
            state.next_again.clear()
        self.states = {frozenset(): self.dead}

    def after(self, state: _State, character: str, again: bool) -> _State:
        """Where it can be once it read the character; again: or begins anew behind it."""
        code = ord(character)
        reached = [self.then[n][0] for n in state.chars if holds(self.what[n], code)]  # type: ignore[arg-type]
        nodes = self._closure(reached)
        return self.state(nodes | self.again if again else nodes)

    def _passing(self, nodes: frozenset[int], kind: type[Start | End]) -> frozenset[int]:
        """Where it can be if all assertions of this kind hold."""
        passed: set[int] = set()
        while waiting := {node for node in nodes if isinstance(self.what[node], kind)} - passed:
            passed |= waiting
            nodes = nodes.union(*map(self.beyond, waiting))
        return nodes - passed

    def ends(self, nodes: frozenset[int]) -> bool | None:
        """Does the end of the text end the match? None: there is more to ask."""
        nodes = self._passing(nodes, End)
        if self.accept in nodes:
            return True
        return None if any(isinstance(self.what[node], Start | Boundary | Look) for node in nodes) else False

    def beyond(self, node: int) -> frozenset[int]:
        return self._closure(self.then[node])


class _Search:
    """One text, and how much work it was so far."""

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source, self.work = text, source, 0

    def run(self, automaton: _Automaton, at: int, anywhere: bool) -> bool:
        """Does it match from here on, or from anywhere behind? What reads backwards reads what is before."""
        text, size = self.text, len(self.text)
        state = automaton.state(automaton.first if at == 0 or not anywhere else automaton.again)
        step, last = (1, size) if automaton.ahead else (-1, 0)
        while True:
            if state.asserts or (state.ends and at == size):
                state = self._resolved(automaton, state, at)
            if state.accepts:
                return True
            if at == last or (state is automaton.dead and not (anywhere and automaton.again)):
                return False
            character = text[at] if step > 0 else text[at - 1]
            known = state.next_again if anywhere else state.next
            following = known.get(character)
            if following is None:
                self._worked(1 + len(state.chars))
                following = known[character] = automaton.after(state, character, anywhere)
            state = following
            at += step

    def _resolved(self, automaton: _Automaton, state: _State, at: int) -> _State:
        """The state without what must hold: where it does, with what lies behind it."""
        nodes = set(state.chars)
        if state.accepts:
            nodes.add(automaton.accept)
        waiting, seen = [*state.asserts, *state.ends], set()
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            self._worked(1)
            if self._holds(automaton, node, at):
                for each in automaton.beyond(node):
                    is_open = each == automaton.accept or isinstance(automaton.what[each], tuple)
                    nodes.add(each) if is_open else waiting.append(each)
        return automaton.state(frozenset(nodes))

    def _holds(self, automaton: _Automaton, node: int, at: int) -> bool:
        match automaton.what[node]:
            case Start():
                return at == 0
            case End():
                return at == len(self.text)
            case Boundary(negated):
                return negated is not (self._in_word(at - 1) is not self._in_word(at))
            case Look(_, _, negated):
                before = len(self.text) - at if automaton.looks[node].ahead else at
                self._worked(before // 4)
                return negated is not self.run(automaton.looks[node], at, anywhere=False)
        raise AssertionError(node)

    def _in_word(self, at: int) -> bool:
        return 0 <= at < len(self.text) and holds(WORDS, ord(self.text[at]))

    def _worked(self, steps: int) -> None:
        self.work += steps
        if self.work > WORK_LIMIT:
            raise Failed(
                f"the pattern {self.source} takes too long on a text of {len(self.text)} characters; "
                "shorten the text, or look around less in the pattern"
            )
