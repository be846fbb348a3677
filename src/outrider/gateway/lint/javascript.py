"""Values as JavaScript sees them (ECMA-262, 7.1 and 7.2), where rules depend on it.

`[]` and `{}` are true, `""` and `0` are false, `1` is `1.0` and not `true`. Every number is a double; text is compared
by its UTF-16 units. A value is what YAML and JSON hold, or `UNDEFINED` where there is none.
"""

import json
import math
import re
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal

from outrider.gateway.lint.characters import SPACES
from outrider.gateway.lint.regex_syntax import units


class Undefined(Enum):
    """What a field that is not there holds. It is false."""

    UNDEFINED = "undefined"

    def __bool__(self) -> Literal[False]:
        return False


UNDEFINED: Final = Undefined.UNDEFINED

BLANKS = "".join(chr(character) for first, last in SPACES for character in range(first, last + 1))
_DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_BASES = {"0x": (16, re.compile("[0-9a-fA-F]+")), "0o": (8, re.compile("[0-7]+")), "0b": (2, re.compile("[01]+"))}
_TYPES = {bool: "boolean", str: "string", int: "number", float: "number", Undefined: "undefined"}


def truthy(value: Any) -> bool:
    """`!!value`"""
    if value.__class__ in (dict, list):
        return True
    return bool(value) and value == value


def type_of(value: Any) -> str:
    """`typeof value`"""
    return _TYPES.get(type(value), "object")


def strictly_equal(left: Any, right: Any) -> bool:
    """`left === right`; objects and lists are equal to nothing but themselves."""
    kind = type_of(left)
    if kind != type_of(right):
        return False
    if kind == "number":
        return number_of(left) == number_of(right)
    return left is right if kind == "object" else bool(left == right)


def loosely_equal(left: Any, right: Any) -> bool:
    """`left == right`: `null` is `undefined`, `"1"` is `1`, `true` is `1`."""
    kinds = type_of(left), type_of(right)
    if _nothing(left) or _nothing(right):
        return _nothing(left) and _nothing(right)
    if kinds[0] == kinds[1]:
        return strictly_equal(left, right)
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return number_of(left) == number_of(right)


def same_value_zero(left: Any, right: Any) -> bool:
    """As `[left].includes(right)` compares: strictly, and NaN is NaN."""
    return strictly_equal(left, right) or (left != left and right != right)


def less(left: Any, right: Any) -> bool:
    """`left < right`"""
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return units(left) < units(right)
    return number_of(left) < number_of(right)


def at_most(left: Any, right: Any) -> bool:
    """`left <= right`, which is not the contrary of `right < left` where one is no number."""
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return units(left) <= units(right)
    return number_of(left) <= number_of(right)


def plus(left: Any, right: Any) -> Any:
    """`left + right`: joined where either is text, or becomes text."""
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) or isinstance(right, str):
        return text_of(left) + text_of(right)
    return number_of(left) + number_of(right)


def remainder(left: Any, right: Any) -> float:
    """`left % right`, which has the sign of the left."""
    dividend, divisor = number_of(left), number_of(right)
    return math.fmod(dividend, divisor) if math.isfinite(dividend) and divisor else math.nan


def number_of(value: Any) -> float:
    """`Number(value)`"""
    if isinstance(value, str):
        return _number_in(value.strip(BLANKS))
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if value is None:
        return 0.0
    return math.nan if value is UNDEFINED else number_of(_primitive(value))


def text_of(value: Any) -> str:
    """`String(value)`"""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(number_of(value))
    if isinstance(value, list):
        return ",".join("" if _nothing(item) else text_of(item) for item in value)
    return "null" if value is None else "undefined" if value is UNDEFINED else "[object Object]"


def json_text(value: Any) -> str:
    """`JSON.stringify(value)`; empty for `UNDEFINED`."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(name)}:{json_text(value[name])}" for name in keys(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is UNDEFINED:
        return ""
    if isinstance(value, bool) or value is None or math.isfinite(number_of(value)):
        return text_of(value)
    return "null"


def keys(members: dict[str, Any]) -> list[str]:
    """`Object.keys(members)`: whole numbers first, in their order, then the others as written."""
    numbers = sorted((name for name in members if _is_index(name)), key=int)
    return [*numbers, *(name for name in members if not _is_index(name))] if numbers else list(members)


def length_of(text: str) -> int:
    """`text.length`, in UTF-16 units."""
    return len(units(text))


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and (name == "0" or name[0] != "0") and int(name) < 2**32 - 1


def _nothing(value: Any) -> bool:
    return value is None or value is UNDEFINED


def _primitive(value: Any) -> Any:
    return text_of(value) if isinstance(value, dict | list) else value


def _number_in(text: str) -> float:
    if not text:
        return 0.0
    if _DECIMAL.fullmatch(text):
        return float(text)
    base, digits = _BASES.get(text[:2].lower(), (0, _DECIMAL))
    return number_of(int(text[2:], base)) if base and digits.fullmatch(text[2:]) else math.nan


def _number_text(number: float) -> str:
    """ECMA-262, 6.1.6.1.20: the fewest digits that name it, with an exponent from 1e21 and below 1e-6."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign, places, exponent = Decimal(repr(number)).as_tuple()
    digits = "".join(map(str, places)).rstrip("0") or "0"
    point = len(places) + int(exponent)
    minus = "-" if sign else ""
    if len(digits) <= point <= 21:
        return minus + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
