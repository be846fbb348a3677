"""The keywords of JSON Schema (OpenAPI 3.0 and 3.1) by what can be said of them when schemas are compared."""

from collections.abc import Callable
from typing import Any

ANNOTATIONS = frozenset(
    (
        *("title", "description", "examples", "example", "externalDocs", "$comment"),
        *("$schema", "$anchor", "$defs", "definitions"),  # of themselves they refuse nothing
    )
)
"""They say something to people, and nothing of a value."""

BASES = frozenset(("$id", "id", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary"))
"""They change where references lead, or what other keywords mean: what stands beside them is not judged."""

JUDGED = frozenset(
    (
        *("$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "discriminator"),
        *("type", "nullable", "enum", "const", "format", "default", "readOnly", "writeOnly", "deprecated"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType", "contentSchema"),
        *("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "unevaluatedItems"),
        *("contains", "minContains", "maxContains"),
        *("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
        *("minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties"),
    )
)
"""Each has a place where it is compared. Any other is an error as soon as it changes."""

SCHEMAS = frozenset(
    (
        *("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"),
        *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
    )
)
"""Their value is a schema."""

LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
"""Their value is a list of schemas."""

MAPS = frozenset(("properties", "patternProperties", "dependentSchemas"))
"""Their value has schemas by name."""

SETS = frozenset(("required", "type", "enum"))
"""Their value is a list whose order says nothing."""

ABOUT = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"),
    "string": ("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType", "contentSchema"),
    "boolean": (),
}
"""What narrows a value of a plain type, besides `enum` and `const`."""

ANY_TYPE = ("not", "if", "x-extensible-enum")
"""What may narrow a value of any type."""


def known(keyword: str) -> bool:
    """Is it either judged or harmless? Unknown extensions (`x-`) are harmless."""
    return keyword in JUDGED or keyword in ANNOTATIONS or keyword.startswith("x-")


def malformed(keyword: str, value: Any) -> bool:
    """Is the keyword judged, and has it a form that no version of JSON Schema gives it?"""
    return keyword in _FORMS and not _FORMS[keyword](value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


_FORMS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("$ref", "pattern", "format", "contentEncoding", "contentMediaType"), _is_text),
    **dict.fromkeys(("nullable", "uniqueItems", "readOnly", "writeOnly", "deprecated"), _is_flag),
    **dict.fromkeys(("minimum", "maximum"), _is_number),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), lambda value: isinstance(value, (int, float))),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains"), _is_count),
    **dict.fromkeys(("minProperties", "maxProperties"), _is_count),
    **dict.fromkeys(("enum", "x-extensible-enum", "allOf", "anyOf", "oneOf", "prefixItems"), _is_list),
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), _is_object),
    "type": lambda value: _is_text(value) or _are_names(value),
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "required": _are_names,
    "dependentRequired": lambda value: _is_object(value) and all(map(_are_names, value.values())),
    "discriminator": lambda value: _is_object(value) and _is_object(value.get("mapping", {})),
}
