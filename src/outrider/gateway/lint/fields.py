"""`field` of a rule: what of a match its function is asked about.

Absent: the match itself, as for every match that is no object and no list. `@key`: each key of it. `$...`: what that
path expression finds in it. Anything else is a dotted path as lodash's `get` follows it (`a.b`, `a[0]`, `a['b.c']`);
what is not there is UNDEFINED, and so is what a list of matches would be if it has none.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from outrider.common.json_path import JsonPath
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.selectors import compile_selector

Field: TypeAlias = Callable[[Any], Iterable[tuple[JsonPath, Any]]]
"""From a match to what its function is asked about, each with its place in the match."""

_NOTHING: tuple[tuple[JsonPath, Any], ...] = (((), UNDEFINED),)

_NAME = r"[A-Za-z_$][A-Za-z0-9_$-]*"
_SELECTOR = re.compile(rf"\$(?:\.{{1,2}}(?:{_NAME}|\*)|\[(?:\*|[0-9]+|'[^'\\]*'|\"[^\"\\]*\")\])*")
_DOTTED = re.compile(r"[^.\[\]'\"]+(?:\.[^.\[\]'\"]+|\[[0-9]+\]|\['[^'\\]*'\]|\[\"[^\"\\]*\"\])*")
_STEP = re.compile(r"([^.\[\]'\"]+)|\[([0-9]+)\]|\['([^'\\]*)'\]|\[\"([^\"\\]*)\"\]")
_INHERITED = frozenset({"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString"})
_INHERITED |= {"toString", "valueOf", "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__"}
_INHERITED |= {"__lookupSetter__"}


def compile_field(text: str | None) -> Field:
    """Raises `NotUnderstood`."""
    if text is None:
        return lambda match: (((), match),)
    if text == "@key":
        return _keys
    if text.startswith("$"):
        return _selected(text)
    return _dotted(text)


def _keys(match: Any) -> Iterable[tuple[JsonPath, Any]]:
    if isinstance(match, dict):
        return [((key,), key) for key in match] or _NOTHING
    if isinstance(match, list):
        return [((index,), str(index)) for index in range(len(match))] or _NOTHING
    return (((), match),)


def _selected(text: str) -> Field:
    if not _SELECTOR.fullmatch(text):
        raise NotUnderstood("a field's expression may have .name, ..name, .*, [0], ['name']; put the rest in given")
    selector = compile_selector(text)

    def selected(match: Any) -> Iterable[tuple[JsonPath, Any]]:
        if not isinstance(match, (dict, list)):
            return (((), match),)
        return [(found.path, found.value) for found in selector.matches(match)] or _NOTHING

    return selected


def _dotted(text: str) -> Field:
    if not _DOTTED.fullmatch(text):
        raise NotUnderstood("a field is @key, a path expression, or names such as info.contact, tags[0], a['b.c']")
    steps = ["".join(step) for step in _STEP.findall(text)]
    if inherited := _INHERITED & set(steps):
        raise NotUnderstood(f"{min(inherited)} is what every object of JavaScript has; name a field of the document")

    def dotted(match: Any) -> Iterable[tuple[JsonPath, Any]]:
        if not isinstance(match, (dict, list)):
            return (((), match),)
        if isinstance(match, dict) and text in match:  # a key with dots in it, found whole
            return ((tuple(steps), match[text]),)
        return ((tuple(steps), _member(match, steps)),)

    return dotted


def _member(value: Any, steps: Iterable[str]) -> Any:
    for step in steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif step == "length" and isinstance(value, (list, str)):
            value = len(value) if isinstance(value, list) else len(value.encode("utf-16-le")) // 2
        elif isinstance(value, (list, str)) and _index(step) < len(value):
            value = value[int(step)]
        else:
            return UNDEFINED
    return value


def _index(step: str) -> float:
    """As a place in a list; beyond every list, if it is none."""
    return int(step) if re.fullmatch(r"0|[1-9][0-9]{0,8}", step) else float("inf")
