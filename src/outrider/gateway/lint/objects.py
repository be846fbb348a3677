"""Which object stands where in an OpenAPI 3.0 or 3.1 document and in an AsyncAPI 3.0 one, and whether references lead
to such a one. The tables follow the texts of the specifications (OpenAPI 3.0.4 and 3.1.1, AsyncAPI 3.0.0).
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

import msgspec

from outrider.common.json_path import JsonPath, pointer
from outrider.common.json_schema import Fault
from outrider.gateway.documents import Source
from outrider.gateway.faults import Refused
from outrider.gateway.lint.references import ends, finite, references_of
from outrider.gateway.openapi import METHODS
from outrider.gateway.openapi_references import target

Table: TypeAlias = Mapping[str, Mapping[str, str]]
"""Kind of object -> its field -> the kind of what stands there. `[]`: in a list. `{}`: by names that somebody chose.
`{x-}`: the same, but x- begins an extension. The field `*`: all of them.
"""

SCHEMA = {
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"), "schema{}"),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "schema[]"),
    **dict.fromkeys(("items", "contains", "additionalItems", "unevaluatedItems"), "schema"),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties", "propertyNames"), "schema"),
    **dict.fromkeys(("not", "if", "then", "else", "contentSchema"), "schema"),
}
_HEADER = {"schema": "schema", "content": "media type{}", "examples": "example{}"}

OPENAPI: Table = {
    "document": {
        "servers": "server[]",
        "paths": "path item{x-}",
        "webhooks": "path item{}",
        "components": "components",
    },
    "components": {
        "schemas": "schema{}",
        "responses": "response{}",
        "parameters": "parameter{}",
        "examples": "example{}",
        "requestBodies": "request body{}",
        "headers": "header{}",
        "securitySchemes": "security scheme{}",
        "links": "link{}",
        "callbacks": "callback{}",
        "pathItems": "path item{}",
    },
    "path item": {"servers": "server[]", "parameters": "parameter[]", **dict.fromkeys(METHODS, "operation")},
    "operation": {
        "servers": "server[]",
        "parameters": "parameter[]",
        "requestBody": "request body",
        "responses": "response{x-}",
        "callbacks": "callback{}",
    },
    "callback": {"*": "path item"},
    "parameter": _HEADER,
    "header": _HEADER,
    "request body": {"content": "media type{}"},
    "response": {"headers": "header{}", "content": "media type{}", "links": "link{}"},
    "media type": {"schema": "schema", "examples": "example{}", "encoding": "encoding{}"},
    "encoding": {"headers": "header{}"},
    "link": {"server": "server"},
    "schema": SCHEMA,
}

_TAGGED = {"tags": "tag[]", "externalDocs": "external documentation"}
_MESSAGE = {
    **_TAGGED,
    "headers": "schema",
    "correlationId": "correlation id",
    "bindings": "message bindings",
}
_OPERATION = {**_TAGGED, "security": "security scheme[]", "bindings": "operation bindings"}

ASYNCAPI: Table = {
    "document": {
        "info": "info",
        "servers": "server{}",
        "channels": "channel{}",
        "operations": "operation{}",
        "components": "components",
    },
    "info": _TAGGED,
    "tag": {"externalDocs": "external documentation"},
    "components": {
        "schemas": "schema{}",
        "servers": "server{}",
        "channels": "channel{}",
        "operations": "operation{}",
        "messages": "message{}",
        "securitySchemes": "security scheme{}",
        "serverVariables": "server variable{}",
        "parameters": "parameter{}",
        "correlationIds": "correlation id{}",
        "replies": "reply{}",
        "replyAddresses": "reply address{}",
        "externalDocs": "external documentation{}",
        "tags": "tag{}",
        "operationTraits": "operation trait{}",
        "messageTraits": "message trait{}",
        "serverBindings": "server bindings{}",
        "channelBindings": "channel bindings{}",
        "operationBindings": "operation bindings{}",
        "messageBindings": "message bindings{}",
    },
    "server": {
        **_TAGGED,
        "variables": "server variable{}",
        "security": "security scheme[]",
        "bindings": "server bindings",
    },
    "channel": {
        **_TAGGED,
        "messages": "message{}",
        "parameters": "parameter{}",
        "servers": "server[]",
        "bindings": "channel bindings",
    },
    "operation": {
        **_OPERATION,
        "channel": "channel",
        "messages": "message[]",
        "reply": "reply",
        "traits": "operation trait[]",
    },
    "operation trait": _OPERATION,
    "reply": {"address": "reply address", "channel": "channel", "messages": "message[]"},
    "message": {**_MESSAGE, "payload": "schema", "traits": "message trait[]"},
    "message trait": _MESSAGE,
    "schema": {**SCHEMA, "schema": "schema", "externalDocs": "external documentation"},
}

CHAIN_LIMIT = 10
"""So many references may one after another lead to what is meant."""

_WITH_MORE = ("path item", "schema")
"""What counts beside its `$ref`, too; of anything else nobody looks at it, nor is its form judged."""

_CIRCLE = "leads back to itself; write out what is meant"
_CHAIN = f"leads from one reference to the next, more than {CHAIN_LIMIT} times; name what is meant"
_UNSEEN = "leads back to itself by way of {}, so that no rule could look into it; remove one of these references"
_NOTHING = "what nothing may refer to"


class Thing(msgspec.Struct, frozen=True):
    """One object of a document. kind: as in the tables. around: the kind of the object that it stands in."""

    kind: str
    path: JsonPath
    value: Any
    around: str


def things(data: Any, table: Table) -> Iterator[Thing]:
    """Every object that the table knows, each once, where it is written; references are not followed."""
    yield from _below(Thing("document", (), data, ""), table)


def _below(thing: Thing, table: Table) -> Iterator[Thing]:
    yield thing
    if not isinstance(thing.value, dict) or ("$ref" in thing.value and thing.kind not in _WITH_MORE):
        return
    fields = table.get(thing.kind, {})
    for field, value in thing.value.items():
        if (what := fields.get(field)) is None and not field.startswith("x-"):
            what = fields.get("*")
        if what is not None:
            for path, each in _each(what, (*thing.path, field), value):
                yield from _below(Thing(_kind(what), path, each, thing.kind), table)


def _kind(what: str) -> str:
    return what.partition("[")[0].partition("{")[0]


def _each(what: str, path: JsonPath, value: Any) -> Iterator[tuple[JsonPath, Any]]:
    if what.endswith("[]") and isinstance(value, list):
        yield from (((*path, index), item) for index, item in enumerate(value))
    elif what.endswith("}") and isinstance(value, dict):
        extensible = what.endswith("{x-}")
        yield from (((*path, n), each) for n, each in value.items() if not (extensible and n.startswith("x-")))
    elif not what.endswith(("]", "}")):
        yield path, value


def reference_faults(source: Source, found: Mapping[JsonPath, Thing]) -> Iterator[Fault]:
    """References that lead out of the document, nowhere, in a circle, or to something of another kind."""
    onward: dict[JsonPath, JsonPath] = {}
    for thing in found.values():
        if isinstance(thing.value, dict) and isinstance(ref := thing.value.get("$ref"), str):
            there = _there(thing, ref, source, found)
            if isinstance(there, str):
                yield Fault((*thing.path, "$ref"), there)
            else:
                onward[thing.path] = there
    for path in onward:
        chain = [path]
        while len(chain) <= CHAIN_LIMIT + 1 and chain[-1] in onward and onward[chain[-1]] != path:
            chain.append(onward[chain[-1]])
        if onward.get(chain[-1]) == path:
            yield Fault((*path, "$ref"), _CIRCLE)
        elif len(chain) > CHAIN_LIMIT + 1:
            yield Fault((*path, "$ref"), _CHAIN)


def _there(thing: Thing, ref: str, source: Source, found: Mapping[JsonPath, Thing]) -> JsonPath | str:
    """The place that a reference leads to, or what is wrong with it."""
    try:
        place, _ = target(source.data, ref)
    except ValueError as error:
        return str(error)
    there = found.get(place)
    if there is None or there.kind != thing.kind:
        return f"leads to {_one(there.kind) if there else _NOTHING}; here {_one(thing.kind)} is wanted"
    return place


def unseen_faults(source: Source, found: Mapping[JsonPath, Thing]) -> Iterator[Fault]:
    """References that stay as they are where rules look: they see what is written out, and a circle never is.

    Schemas may refer to themselves: what is in them is looked at where they are defined.
    """
    with suppress(Refused):  # told by the rule engine
        references = references_of(source)
        stay = references.keys() - finite(references)[1].keys()
        last = ends({place: there for place, there in references.items() if place not in stay})
        for thing in found.values():
            end = last.get(thing.path, thing.path)
            if end in stay and (thing.kind != "schema" or thing.around not in ("schema", "components")):
                yield Fault((*thing.path, "$ref"), _UNSEEN.format(pointer(references[end])))


def _one(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"
