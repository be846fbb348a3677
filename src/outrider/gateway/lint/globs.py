"""Patterns of file names in `overrides`, as minimatch reads them with `matchBase`: one without a slash is for the name
alone, in whatever folder. `*` and `?` stay within one name, `**` goes through folders; none of them begins with a dot.
"""

import re
from itertools import product
from typing import TypeAlias

from outrider.gateway.lint.not_understood import NotUnderstood

Glob: TypeAlias = re.Pattern[str]
"""What the whole path of a file must match, from the ruleset's folder, with slashes."""

_BRACES = re.compile(r"\{([^{}]*)\}")
_TOKEN = re.compile(r"\*+|\?|[^*?]+")


def compile_glob(text: str) -> Glob:
    """Raises `NotUnderstood`."""
    if text.startswith(("/", "./")) or not text:
        raise NotUnderstood("files are named from the ruleset's folder on, as in ../products/**/openapi.yaml")
    if found := re.search(r"[\\\[\]!+@|()#]|\.\.\}|\{[^{}]*\.\.", text):
        raise NotUnderstood(
            f"{found[0]} is not known here; files are named with *, **, ? and {{a,b}}", at=found.start()
        )
    parts = _BRACES.split(text)
    if any(set(part) & {"{", "}"} for part in parts) or any("," not in part for part in parts[1::2]):
        raise NotUnderstood("braces hold two names or more and no other braces, as in *.{yaml,json}")
    choices = [part.split(",") if index % 2 else [part] for index, part in enumerate(parts)]
    return re.compile("|".join(_path("".join(choice)) for choice in product(*choices)))


def _path(text: str) -> str:
    segments = text.split("/")
    expression = "(?:[^/]+/)*" if len(segments) == 1 else ""
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            expression += r"(?!\.)[^/]+(?:/(?!\.)[^/]+)*" if last else r"(?:(?!\.)[^/]+/)*"
        else:
            expression += _segment(segment) + ("" if last else "/")
    return expression


def _segment(text: str) -> str:
    if not text:
        return ""
    tokens = _TOKEN.findall(text)
    wild = {"?": "[^/]"}
    start = r"(?!\.)(?=[^/])" if tokens[0][0] in "*?" else ""
    return start + "".join("[^/]*" if each[0] == "*" else wild.get(each) or re.escape(each) for each in tokens)
