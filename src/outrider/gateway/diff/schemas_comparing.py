"""Is all that is given what is asked for? Which pairs of schemas are compared for that, each once, and how it ends."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.diff.lifecycle import Notice
from outrider.gateway.diff.placed import Placed
from outrider.gateway.diff.rules import JUDGED_NOT, change
from outrider.gateway.diff.schema_rules import rule_of
from outrider.gateway.diff.schemas_equal import Equality
from outrider.gateway.diff.schemas_meaning import Alternative, NotJudgedError
from outrider.gateway.diff.schemas_telling import Conjunction, Side, breaks, called, shown, widens
from outrider.gateway.findings import Change

_MOST = 20_000
"""So many pairs of schemas are compared in two documents, by side."""
_NESTED = 20
"""So many pairs are compared to see which member of a union fits, one within the other."""
_Paths = frozenset[tuple[int, JsonPath]]
_Key = tuple[_Paths, _Paths, bool, bool, bool, bool, str]

Comparison: TypeAlias = "Callable[[Pair], Iterable[Change]]"
"""What is told of a pair."""
Judge: TypeAlias = "Callable[[Pair, Alternative, Alternative], Iterator[Change]]"
"""Why what is given may not be what is asked for, both being of one type."""


class Pair(msgspec.Struct, frozen=True, eq=False):
    """Two schemas that are compared. text: are plain values written as text, so that a number may as well be a string?
    strict: is it told as well that one lists a member and the other does not, though that is no break? exact: is it
    looked for what fits two members of oneOf? inner: what else is to be compared.
    """

    side: Side
    name: str
    top: bool
    text: bool
    strict: bool
    exact: bool
    given: Conjunction
    asked: Conjunction
    comparing: "Comparing"
    inner: list["_Question"] = []

    def below(self, given: Conjunction, asked: Conjunction, *, text: bool = False) -> None:
        """A member or an item is to be compared, too. text: is it a text if the whole is?"""
        self.comparing.ask(self, given, asked, text=text and self.text)

    def strictly(self) -> "Pair":
        """The same, strict."""
        return msgspec.structs.replace(self, strict=True)

    @property
    def requests(self) -> bool:
        return self.side.requests

    def tell(self, what: str, there: Placed | None = None, wanted: Placed | None = None, /, **words: Any) -> Change:
        """What happened to the schema, its id without whose schema it is."""
        return self._told(rule_of(self.side.value[0 if self.top else 1], what), there, wanted, holder=True, **words)

    def tell_member(self, rule: str, there: Placed | None, wanted: Placed | None) -> Change:
        """What happened to a member."""
        return self._told(rule, there, wanted, holder=False)

    def not_judged(self, what: str) -> Change:
        """Something is not understood and has changed."""
        old, new = self.in_time(self.given.head, self.asked.head)
        return change(JUDGED_NOT, old, new, what=f"{what} of {self.called(new)}")

    def _told(self, rule: str, there: Placed | None, wanted: Placed | None, /, *, holder: bool, **words: Any) -> Change:
        """there, wanted: what to point at in what is given and what is asked for. holder: the schema is spoken of in
        which that stands. words: `given` and `asked` say what it is, or `was` and `now` do.
        """
        old, new = self.in_time(there, wanted)
        told = new or old
        old, new = self.in_time(there or self.given.head, wanted or self.asked.head)
        was, now = self.in_time(words.get("given", ""), words.get("asked", ""))
        was, now = words.get("was", was), words.get("now", now)
        what = self.called(told or new, holder=holder)
        return change(rule, old, new, what=what, was=shown(was), now=shown(now))

    def called(self, place: Placed, *, holder: bool = False) -> str:
        """As people know it: by its definition, or by the way to it."""
        if name := called(place.path, holder=holder):
            return name if place.path[:2] == ("components", "schemas") else f"the member {name}"
        noun = self.side.value[2]
        if self.side in (Side.REQUEST_PARAMETER, Side.RESPONSE_HEADER):
            return f"the {self.name}" if self.name else noun
        return f"{noun} ({self.name})" if self.name else noun

    def point(self, alternative: Alternative, keyword: str) -> Placed | None:
        """Where the keyword is said."""
        for part in alternative.parts:
            if keyword in part.schema.value:
                return part.schema.get(keyword)
        return None

    def points(self, given: Alternative, asked: Alternative, *keywords: str) -> tuple[Placed | None, Placed | None]:
        """Where either says one of the keywords, the first that it says."""
        there, wanted = (
            next((found for keyword in keywords if (found := self.point(each, keyword)) is not None), None)
            for each in (given, asked)
        )
        return there, wanted

    def by_side(self, in_requests: str, in_responses: str) -> str:
        """What happened, as it is called on either side."""
        return in_requests if self.requests else in_responses

    def in_time(self, given: Any, asked: Any) -> tuple[Any, Any]:
        """The old one, and the new one."""
        return (given, asked) if self.requests else (asked, given)


class _Question(msgspec.Struct, eq=False):
    """Two schemas, what is told of them, and the questions that this depends on; None where it was not compared yet."""

    given: Conjunction
    asked: Conjunction
    text: bool
    strict: bool
    exact: bool
    top: bool
    name: str
    changes: list[Change] | None = None
    inner: list["_Question"] = []


class Comparing:
    """The schemas of one side of two documents, pair by pair. Each pair is compared once, whoever asks for it.

    A pair that is met again while it is compared is taken to be equal, so that schemas which contain themselves come to
    an end. What was found by leaning on that is not kept, for the pair may turn out to differ.
    """

    def __init__(self, side: Side, equality: Equality, judgement: Comparison, notice: Notice) -> None:
        self.notice = notice
        self._side = side
        self.heirs = equality.heirs
        self._equality = equality
        self._judgement = judgement
        self._questions: dict[_Key, _Question] = {}
        self._broken: dict[Callable[[Iterable[Change]], bool], dict[int, bool]] = {}
        self._quiet: set[int] = set()
        self._running: set[int] = set()
        self._leant = False
        self._compared = 0

    def changes(self, given: Conjunction, asked: Conjunction, *, text: bool, name: str) -> Iterator[Change]:
        """Why what is given may not be what is asked for; nothing: it always is."""
        question = self._question(given, asked, text=text, top=True, name=name)
        return self._below([question] if question else [])

    def ask(self, pair: Pair, given: Conjunction, asked: Conjunction, *, text: bool) -> None:
        """What a pair depends on, too."""
        if (question := self._question(given, asked, text=text, strict=pair.strict, exact=pair.exact)) is not None:
            pair.inner.append(question)

    def tell(self, pair: Pair, comparison: Comparison) -> tuple[list[Change], list[_Question]]:
        """What a comparison would tell of a pair itself, and what that depends on; nothing of it remains."""
        trial = msgspec.structs.replace(pair, inner=[])
        try:
            return list(comparison(trial)), trial.inner
        except NotJudgedError as error:
            return [pair.not_judged(error.what)], trial.inner

    def fits(self, pair: Pair, comparison: Comparison) -> bool:
        """Would a comparison tell of nothing that breaks anybody, at this pair and below?"""
        own, inner = self.tell(pair, comparison)
        return not breaks(own) and not any(self._breaks(each, breaks) for each in inner)

    def no_wider(self, pair: Pair, schema: Placed, other: Placed) -> bool:
        """Does a schema take nothing that the other does not? That it lists more members makes it narrower.

        Where that is asked within such a question, it is answered by the two themselves and not by all that they hold.
        """
        some, others = Conjunction((schema,), schema), Conjunction((other,), other)
        if not pair.strict:
            question = self._question(some, others, text=pair.text, strict=True)
            return question is None or not self._breaks(question, widens)
        question = self._question(some, others, text=pair.text, exact=False)
        return question is None or not widens(self._compare(question)[0])

    def _breaks(self, question: _Question, how: Callable[[Iterable[Change]], bool]) -> bool:
        """Does anything break in it or in what it depends on? All that was looked at is known from then on."""
        known = self._broken.setdefault(how, {})
        if id(question) in known:
            return known[id(question)]
        leant_before, self._leant = self._leant, False
        around: dict[int, list[int]] = {id(question): []}
        left, broken = [question], []
        while left:
            each = left.pop()
            changes, inner = self._compare(each)
            if how(changes) or any(known.get(id(below)) for below in inner):
                broken.append(id(each))
            for below in inner:
                if id(below) not in around and id(below) not in known:
                    left.append(below)
                around.setdefault(id(below), []).append(id(each))
        differing = _closure(broken, around)
        leant, self._leant = self._leant, self._leant or leant_before
        if not leant:
            known.update({each: each in differing for each in around if each not in known})
        return id(question) in differing

    def _below(self, questions: list[_Question]) -> Iterator[Change]:
        """What is told of them and of all that they depend on. Where nothing is, it is not gone through again."""
        left = deque(each for each in questions if id(each) not in self._quiet)
        met, told = set(map(id, left)), False
        while left:
            changes, inner = self._compare(left.popleft())
            told = told or bool(changes)
            yield from changes
            for each in inner:
                if id(each) not in met and id(each) not in self._quiet:
                    met.add(id(each))
                    left.append(each)
        self._quiet.update(met if not told else ())

    def _compare(self, question: _Question) -> tuple[list[Change], list[_Question]]:
        if question.changes is not None:
            return question.changes, question.inner
        if id(question) in self._running:
            self._leant = True
            return [], []
        around, self._leant = self._leant, False
        self._running.add(id(question))
        self._compared += 1
        pair = Pair(
            self._side,
            question.name,
            question.top,
            question.text,
            question.strict,
            question.exact,
            question.given,
            question.asked,
            self,
        )
        try:
            if self._compared > _MOST or len(self._running) > _NESTED:
                self._leant = True
                raise NotJudgedError("more combinations than can be compared")
            changes = list(self._judgement(pair))
        except NotJudgedError as error:
            changes = [pair.not_judged(error.what)]
        self._running.remove(id(question))
        if not self._leant:
            question.changes, question.inner = changes, pair.inner
        self._leant = self._leant or around
        return changes, pair.inner

    def _question(
        self,
        given: Conjunction,
        asked: Conjunction,
        *,
        text: bool,
        strict: bool = False,
        exact: bool = True,
        top: bool = False,
        name: str = "",
    ) -> _Question | None:
        """Two schemas; None where they are equal."""
        if self.all_equal(given, asked):
            return None
        key = (self._paths(given), self._paths(asked), text, strict, exact, top, name)
        if key not in self._questions:
            self._questions[key] = _Question(given, asked, text, strict, exact, top, name)
        return self._questions[key]

    def all_equal(self, given: Conjunction, asked: Conjunction) -> bool:
        """Do they say the same, word for word?"""
        both = zip(given.schemas, asked.schemas, strict=False)
        alike = len(given.schemas) == len(asked.schemas)
        return alike and all(self._equality.equal(one, other) for one, other in both)

    def _paths(self, conjunction: Conjunction) -> _Paths:
        return frozenset((id(each.source), each.path) for each in map(self._equality.direct, conjunction.schemas))


def _closure(some: list[int], around: dict[int, list[int]]) -> set[int]:
    """Those, and all around them."""
    found: set[int] = set()
    left = list(some)
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left += around.get(each, [])
    return found
