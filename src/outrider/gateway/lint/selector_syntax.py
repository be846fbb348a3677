"""The grammar of selectors: JSONPath as Spectral 6 reads it (its engine is nimma 0.2.3), which is no standard.

Spectral hands what nimma cannot read, and most paths that descend more than once, to jsonpath-plus, which differs in
details. Selectors that both read alike are read here. Refused is where Spectral finds what nobody can have meant: a
misspelt selector that silently matches nothing, a filter that is asked of another value than its place says.
"""

import re
from typing import TypeAlias

import msgspec

from outrider.gateway.lint.expressions import Expression, compile_expression
from outrider.gateway.lint.javascript import number_of, text_of
from outrider.gateway.lint.not_understood import NotUnderstood


class Names(msgspec.Struct, frozen=True):
    """Members, or items, of one of these names: `.a`, `['a','b']`, `[0]`."""

    names: tuple[str, ...]
    deep: bool


class All(msgspec.Struct, frozen=True):
    """Every member and item: `*`."""

    deep: bool


class Slice(msgspec.Struct, frozen=True):
    """Items of a list from `first` on, before `end`: `[1:3]`. `[-1:]` and `[(@.length-1)]`: from the end."""

    first: int
    end: int | None
    deep: bool


class Filter(msgspec.Struct, frozen=True):
    """Members and items of which the expression is true: `[?(@.in === 'path')]`."""

    condition: Expression
    deep: bool


class Containers(msgspec.Struct, frozen=True):
    """The whole document, and every object and list in it: `$..`."""

    deep: bool = True


Step: TypeAlias = Names | All | Slice | Filter | Containers


class Syntax(msgspec.Struct, frozen=True):
    """keys: names of what is matched, and not its value. parents: how many levels further out."""

    steps: tuple[Step, ...]
    keys: bool
    parents: int


_IDENTIFIER = re.compile(r"[$_A-Za-z0-9-]+")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_SLICE = re.compile(r"\[(-?\d*):(-?\d*)(?::(-?\d+))?\]")
_FROM_END = re.compile(r"\[\(@\.length[ \t]*-[ \t]*(\d+)\)\]")
_TYPE_TEST = re.compile(r"@(array|boolean|integer|null|number|object|scalar|string)\(\)")
_NIMMA_READS = re.compile(r"(?:[A-Za-z0-9 \t$@.,_=<>!|&+~%^*/;\-\[\]()]|\"[^\"]*\"|'[^']*')+")
_PLUS_READS = re.compile(r"[A-Za-z_$/{}-]+")
_PLUS_LACKS = re.compile(r"~=|\bin\b|@(?!property|parentProperty|[.\s)\[])")
_PLAINER = "descend with .. only once, use names without quotes, and filters without ~=, in and @string()"
_INHERITED = {"length", "constructor", "__proto__"}


