"""The errors of a schema: which of them Spectral tells (its better-ajv-errors), and in which words.

Spectral loses errors below a key such as `/v1/x`, because it cannot read its own path; here they are told.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath, value_at
from outrider.gateway.lint.javascript import json_text, type_of


class Error(msgspec.Struct, frozen=True):
    """A keyword that a value does not fulfil. path: from the value that was asked. detail: what its sentence needs.

    several: of oneOf, that more than one schema fits.
    """

    keyword: str
    path: JsonPath
    detail: Any
    several: bool = False


_ONLY_ENUM = "enum alone"
"""Where nothing else is wrong with a value, it is told which ones are right."""

_SENTENCES = {
    "additionalItems": "must not have more than {} items",
    "anyOf": "must match a schema in anyOf",
    "const": "must be equal to constant",
    "contains": "must contain {} valid item(s)",
    "dependencies": "must have {} is present",
    "dependentRequired": "must have {} is present",
    "enum": "must be equal to one of the allowed values",
    _ONLY_ENUM: "must be equal to one of the allowed values: {}",
    "exclusiveMaximum": "must be < {}",
    "exclusiveMinimum": "must be > {}",
    "false schema": "boolean schema is false",
    "format": 'must match format "{}"',
    "if": 'must match "{}" schema',
    "items": "must not have more than {} items",
    "maxItems": "must not have more than {} items",
    "maxLength": "must not have more than {} characters",
    "maxProperties": "must not have more than {} properties",
    "maximum": "must be <= {}",
    "minItems": "must not have fewer than {} items",
    "minLength": "must not have fewer than {} characters",
    "minProperties": "must not have fewer than {} properties",
    "minimum": "must be >= {}",
    "multipleOf": "must be multiple of {}",
    "not": "must not be valid",
    "oneOf": "must match exactly one schema in oneOf",
    "pattern": 'must match pattern "{}"',
    "propertyNames": "property name must be valid",
    "required": 'must have required property "{}"',
    "type": "type must be {}",
    "uniqueItems": "must not have duplicate items (items ## {} are identical)",
}
_NONE_MATCHED = "None of the schemas matched, see the other errors reported for this value"


def told(errors: Sequence[Error], value: Any, above: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    """Those that Spectral tells, in its order: where, from the value on, and what. above: the value's own path."""
    if not errors:
        return
    unmatched = {each.path: each.keyword for each in errors if each.keyword in ("anyOf", "oneOf") and not each.several}
    root = _Node()
    for error in errors:
        node = root
        for step in _steps(error.path):
            node = node.children.setdefault(step, _Node())
        node.errors.append(error)
    _thin_out(root)
    for error in _left(root):
        sentence = _worded(error, value_at(value, error.path), above)
        if sentence.endswith(f" in {unmatched.get(error.path)}"):
            sentence = f"{sentence}. {_NONE_MATCHED}"
        yield error.path, sentence


class _Node:
    def __init__(self) -> None:
        self.errors: list[Error] = []
        self.children: dict[str, _Node] = {}


def _steps(path: JsonPath) -> Iterator[str]:
    """As better-ajv-errors sees a path: a number belongs to the name before it; the value itself is a step, too."""
    names = [str(step) for step in path]
    at = 0
    if not names:
        yield ""
    while at < len(names):
        wide = 2 if at + 1 < len(names) and names[at + 1].isdigit() else 1
        yield "/".join(("", *names[at : at + wide]))
        at += wide


def _thin_out(node: _Node, parent: _Node | None = None, name: str = "") -> None:
    """Of an anyOf only what is further inside; of values that are not in an enum nothing, if there is anything else."""
    if node.children and any(error.keyword == "anyOf" for error in node.errors):
        node.errors = []
    if parent and _only_enum(node) and len(parent.children) > 1:
        del parent.children[name]
    for inner_name, inner in list(node.children.items()):
        _thin_out(inner, node, inner_name)


def _only_enum(node: _Node) -> bool:
    return bool(node.errors) and all(error.keyword == "enum" for error in node.errors)


def _left(node: _Node) -> Iterator[Error]:
    if _only_enum(node):
        allowed = [value for error in node.errors for value in error.detail]
        yield msgspec.structs.replace(node.errors[0], keyword=_ONLY_ENUM, detail=list(_once(allowed)))
        return
    yield from node.errors
    for inner in node.children.values():
        yield from _left(inner)


def _once(values: Iterable[Any]) -> Iterator[Any]:
    """Without repetitions; objects and lists are never repeated."""
    seen: set[tuple[str, Any]] = set()
    for value in values:
        if isinstance(value, dict | list):
            yield value
        elif (type_of(value), value) not in seen:
            seen.add((type_of(value), value))
            yield value


def _worded(error: Error, value: Any, above: JsonPath) -> str:
    name = (error.path or above)[-1:]
    if error.keyword == "additionalProperties":
        return f'Property "{error.detail}" is not expected to be here'
    sentence = _SENTENCES[error.keyword]
    if error.keyword == _ONLY_ENUM:
        sentence = sentence.format(", ".join(map(json_text, error.detail)))
        nearest = _nearest(value, error.detail)
        sentence += f'. Did you mean "{nearest}"?' if nearest is not None else ""
    elif "{}" in sentence:
        sentence = sentence.format(error.detail if isinstance(error.detail, str) else json_text(error.detail))
    if error.keyword not in (_ONLY_ENUM, "required", "type"):
        sentence = sentence.replace("'", '"').replace("NOT", "not")
    if not name:
        return f"{'Value' if error.keyword == 'type' else type_of(value).capitalize()} {sentence}"
    if error.path and str(name[0]).isdigit():
        return f"Item at index {name[0]} {sentence.removeprefix('type ')}"
    return f'"{name[0]}" property {sentence}'


def _nearest(value: Any, allowed: list[Any]) -> str | None:
    """Which of the values somebody may have misspelt."""
    texts = [each for each in allowed if isinstance(each, str)]
    if not isinstance(value, str) or not texts:
        return None
    best = min(texts, key=lambda each: _distance(each, value))
    return best if len(allowed) == 1 or _distance(best, value) < len(best) else None


def _distance(left: str, right: str) -> int:
    """Levenshtein's: how many letters must be put in, taken out or changed."""
    row = list(range(len(right) + 1))
    for at, letter in enumerate(left, 1):
        before, row[0] = row[0], at
        for place, other in enumerate(right, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (letter != other))
    return row[-1]
