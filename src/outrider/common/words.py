"""How texts and numbers are said to people. Texts may come from strangers' files."""

import re
from collections.abc import Sequence
from unicodedata import category

import msgspec

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of what steers a terminal, breaks lines, turns text round, or isn't text."""
_COMMAND = re.compile(r"^(\s*):(?=:)|#(?=#\[)")
_NAMED = 5
"""As many names are told in a sentence."""


def unseen(character: str) -> bool:
    """Does it do something else than to be read?"""
    return category(character) in _UNSEEN


def printable(text: str) -> str:
    r"""The text as a part of one line that can only be read, the rest escaped as Python does: `\n`, `\x1b`, `\u202e`.

    A GitHub workflow obeys lines that begin with `::`, and `##[` wherever it is; these are escaped, too. What is
    printable stays as it is.
    """
    if not text.isprintable():
        text = "".join(each.encode("unicode_escape").decode() if unseen(each) else each for each in text)
    return _COMMAND.sub(lambda found: r"\x23" if found[0] == "#" else rf"{found[1]}\x3a", text)


def printable_lines(text: str) -> str:
    """The same of a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def keep_printable(value: msgspec.Struct, *fields: str) -> None:
    """Make these fields printable, also of a frozen struct: for its `__post_init__`."""
    for name in fields:
        text = getattr(value, name)
        if (said := printable(text)) != text:
            msgspec.structs.force_setattr(value, name, said)


def counted(count: int, one: str, several: str = "") -> str:
    """`1 rule`, `2,000 rules`; several: where it is more than an s."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:_NAMED]) + f" and {len(names) - _NAMED} more" * (len(names) > _NAMED)
