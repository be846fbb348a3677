"""The filters of selectors: JavaScript expressions of which few are known, with JavaScript's meaning.

`@` is the value, `@property` its name, `@parentProperty` the name of what holds it. What would raise in JavaScript,
such as a member of `undefined`, stops the rule: it is never taken for false. `@root` is the whole document, in a filter
at the end of a selector; `@parent` and `@path`, and `@root` elsewhere, are not read: what they are in Spectral depends
on where in a selector the filter stands.
"""

import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from outrider.gateway.lint import javascript as js
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.methods import METHODS, member
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.operators import BINARY, KINDS, RANK, UNARY
from outrider.gateway.lint.regex import Regex, regex


class Subject:
    """What a filter is asked of; one for a whole walk, set anew at each place."""

    __slots__ = ("outer", "property", "root", "value")

    def __init__(self, root: Any = None) -> None:
        self.root = root
        self.value: Any = None
        self.property: str | int | None = None
        self.outer: str | int | js.Undefined = UNDEFINED


Evaluate: TypeAlias = Callable[[Subject], Any]


class Expression(msgspec.Struct, frozen=True, eq=False):
    """A filter that was understood. Equal texts give the same one."""

    text: str
    value_of: Evaluate

    @property
    def is_of_value(self) -> bool:
        """Does it ask for the value alone, and never for names?"""
        return "@p" not in self.text

    @property
    def asks_root(self) -> bool:
        """Does it ask anything of the whole document?"""
        return "@root" in self.text

    def holds(self, subject: Subject) -> bool:
        """Is it true of the subject? Raises `Failed` where JavaScript would raise."""
        value = self.value_of(subject)
        return value is True or (value is not False and js.truthy(value))