def parse_selector(text: str) -> Syntax:
    """What the selector says. Raises `NotUnderstood`."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.for_plus = self.has_quoted_union = False

    def whole(self) -> Syntax:
        if not self.take("$"):
            raise self.refused("must begin with $")
        steps: list[Step] = []
        if re.fullmatch(r"\.\.", self.text[1:]):
            return Syntax((Containers(),), False, 0)
        while self.at < len(self.text) and self.text[self.at] not in "~^":
            steps.append(self.step())
        modifiers = self.text[self.at :]
        if modifiers.strip("~^"):
            raise self.refused("has ~ or ^ in the middle; they stand at the end")
        if modifiers and not steps:
            raise self.refused(f"has {modifiers[0]} after the whole document, which has neither name nor parent")
        if (modifiers or self.for_plus or not _simple(steps)) and _asks_root(steps):
            raise self.refused("has @root where Spectral takes another value; ask it in one filter, at the end", 0)
        keyed, behind = "~" in modifiers, modifiers.rpartition("~")
        parents = (behind[0] if keyed else modifiers).count("^")
        return Syntax(self.meant(steps, len(modifiers) > 1), keyed, parents)

    def meant(self, steps: list[Step], mixed: bool) -> tuple[Step, ...]:
        """The steps as the engine that Spectral chooses for them takes them."""
        if self.for_plus or _descends_again(steps):
            if not all(map(_is_for_plus, steps)) or mixed or self.has_quoted_union:
                raise self.refused(f"is read in two ways by Spectral; {_PLAINER}", 0)
            return tuple(steps)
        deep = [step for step in steps if step.deep]
        first = steps[0] if len(steps) > 1 and not steps[0].deep else None
        if isinstance(first, Filter) or (isinstance(first, All) and deep):
            raise self.refused(
                "begins with all, or a filter, right behind $, which Spectral loses; write names there", 0
            )
        if len(deep) > 1 and not all(_is_plain(step) and _is_for_plus(step) for step in steps):
            raise self.refused(f"asks its filter of the wrong value in Spectral; {_PLAINER}", 0)
        if deep and any(isinstance(step, Slice) for step in steps):
            raise self.refused("has .. and a slice, which Spectral loses; write [0] or [*]", 0)
        if all(isinstance(step, Names) and not step.deep for step in steps) and _INHERITED & _names(steps):
            raise self.refused("has a name that every list or object has in JavaScript, so it would always match", 0)
        return _compacted(steps)

    def step(self) -> Step:
        start, deep = self.at, False
        if self.take(".."):
            deep = True
        elif self.take("."):
            deep = self.text[self.at : self.at + 1] == "["
        elif self.text[self.at] not in "[@":
            raise self.refused("needs a . or [ here")
        if name := _IDENTIFIER.match(self.text, self.at):
            self.at = name.end()
            return Names((name[0],), deep)
        if self.take("*") or self.take("[*]"):
            return All(deep)
        if self.text.startswith("[?(", self.at):
            return Filter(self.condition(), deep)
        if kind := _TYPE_TEST.match(self.text, self.at):
            self.at = kind.end()
            return Filter(compile_expression(kind[0]), deep)
        if self.text.startswith("[", self.at):
            return self.bracket(deep)
        raise self.refused(
            "has nothing here that selects; known are .name, ['name'], [0], *, .., [?(...)], ~ and ^", start
        )

    def bracket(self, deep: bool) -> Step:
        if part := _SLICE.match(self.text, self.at):
            return self.slice(part, deep)
        if last := _FROM_END.match(self.text, self.at):
            self.at = last.end()
            return Slice(-int(last[1]), None, deep)
        start, names = self.at, []
        self.at += 1
        while not self.take("]"):
            if quoted := _QUOTED.match(self.text, self.at):
                self.at = quoted.end()
                self.has_quoted_union |= self.text[self.at : self.at + 1] == ","
                names.append(quoted[1] if quoted[1] is not None else quoted[2])
            elif name := _IDENTIFIER.match(self.text, self.at):
                self.at = name.end()
                names.append(self.unquoted(name[0]))
            else:
                raise self.refused("needs names, without blanks between them: ['a','b'] or [a,b]")
            if not self.take(",") and self.text[self.at : self.at + 1] != "]":
                raise self.refused("needs , or ] here")
        if not names:
            raise self.refused("has [] without a name", start)
        return Names(tuple(dict.fromkeys(names)), deep)

    def unquoted(self, name: str) -> str:
        """A name without quotes; nimma takes `1e3` and `007` for numbers."""
        number = number_of(name)
        if number == number and text_of(number) != name:
            raise self.refused(f"needs quotes around {name}, which is read as a number otherwise: ['{name}']")
        return name

    def slice(self, part: re.Match[str], deep: bool) -> Slice:
        first, end, step = int(part[1] or 0), int(part[2]) if part[2] else None, int(part[3] or 1)
        if step != 1 or (end is not None and end < 0) or (first < 0 and (end is not None or deep)):
            raise self.refused("has a slice that Spectral does not read as written; known are [1:], [:2], [1:2], [-1:]")
        self.at = part.end()
        return Slice(first, end, deep)

    def condition(self) -> Expression:
        start = self.at + len("[?(")
        end = self._closing(start)
        text = self.text[start:end]
        if not _NIMMA_READS.fullmatch(text):
            if ")]" in text or ")'" in text:
                raise self.refused("has a filter that Spectral cannot read, because of a )] or )' inside", start)
            self.for_plus = True
        self.at = end + len(")]")
        try:
            return compile_expression(text)
        except NotUnderstood as error:
            raise NotUnderstood(error.message, at=start + (error.at or 0)) from None

    def _closing(self, start: int) -> int:
        """Where the filter that begins here ends: at its `)]`."""
        depth, at = 0, start
        while at < len(self.text):
            character = self.text[at]
            if quoted := _QUOTED.match(self.text, at):
                at = quoted.end()
                continue
            depth += (character == "(") - (character == ")")
            if depth < 0:
                if self.text.startswith(")]", at):
                    return at
                break
            at += 1
        raise self.refused("has a filter without its )]", start)

    def take(self, wanted: str) -> bool:
        found = self.text.startswith(wanted, self.at)
        self.at += len(wanted) * found
        return found

    def refused(self, message: str, at: int | None = None) -> NotUnderstood:
        return NotUnderstood(f"the selector {self.text} {message}", at=self.at if at is None else at)


def _names(steps: list[Step]) -> set[str]:
    return {name for step in steps if isinstance(step, Names) for name in step.names}


def _is_for_plus(step: Step) -> bool:
    """Does jsonpath-plus read the step as nimma would?"""
    if isinstance(step, Filter):
        return not _PLUS_LACKS.search(step.condition.text + ")")
    return isinstance(step, All) or (isinstance(step, Names) and all(map(_PLUS_READS.fullmatch, step.names)))


def _compacted(steps: list[Step]) -> tuple[Step, ...]:
    """`..*` before another step only makes that one deep, as nimma has it."""
    kept: list[Step] = []
    deepens = False
    for number, step in enumerate(steps):
        whole = msgspec.structs.replace(step, deep=True) if deepens else step
        deepens = isinstance(step, All) and step.deep and number < len(steps) - 1
        if not deepens:
            kept.append(whole)
    return tuple(kept)


def _asks_root(steps: list[Step]) -> bool:
    return any(isinstance(step, Filter) and step.condition.asks_root for step in steps)


def _simple(steps: list[Step]) -> bool:
    """Nothing descends, and only the last is a filter."""
    return not any(step.deep for step in steps) and not any(isinstance(step, Filter) for step in steps[:-1])


def _descends_again(steps: list[Step]) -> bool:
    """Does nimma leave it to jsonpath-plus: more than one `..`, unless names alone stand behind them?"""
    deep = [number for number, step in enumerate(steps) if step.deep]
    if len(deep) < 2:
        return False
    first = steps[deep[0]]
    if not (isinstance(first, Names) and len(first.names) == 1):
        return True
    between = steps[deep[0] + 1 : -1]
    flat = any(not step.deep and _is_plain(step) for step in between)
    if any(step.deep and (not _is_plain(step) or flat) for step in between):
        return True
    return (flat or isinstance(steps[-1], All)) if steps[-1].deep else True


def _is_plain(step: Step) -> bool:
    return isinstance(step, All) or (isinstance(step, Names) and len(step.names) == 1)
