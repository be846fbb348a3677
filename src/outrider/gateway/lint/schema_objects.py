"""Whether the JSON Schemas in a document are such: their keywords, the values of these, and that defaults fit.

OpenAPI 3.1 has JSON Schema 2020-12 and a few keywords more, AsyncAPI 3.0 has draft 7 and a few more. In OpenAPI 3.0 the
specification's own schema says what a Schema Object may hold, so that only defaults are left to look at here.

Stricter than the specifications: a keyword that nobody knows is a fault, for `maxLenght` would bound nothing. What
gives a schema another address or another dialect is one, too: references would mean something else there.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

import jsonschema_rs

from outrider.common.json_schema import Fault, Schema
from outrider.gateway.documents import Source
from outrider.gateway.lint.objects import Thing
from outrider.gateway.lint.schema_defaults import default_faults

_ADDRESSES = ("$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef", "id")
_COMMON = (
    *("$ref", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
    *("type", "enum", "const", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    *("required", "properties", "patternProperties", "additionalProperties", "propertyNames", "items", "contains"),
    *("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "definitions", "$defs"),
    *("contentMediaType", "contentEncoding", "externalDocs", "discriminator"),
)
_KEYWORDS = {
    "openapi": frozenset(
        (
            *_COMMON,
            *("$schema", "prefixItems", "minContains", "maxContains", "dependentRequired", "dependentSchemas"),
            *("unevaluatedItems", "unevaluatedProperties", "contentSchema", "xml", "example"),
        )
    ),
    "asyncapi": frozenset((*_COMMON, "$schema", "additionalItems", "dependencies", "schemaFormat", "schema")),
}
_DIALECTS = {
    "openapi": ("https://json-schema.org/draft/2020-12/schema", "https://spec.openapis.org/oas/3.1/dialect/base"),
    "asyncapi": ("http://json-schema.org/draft-07/schema", "http://json-schema.org/draft-07/schema#"),
}
_UNKNOWN = "is no keyword of a schema: JSON Schema passes over it, so that it would bound nothing"
_FORMERLY = {
    "nullable": "is of OpenAPI 3.0; in 3.1 null is a type: write type: [string, 'null']",
    "dependencies": "is of an older JSON Schema; write dependentRequired or dependentSchemas",
    "additionalItems": "is of an older JSON Schema; write prefixItems, and items for the rest",
}


_TEXT = {"type": "string"}
_OF_OPENAPI = Schema(
    {
        "properties": {
            "discriminator": {
                "type": "object",
                "required": ["propertyName"],
                "properties": {
                    "propertyName": _TEXT,
                    "mapping": {"type": "object", "additionalProperties": _TEXT},
                },
                "patternProperties": {"^x-": True},
                "additionalProperties": False,
            },
            "externalDocs": {"type": "object", "required": ["url"], "properties": {"url": _TEXT, "description": _TEXT}},
            "xml": {"type": "object", "properties": dict.fromkeys(("name", "namespace", "prefix"), _TEXT)},
        }
    }
)
"""What OpenAPI 3.1 adds to JSON Schema; in 3.0 it is part of the form."""


def schema_faults(source: Source, schemas: Sequence[Thing]) -> Iterator[Fault]:
    """What is wrong with the schemas of a document. Its form and its references are right."""
    is_3_0 = str(source.data.get("openapi", "")).startswith("3.0")
    is_sound = True
    for fault in () if is_3_0 else _form_faults(schemas, "openapi" if "openapi" in source.data else "asyncapi"):
        is_sound = False
        yield fault
    if is_sound:
        yield from default_faults(source, schemas, is_3_0=is_3_0)


def _form_faults(schemas: Sequence[Thing], kind: str) -> Iterator[Fault]:
    for each in schemas:
        yield from _keyword_faults(each, kind)
        if kind == "openapi":
            yield from (Fault((*each.path, *f.path), f.message) for f in _OF_OPENAPI.faults(each.value))
        if each.around != "schema":
            yield from (Fault((*each.path, *f.path), f.message) for f in _dialect(kind).faults(_plain(each.value)))


def _keyword_faults(schema: Thing, kind: str) -> Iterator[Fault]:
    known, dialects = _KEYWORDS[kind], _DIALECTS[kind]
    for keyword in schema.value if isinstance(schema.value, dict) else ():
        path = (*schema.path, keyword)
        if keyword == "$schema" and schema.value[keyword] not in dialects:
            yield Fault(path, f"is another dialect of JSON Schema; remove it, or write {dialects[0]}")
        elif keyword in _ADDRESSES:
            yield Fault(path, "is not followed; remove it, and refer to the place, as in #/components/schemas/Station")
        elif keyword not in known and not keyword.startswith("x-"):
            close = get_close_matches(keyword, known, n=1, cutoff=0.75)
            meant = f"did you mean {close[0]}? If it is your own, write" if close else "if it is your own, write"
            yield Fault(path, _FORMERLY.get(keyword, f"{_UNKNOWN}; {meant} x-{keyword}"))


@cache
def _dialect(kind: str) -> Schema:
    """The schema of schemas. It is within the validator, nothing is fetched."""
    draft = jsonschema_rs.Draft202012Validator if kind == "openapi" else jsonschema_rs.Draft7Validator
    return Schema({"$ref": _DIALECTS[kind][0]}, draft)


def _plain(schema: Any) -> Any:
    """Without the wrapping of AsyncAPI's Multi Format Schema Object."""
    return schema.get("schema") if isinstance(schema, dict) and "schemaFormat" in schema else schema