@lru_cache(maxsize=1000)
def compile_expression(text: str) -> Expression:
    """Raises `NotUnderstood`."""
    try:
        return Expression(text, _Parser(text).whole())
    except RecursionError:
        raise NotUnderstood("the filter is nested too deeply; take it apart") from None


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?)
  | (?P<string>"[^"\\]*"|'[^'\\]*')
  | (?P<name>@?[A-Za-z_$][A-Za-z0-9_$]*|@)
  | (?P<sign>===|!==|==|!=|<=|>=|&&|\|\||~=|[<>!+*%()\[\],./-])
    )""",
    re.X,
)
_REGEX = re.compile(r"/((?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+)/([a-z]*)")
_LITERALS = {"true": True, "false": False, "null": None, "undefined": UNDEFINED}
_SUBJECTS: dict[str, Evaluate] = {
    "@": operator.attrgetter("value"),
    "@property": operator.attrgetter("property"),
    "@parentProperty": operator.attrgetter("outer"),
    "@root": operator.attrgetter("root"),
}


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.texts: dict[Evaluate, str] = {}
        self.kind, self.mark = "", ""
        self.start = 0
        self.advance()

    def whole(self) -> Evaluate:
        if not self.kind:
            raise self.refused("is empty")
        value = self.binary(0)
        if self.kind:
            raise self.refused(f"has {self.mark} where it should end")
        return value

    def advance(self) -> None:
        """The next token; `kind` is empty at the end."""
        rest = self.text[self.at :]
        self.start = self.at + len(rest) - len(rest.lstrip())
        if not rest.strip():
            self.kind = self.mark = ""
            self.at = len(self.text)
        elif found := _TOKEN.match(self.text, self.at):
            self.kind, self.at = str(found.lastgroup), found.end()
            self.mark = found[self.kind]
        else:
            raise self.refused(f"has {self.text[self.start]}, which is not known")

    def binary(self, rank: int) -> Evaluate:
        left = self.unary()
        while (sign := self.mark) in RANK and self.kind in ("sign", "name") and RANK[sign] > rank:
            self.advance()
            if sign == "~=":
                left = _applied(BINARY[sign], left, _always(self.pattern()))
                continue
            right = self.binary(RANK[sign])
            left = _joined(sign, left, right) if sign in ("&&", "||") else self.compared(sign, left, right)
        return left

    def compared(self, sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
        """Most filters compare with a text of their own, for which Python's equality is JavaScript's strict one."""
        text = self.texts.get(right)
        if text is not None and sign == "===":
            return lambda subject: left(subject) == text
        if text is not None and sign == "!==":
            return lambda subject: left(subject) != text
        return _applied(BINARY[sign], left, right)

    def pattern(self) -> Regex:
        if self.kind != "string":
            raise self.refused("needs a pattern in quotes behind ~=")
        found = regex(self.mark[1:-1])
        self.advance()
        return found

    def unary(self) -> Evaluate:
        if self.kind == "sign" and self.mark in UNARY:
            change = UNARY[self.mark]
            self.advance()
            value = self.unary()
            return lambda subject: change(value(subject))
        return self.members(self.primary())

    def primary(self) -> Evaluate:
        kind, mark = self.kind, self.mark
        if kind == "sign" and mark == "/":
            return self.regex_test()
        if kind == "sign" and mark == "[":
            self.advance()
            items = self.listed("]")
            return lambda subject: [item(subject) for item in items]
        if kind == "sign" and mark == "(":
            self.advance()
            value = self.binary(0)
            self.expect(")")
            return value
        if kind == "name" and mark in KINDS:
            return self.kind_test(KINDS[mark])
        value_of = self.named() if kind == "name" else self.literal()
        self.advance()
        return value_of

    def named(self) -> Evaluate:
        if self.mark in _LITERALS:
            return _always(_LITERALS[self.mark])
        if self.mark in _SUBJECTS:
            return _SUBJECTS[self.mark]
        known = "@, @property, @parentProperty, @root, @string() and the like"
        raise self.refused(f"has {self.mark}, which is not known or not reliable in Spectral; known are {known}")

    def literal(self) -> Evaluate:
        if self.kind == "number":
            return _always(float(self.mark))
        if self.kind == "string":
            value_of = _always(self.mark[1:-1])
            self.texts[value_of] = self.mark[1:-1]
            return value_of
        raise self.refused(f"has {self.mark or 'its end'} where a value should be")

    def kind_test(self, test: Callable[[Any], bool]) -> Evaluate:
        self.advance()
        if self.mark == "(":
            self.advance()
            self.expect(")")
        return lambda subject: test(subject.value)

    def regex_test(self) -> Evaluate:
        """`/pattern/flags.test(...)`, the only use of a pattern of its own."""
        pattern = self.regex_literal()
        if self.mark != "." or not re.match(r"\s*test\b", self.text[self.at :]):
            raise self.refused("needs .test(...) behind a pattern, as in /^v1/.test(@property)")
        self.advance()
        self.advance()
        self.expect("(")
        arguments = self.listed(")")
        if len(arguments) != 1:
            raise self.refused("needs one value in .test(...)")
        return lambda subject: pattern.search(js.text_of(arguments[0](subject)))

    def regex_literal(self) -> Regex:
        found = _REGEX.match(self.text, self.start)
        if not found:
            raise self.refused("divides, or has a pattern without its end, which is not known here")
        self.at = found.end()
        try:
            pattern = regex(found[1], found[2])
        except NotUnderstood as error:
            raise NotUnderstood(error.message, at=found.start(1) + (error.at or 0)) from None
        self.advance()
        return pattern

    def members(self, value: Evaluate) -> Evaluate:
        while self.kind == "sign" and self.mark in (".", "["):
            dotted = self.mark == "."
            self.advance()
            if dotted:
                if self.kind != "name" or self.mark.startswith("@"):
                    raise self.refused("needs a name behind the .")
                name = self.mark
                self.advance()
                if self.mark == "(":
                    value = self.called(value, name)
                    continue
                value = _named_member(value, name)
            else:
                inner = self.binary(0)
                self.expect("]")
                value = _member(value, inner)
            if self.mark == "(":
                raise self.refused("calls what is no method by name")
        return value

    def called(self, value: Evaluate, name: str) -> Evaluate:
        if name not in METHODS:
            raise self.refused(f"calls {name}(), which is not known; known are {', '.join(sorted(METHODS))}")
        self.advance()
        if name == "match":
            arguments: list[Evaluate] = [_always(self.match_pattern())]
            self.expect(")")
            if self.mark in (".", "["):
                raise self.refused("looks into what match() found, which is not known; ask whether there is a match")
        else:
            arguments = self.listed(")")
        method = METHODS[name]
        if value is _SUBJECTS["@property"]:
            value = _property_as_text
        return lambda subject: method(value(subject), [argument(subject) for argument in arguments])

    def match_pattern(self) -> Regex:
        if self.mark == "/":
            return self.regex_literal()
        if self.kind != "string":
            raise self.refused("needs a pattern in match(...), as in @property.match(/^v1/)")
        return self.pattern()

    def listed(self, closing: str) -> list[Evaluate]:
        items: list[Evaluate] = []
        while self.mark != closing or self.kind == "string":
            if items:
                self.expect(",")
            items.append(self.binary(0))
        self.advance()
        return items

    def expect(self, sign: str) -> None:
        if self.kind != "sign" or self.mark != sign:
            raise self.refused(f"needs {sign} before {self.mark or 'its end'}")
        self.advance()

    def refused(self, message: str) -> NotUnderstood:
        return NotUnderstood(f"the filter {self.text} {message}", at=self.start)


def _property_as_text(subject: Subject) -> str:
    """Spectral calls methods of `@property` as text, though it is a number in a list."""
    return js.text_of(subject.property)


def _always(value: Any) -> Evaluate:
    return lambda subject: value


def _applied(operation: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda subject: operation(left(subject), right(subject))


def _joined(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    """`&&` and `||` give one of their two values, and ask the second only where it counts."""
    if sign == "&&":
        return lambda subject: right(subject) if (value := left(subject)) is True or js.truthy(value) else value
    return lambda subject: value if (value := left(subject)) is True or js.truthy(value) else right(subject)


def _member(value: Evaluate, name: Evaluate) -> Evaluate:
    return lambda subject: member(value(subject), name(subject))


def _named_member(value: Evaluate, name: str) -> Evaluate:
    def evaluate(subject: Subject) -> Any:
        whole = value(subject)
        if whole.__class__ is dict and name in whole:
            return whole[name]
        return member(whole, name)

    return evaluate
