"""The syntax of JavaScript's regular expressions (ECMA-262, 22.2.1, and annex B for patterns without the flag `u`).

What is read is what can be matched in linear time: no backreferences. Whatever else is not understood exactly is
refused: `\\p{...}`, whose letters depend on the version of Unicode, the flags `v` and `iu`, escapes that mean
nothing in JavaScript, such as `\\A` and `\\Z`.
"""

from outrider.gateway.lint.characters import (
    ALL,
    DIGITS,
    LINE_ENDS,
    NONE,
    SPACES,
    WORDS,
    Ranges,
    either_case,
    merged,
    others,
)
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.regex_nodes import Boundary, Chars, Choice, End, Look, Node, Repeat, Sequence, Start

FLAGS = frozenset("dgimsuy")
_CLASSES = {
    "d": DIGITS,
    "D": others(DIGITS),
    "s": SPACES,
    "S": others(SPACES),
    "w": WORDS,
    "W": others(WORDS),
}
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_SYNTAX = "^$\\.*+?()[]{}|/"
_REPEAT_LIMIT = 5000


_LINE_START = Look(Chars(others(LINE_ENDS)), ahead=False, negated=True)
_LINE_END = Look(Chars(others(LINE_ENDS)), ahead=True, negated=True)


def units(text: str) -> str:
    """The text as UTF-16 units, each a character of its own: as JavaScript sees it."""
    if text.isascii() or max(text, default="") <= "\uffff":
        return text
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(raw[i] | raw[i + 1] << 8) for i in range(0, len(raw), 2))


def parse(source: str, flags: str) -> Node:
    """What the pattern says. Raises `NotUnderstood`."""
    for flag in flags:
        if flag not in FLAGS:
            raise NotUnderstood(f"the flag {flag} of a pattern is not known; known are d, g, i, m, s, u and y")
        if flags.count(flag) > 1:
            raise NotUnderstood(f"has the flag {flag} twice; write it once")
    if {"i", "u"} <= set(flags):
        raise NotUnderstood("has the flags i and u together, which are not supported; leave out u")
    return _Parser(source, flags).whole()


