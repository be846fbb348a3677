"""What no schema can say of an OpenAPI document: that names are unique, parameters are those of the path, and the
variables of servers those of their URLs.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from outrider.common.json_path import JsonPath
from outrider.common.json_schema import Fault, Schema
from outrider.gateway.documents import Source
from outrider.gateway.lint.objects import Thing
from outrider.gateway.openapi import METHODS
from outrider.gateway.openapi_references import References

_PARAMETER = re.compile(r"\{([^{}/]*)\}")
_URL = Schema({"type": "string", "format": "uri-reference"})


def openapi_faults(source: Source, found: Mapping[JsonPath, Thing]) -> Iterator[Fault]:
    """The form of the document and its references are right."""
    references = References(source)
    yield from _same_tags(source.data)
    yield from _same_ids(found)
    for thing in found.values():
        if thing.kind in ("path item", "operation"):
            yield from _same_parameters(thing, references)
        if thing.kind == "path item" and thing.path[0] == "paths":
            yield from _path_parameters(thing, references)
        if thing.kind == "server":
            yield from _server(thing, is_3_1=source.data["openapi"].startswith("3.1"))
        if thing.kind == "schema" and isinstance(thing.value, dict) and "discriminator" in thing.value:
            yield from _mapping(thing, references)
        if thing.kind in ("document", "operation"):
            yield from _schemes(thing, source.data)


def _same_tags(data: Mapping[str, Any]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, tag in enumerate(data.get("tags", ())):
        if tag["name"] in seen:
            yield Fault(("tags", index, "name"), "is there twice; keep one")
        seen.add(tag["name"])


def _same_ids(found: Mapping[JsonPath, Thing]) -> Iterator[Fault]:
    seen: set[str] = set()
    for thing in found.values():
        if thing.kind == "operation" and "operationId" in thing.value:
            if thing.value["operationId"] in seen:
                yield Fault((*thing.path, "operationId"), "is the id of another operation, too; give each its own")
            seen.add(thing.value["operationId"])


def _same_parameters(thing: Thing, references: References) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for name, where, place in _parameters(thing.value, thing.path, references):
        if (name, where) in seen:
            yield Fault(place, f"names {name} in {where} a second time; keep one")
        seen.add((name, where))


def _path_parameters(item: Thing, references: References) -> Iterator[Fault]:
    """Each `{name}` of the path is a parameter of each operation, and the other way round."""
    wanted = Counter(_PARAMETER.findall(str(item.path[1])))
    yield from (
        Fault(item.path, f"has {{{name}}} more than once; give each its own name")
        for name, count in wanted.items()
        if count > 1
    )
    value, path = references.follow(item.value, item.path) or (item.value, item.path)
    shared = {name: place for name, where, place in _parameters(value, path, references) if where == "path"}
    yield from _not_in_path(shared, wanted)
    for method in (method for method in METHODS if method in value):
        operation = (*path, method)
        own = {name: at for name, where, at in _parameters(value[method], operation, references) if where == "path"}
        yield from _not_in_path(own, wanted)
        for name in wanted:
            if name not in own and name not in shared:
                message = f"does not say what {{{name}}} of its path is; add a parameter of that name, in: path"
                yield Fault(operation, message)


def _not_in_path(parameters: Mapping[str, JsonPath], wanted: Mapping[str, int]) -> Iterator[Fault]:
    for name, place in parameters.items():
        if name not in wanted:
            yield Fault(place, f"is not in the path; write {{{name}}} there, or remove it")


def _parameters(value: Any, path: JsonPath, references: References) -> Iterator[tuple[str, str, JsonPath]]:
    """The name of each, where it is in a request (`path`, `query` ...), and its place in the list."""
    for index, each in enumerate(value.get("parameters", ())):
        place = (*path, "parameters", index)
        if followed := references.follow(each, place):
            yield followed[0]["name"], followed[0]["in"], place


def _server(server: Thing, *, is_3_1: bool) -> Iterator[Fault]:
    """Its url is the template of one: each `{name}` is a variable, and with their defaults it is a URL."""
    url, variables = server.value["url"], server.value.get("variables", {})
    missing = [name for name in dict.fromkeys(_PARAMETER.findall(url)) if name not in variables]
    for name in missing:
        yield Fault(server.path, f"does not say what {{{name}}} of its url is; add it to variables, with a default")
    for name, variable in variables.items():
        if is_3_1 and variable["default"] not in variable.get("enum", (variable["default"],)):
            yield Fault((*server.path, "variables", name, "default"), "must be one of those in enum beside it")
    if not missing and not _URL.accepts(_PARAMETER.sub(lambda name: variables[name[1]]["default"], url)):
        yield Fault((*server.path, "url"), "must be a URL or a path once each {name} is replaced by its default")


def _mapping(schema: Thing, references: References) -> Iterator[Fault]:
    """What a discriminator's values stand for is in this document."""
    discriminator = schema.value["discriminator"]
    mapping = discriminator.get("mapping") if isinstance(discriminator, dict) else None
    for name, what in mapping.items() if isinstance(mapping, dict) else ():
        if not isinstance(what, str):
            continue  # what is of no such form is told with the other keywords
        if references.place(what) is None and references.place(f"#/components/schemas/{what}") is None:
            path = (*schema.path, "discriminator", "mapping", name)
            yield Fault(path, "leads nowhere in this document, and nothing is fetched; write #/components/schemas/...")


def _schemes(thing: Thing, data: Mapping[str, Any]) -> Iterator[Fault]:
    known = data.get("components", {}).get("securitySchemes", {})
    for index, requirement in enumerate(thing.value.get("security", ())):
        for name in requirement:
            if name not in known:
                path = (*thing.path, "security", index, name)
                yield Fault(path, f"is no scheme of components.securitySchemes; there are {', '.join(known) or 'none'}")
