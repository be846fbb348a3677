"""The operators of filters, and the tests for a kind of value, as JavaScript has them."""

from collections.abc import Callable
from typing import Any

from outrider.gateway.lint import javascript as js
from outrider.gateway.lint.methods import METHODS

KINDS: dict[str, Callable[[Any], bool]] = {
    "@string": lambda value: isinstance(value, str),
    "@number": lambda value: js.type_of(value) == "number",
    "@boolean": lambda value: isinstance(value, bool),
    "@null": lambda value: value is None,
    "@array": lambda value: isinstance(value, list),
    "@object": lambda value: isinstance(value, dict | list),
    "@scalar": lambda value: not isinstance(value, dict | list),
    "@integer": lambda value: js.type_of(value) == "number" and js.number_of(value).is_integer(),
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "===": js.strictly_equal,
    "!==": lambda left, right: not js.strictly_equal(left, right),
    "==": js.loosely_equal,
    "!=": lambda left, right: not js.loosely_equal(left, right),
    "<": js.less,
    ">": lambda left, right: js.less(right, left),
    "<=": js.at_most,
    ">=": lambda left, right: js.at_most(right, left),
    "+": js.plus,
    "-": lambda left, right: js.number_of(left) - js.number_of(right),
    "*": lambda left, right: js.number_of(left) * js.number_of(right),
    "%": js.remainder,
    "in": lambda left, right: METHODS["includes"](right, [left]),
    "~=": lambda left, right: right.search(js.text_of(left)),
}
RANK = {"||": 1, "&&": 2, "==": 6, "!=": 6, "===": 6, "!==": 6, "<": 7, ">": 7, "<=": 7, ">=": 7}
RANK |= {"+": 9, "-": 9, "*": 10, "%": 10, "in": 12, "~=": 20}
UNARY: dict[str, Callable[[Any], Any]] = {
    "!": lambda value: not js.truthy(value),
    "-": lambda value: -js.number_of(value),
    "+": js.number_of,
}
