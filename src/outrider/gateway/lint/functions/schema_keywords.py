"""The keywords of JSON Schema, each as AJV 8 asks it, in AJV's order: see `KEYWORDS`."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from outrider.common.json_path import JsonPath
from outrider.gateway.lint.functions import schema_applying as applying
from outrider.gateway.lint.functions.formats import OF_NUMBERS, OF_TEXT
from outrider.gateway.lint.functions.schema_applying import answer, failing, pattern_at
from outrider.gateway.lint.functions.schema_asking import FINE, Answer, Asked, Keyword
from outrider.gateway.lint.functions.schema_errors import Error
from outrider.gateway.lint.javascript import number_of, strictly_equal
from outrider.gateway.lint.not_understood import NotUnderstood

Make = Callable[[Keyword], Asked | None]


def equal(left: Any, right: Any) -> bool:
    """As AJV compares (fast-deep-equal): `1` is `1.0` and not `true`."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return strictly_equal(left, right)


def _simple(holds: Callable[[Any, Any], bool]) -> Make:
    """A keyword that is about the value alone: of the value and what the keyword says."""

    def make(keyword: Keyword) -> Asked:
        return failing(keyword, lambda value: holds(value, keyword.value))

    return make


def _limit(limit: Callable[[float, float], bool], boolean: str, strict: Callable[[float, float], bool]) -> Make:
    """maximum and minimum; in draft 4 another keyword, true or false, excludes the limit itself."""

    def make(keyword: Keyword) -> Asked:
        is_strict = keyword.dialect == "draft4" and keyword.beside.get(boolean) is True
        holds, bound = strict if is_strict else limit, number_of(keyword.value)
        said = keyword._replace(name=boolean) if is_strict else keyword
        return failing(said, lambda value: holds(number_of(value), bound))

    return make


def _exclusive(holds: Callable[[float, float], bool]) -> Make:
    def make(keyword: Keyword) -> Asked | None:
        if keyword.dialect == "draft4":
            return None
        return failing(keyword, lambda value: holds(number_of(value), number_of(keyword.value)))

    return make


def _multiple(value: Any, of: Any) -> bool:
    """In doubles, so that 0.3 is no multiple of 0.1."""
    result = number_of(value) / number_of(of)
    return result.is_integer() and abs(result) < 1e21


def _pattern(keyword: Keyword) -> Asked:
    return failing(keyword, pattern_at(keyword.value, keyword.path).search)


def _format(known: Mapping[str, Callable[[Any], bool]]) -> Make:
    def make(keyword: Keyword) -> Asked | None:
        name = keyword.value
        if name not in OF_TEXT and name not in OF_NUMBERS:
            listed = ", ".join(sorted([*OF_TEXT, *OF_NUMBERS]))
            raise NotUnderstood(f"format {name} is not known or not supported; known are {listed}", path=keyword.path)
        return failing(keyword, known[name]) if name in known else None

    return make


def _unique(keyword: Keyword) -> Asked | None:
    if not keyword.value:
        return None

    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        for last in range(len(value) - 1, 0, -1):
            for first in range(last - 1, -1, -1):
                if equal(value[last], value[first]):
                    return answer(keyword, path, composite, f"{first} and {last}")
        return FINE

    return asked


def _required(keyword: Keyword) -> Asked:
    def asked(value: Any, path: JsonPath, composite: bool) -> Answer:
        missing = [name for name in keyword.value if name not in value]
        if not missing:
            return FINE
        told = missing if keyword.all_errors else missing[:1]
        errors = [Error("required", path, name) for name in told]
        return errors, not composite and not keyword.all_errors

    return asked


KEYWORDS: Sequence[tuple[str, str, Make]] = (
    ("any", "$ref", applying.ref),
    ("any", "const", _simple(equal)),
    ("any", "enum", _simple(lambda value, allowed: any(equal(value, each) for each in allowed))),
    ("any", "not", applying.not_),
    ("any", "anyOf", applying.any_of),
    ("any", "oneOf", applying.one_of),
    ("any", "allOf", applying.all_of),
    ("any", "if", applying.if_then_else),
    ("number", "maximum", _limit(operator.le, "exclusiveMaximum", operator.lt)),
    ("number", "minimum", _limit(operator.ge, "exclusiveMinimum", operator.gt)),
    ("number", "exclusiveMaximum", _exclusive(operator.lt)),
    ("number", "exclusiveMinimum", _exclusive(operator.gt)),
    ("number", "multipleOf", _simple(_multiple)),
    ("number", "format", _format(OF_NUMBERS)),
    ("string", "maxLength", _simple(lambda value, most: len(value) <= most)),
    ("string", "minLength", _simple(lambda value, least: len(value) >= least)),
    ("string", "pattern", _pattern),
    ("string", "format", _format(OF_TEXT)),
    ("array", "maxItems", _simple(lambda value, most: len(value) <= most)),
    ("array", "minItems", _simple(lambda value, least: len(value) >= least)),
    ("array", "prefixItems", applying.prefix_items),
    ("array", "additionalItems", applying.additional_items),
    ("array", "items", applying.items),
    ("array", "contains", applying.contains),
    ("array", "minContains", applying.beside_contains),
    ("array", "maxContains", applying.beside_contains),
    ("array", "uniqueItems", _unique),
    ("object", "maxProperties", _simple(lambda value, most: len(value) <= most)),
    ("object", "minProperties", _simple(lambda value, least: len(value) >= least)),
    ("object", "required", _required),
    ("object", "propertyNames", applying.property_names),
    ("object", "additionalProperties", applying.additional_properties),
    ("object", "dependencies", applying.dependencies),
    ("object", "properties", applying.properties),
    ("object", "patternProperties", applying.pattern_properties),
    ("object", "dependentRequired", lambda keyword: applying.present(keyword, keyword.value)),
    ("object", "dependentSchemas", applying.dependencies),
)
"""For values of which kind a keyword is, its name, and how it is made ready: in the order in which AJV asks."""