class _Parser:
    def __init__(self, source: str, flags: str) -> None:
        self.unicode = "u" in flags
        self.text = source if self.unicode else units(source)
        self.at = 0
        self.lines, self.dot_all, self.caseless = "m" in flags, "s" in flags, "i" in flags
        self.names: set[str] = set()

    def whole(self) -> Node:
        node = self.choice()
        if self.at < len(self.text):
            raise self.refused("has a ) without its (; write \\) for the character")
        return node

    def choice(self) -> Node:
        options = [self.sequence()]
        while self.take("|"):
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Node:
        parts = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self.repeated(self.term()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def term(self) -> Node:
        start, character = self.at, self.next()
        if character == "^":
            return _LINE_START if self.lines else Start()
        if character == "$":
            return _LINE_END if self.lines else End()
        if character == "(":
            return self.group()
        if character == ".":
            return Chars(ALL if self.dot_all else others(LINE_ENDS))
        if character == "[":
            return self.character_class()
        if character == "\\":
            return self.escape()
        if character in "*+?" or (character == "{" and self.counted() is not None):
            raise self.refused(
                f"has nothing before {character} to repeat; write \\{character} for the character", start
            )
        if character in "]{}" and self.unicode:
            raise self.refused(f"needs \\{character} for the character, because of the flag u", start)
        return self.literal(ord(character))

    def literal(self, character: int) -> Chars:
        return self.chars(((character, character),))

    def chars(self, ranges: Ranges, negated: bool = False) -> Chars:
        whole = either_case(ranges) if self.caseless else ranges
        return Chars(others(whole) if negated else whole)

    def repeated(self, what: Node) -> Node:
        start = self.at
        if self.take("*"):
            least, most = 0, None
        elif self.take("+"):
            least, most = 1, None
        elif self.take("?"):
            least, most = 0, 1
        elif self.take("{") and (counts := self.counted()) is not None:
            least, most = counts
        else:
            self.at = start
            return what
        self.take("?")  # which of several matches is taken makes no difference to whether there is one
        if isinstance(what, Look | Start | End | Boundary):
            raise self.refused("repeats what has no length; leave the repetition out", start)
        if most is not None and most < least:
            raise self.refused("has a repetition whose numbers are out of order", start)
        if max(least, most or 0) > _REPEAT_LIMIT:
            raise self.refused(f"repeats more than {_REPEAT_LIMIT} times; use the function length", start)
        return Repeat(what, least, most)

    def counted(self) -> tuple[int, int | None] | None:
        """What stands in braces, after the first one; None: no numbers, so it is the character `{`."""
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at : end].partition(",") if end >= 0 else ("", "", "")
        if not _number(low) or (high and not _number(high)) or (low and comma and high and not _number(high)):
            return None
        self.at = end + 1
        return int(low), (int(high) if high else None) if comma else int(low)

    def group(self) -> Node:
        start = self.at - 1
        if self.take("?"):
            return self.special_group(start)
        return self.closed(start)

    def special_group(self, start: int) -> Node:
        if self.take(":"):
            return self.closed(start)
        for opening, ahead, negated in (
            ("=", True, False),
            ("!", True, True),
            ("<=", False, False),
            ("<!", False, True),
        ):
            if self.take(opening):
                return Look(self.closed(start), ahead, negated)
        if self.take("<"):
            name, closing, _ = self.text[self.at :].partition(">")
            if not closing or not name.isidentifier() or not name.isascii() or name in self.names:
                raise self.refused("needs a name of its own in (?<name>...), of letters and digits", start)
            self.names.add(name)
            self.at += len(name) + 1
            return self.closed(start)
        raise self.refused(
            "has a group that JavaScript does not know; known are (?:, (?=, (?!, (?<=, (?<! and (?<name>", start
        )

    def closed(self, start: int) -> Node:
        node = self.choice()
        if not self.take(")"):
            raise self.refused("has a ( without its ); write \\( for the character", start)
        return Sequence((node,))

    def escape(self) -> Node:
        start = self.at - 1
        letter = self.text[self.at : self.at + 1]
        if letter and letter in "bB":
            self.at += 1
            if letter == "B" and self.unicode:
                raise self.refused("has \\B with the flag u, which V8 answers otherwise than it should", start)
            return Boundary(letter == "B")
        if letter and (letter in "123456789" or letter == "k"):
            raise self.refused("refers back to a group, which can take for ever; write out what is meant", start)
        what = self.escaped(start)
        return self.chars(what) if isinstance(what, tuple) else self.literal(what)

    def escaped(self, start: int) -> int | Ranges:
        """The character, or the characters, that an escape means; the backslash was read."""
        letter = self.next()
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "0" and not self.text[self.at : self.at + 1].isdigit():
            return 0
        if letter == "c" and (control := self.text[self.at : self.at + 1]).isascii() and control.isalpha():
            self.at += 1
            return ord(control) % 32
        if letter == "x":
            return self.hexadecimal(2, start)
        if letter == "u":
            return self.code_point(start)
        if letter in _SYNTAX or (not self.unicode and not (letter.isascii() and letter.isalnum())):
            return ord(letter)
        if letter in "pP":
            raise self.refused("has \\p{...}, which is not supported; write the letters out, such as [A-Za-z]", start)
        raise self.refused(
            f"has \\{letter}, which has no meaning of its own in JavaScript; write {letter} or \\\\{letter}", start
        )

    def code_point(self, start: int) -> int:
        if self.text[self.at : self.at + 1] != "{":
            first = self.hexadecimal(4, start)
            if self.unicode and 0xD800 <= first <= 0xDBFF and self.text.startswith("\\u", self.at):
                self.at += 2
                second = self.hexadecimal(4, start)
                if not 0xDC00 <= second <= 0xDFFF:
                    raise self.refused("has half a character; write it as \\u{...}", start)
                return 0x10000 + (first - 0xD800) * 0x400 + second - 0xDC00
            return first
        if not self.unicode:
            raise self.refused("needs the flag u for \\u{...}, as in /.../u", start)
        end = self.text.find("}", self.at)
        digits = self.text[self.at + 1 : end] if end > 0 else ""
        if not digits or any(digit not in "0123456789abcdefABCDEF" for digit in digits) or int(digits, 16) > 0x10FFFF:
            raise self.refused("needs a hexadecimal number in \\u{...}, at most 10FFFF", start)
        self.at = end + 1
        return int(digits, 16)

    def hexadecimal(self, length: int, start: int) -> int:
        digits = self.text[self.at : self.at + length]
        if len(digits) < length or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise self.refused(f"needs {length} hexadecimal digits after \\{self.text[self.at - 1]}", start)
        self.at += length
        return int(digits, 16)

    def character_class(self) -> Chars:
        start, negated = self.at - 1, self.take("^")
        ranges: list[tuple[int, int]] = []
        while not self.take("]"):
            if self.at >= len(self.text):
                raise self.refused("has a [ without its ]; write \\[ for the character", start)
            ranges += self.class_range()
        return self.chars(merged(ranges) if ranges else NONE, negated)

    def class_range(self) -> Ranges:
        start = self.at
        first = self.class_member()
        if self.text[self.at : self.at + 1] != "-" or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return first if isinstance(first, tuple) else ((first, first),)
        self.at += 1
        last = self.class_member()
        if isinstance(first, tuple) or isinstance(last, tuple):
            raise self.refused("has a range to or from a class such as \\d; write \\- for the character", start)
        if last < first:
            raise self.refused("has a range whose ends are out of order", start)
        return ((first, last),)

    def class_member(self) -> int | Ranges:
        start, character = self.at, self.next()
        if character != "\\":
            return ord(character)
        letter = self.text[self.at : self.at + 1]
        if letter in ("b", "-"):
            self.at += 1
            return 8 if letter == "b" else ord("-")
        return self.escaped(start)

    def next(self) -> str:
        if self.at >= len(self.text):
            raise self.refused("ends in the middle; write \\\\ for a backslash")
        self.at += 1
        return self.text[self.at - 1]

    def take(self, wanted: str) -> bool:
        found = self.text.startswith(wanted, self.at)
        self.at += len(wanted) * found
        return found

    def refused(self, message: str, at: int | None = None) -> NotUnderstood:
        return NotUnderstood(f"the pattern {message}", at=self.at if at is None else at)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit()
