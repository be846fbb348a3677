"""Members of values, and the few methods that filters may call, as JavaScript has them."""

from collections.abc import Callable
from typing import Any

from outrider.gateway.lint import javascript as js
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.not_understood import Failed
from outrider.gateway.lint.regex_syntax import units


def words(text: str) -> frozenset[str]:
    """The words of a text, written so because there are many."""
    return frozenset(text.split())


_OF_ALL = words(
    "__proto__ constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf"
)
_OF_LISTS = words(
    "at concat copyWithin entries every fill filter find findIndex findLast findLastIndex flat flatMap forEach "
    "includes indexOf join keys lastIndexOf map pop push reduce reduceRight reverse shift slice some sort splice "
    "toReversed toSorted toSpliced unshift values with"
)
_OF_TEXT = words(
    "anchor at big blink bold charAt charCodeAt codePointAt concat endsWith fixed fontcolor fontsize includes indexOf "
    "isWellFormed italics lastIndexOf link localeCompare match matchAll normalize padEnd padStart repeat replace "
    "replaceAll search slice small split startsWith strike sub substr substring sup toLowerCase toUpperCase "
    "toLocaleLowerCase toLocaleUpperCase toWellFormed trim trimEnd trimLeft trimRight trimStart"
)
_INHERITED = _OF_ALL | _OF_LISTS | _OF_TEXT


def member(value: Any, name: Any) -> Any:
    """`value[name]`. Raises `Failed` where JavaScript does, and where it would find a function."""
    key = name if name.__class__ is str else js.text_of(name)
    if isinstance(value, dict) and key in value:
        return value[key]
    if value is None or value is UNDEFINED:
        raise Failed(f"a filter asks for {key} of {js.text_of(value)}; ask first whether it is there: @.a && @.a.{key}")
    if key not in _INHERITED and key != "length" and not key.isdigit():
        return UNDEFINED
    if key in _OF_ALL or (key in _OF_LISTS and isinstance(value, list)) or (key in _OF_TEXT and isinstance(value, str)):
        raise Failed(f"a filter asks for {key}, which is a function of JavaScript here; ask first what the value is")
    if isinstance(value, list | str):
        return _item(value, key)
    return UNDEFINED


def _item(value: list[Any] | str, key: str) -> Any:
    parts = units(value) if isinstance(value, str) else value
    if key == "length":
        return len(parts)
    if key.isascii() and key.isdigit() and str(int(key)) == key and int(key) < len(parts):
        return parts[int(key)]
    return UNDEFINED


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise Failed(f"a filter calls {name}() of {js.text_of(value)}, which is no text; ask first: @ && @.a")
    return value


def _first(arguments: list[Any]) -> Any:
    return arguments[0] if arguments else UNDEFINED


def _match(value: Any, arguments: list[Any]) -> Any:
    """Something or nothing; what is found is not looked into."""
    value = js.text_of(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return [] if arguments[0].search(_text(value, "match")) else None


def _includes(value: Any, arguments: list[Any]) -> bool:
    if isinstance(value, list):
        return any(js.same_value_zero(item, _first(arguments)) for item in value)
    return js.text_of(_first(arguments)) in _text(value, "includes")


def _index_of(value: Any, arguments: list[Any]) -> int:
    if isinstance(value, list):
        found = (number for number, item in enumerate(value) if js.strictly_equal(item, _first(arguments)))
        return next(found, -1)
    return units(_text(value, "indexOf")).find(units(js.text_of(_first(arguments))))


def _of_text(name: str, work: Callable[[str, str], Any]) -> Callable[[Any, list[Any]], Any]:
    return lambda value, arguments: work(_text(value, name), js.text_of(_first(arguments)))


METHODS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "endsWith": _of_text("endsWith", str.endswith),
    "includes": _includes,
    "indexOf": _index_of,
    "match": _match,
    "startsWith": _of_text("startsWith", str.startswith),
    "toLowerCase": _of_text("toLowerCase", lambda text, _: text.lower()),
    "toUpperCase": _of_text("toUpperCase", lambda text, _: text.upper()),
    "trim": _of_text("trim", lambda text, _: text.strip(js.BLANKS)),
}
"""By name: what a call gives. Raises `Failed` where JavaScript does."""
