"""What no schema can say of an AsyncAPI document: that operations, channels, messages and servers belong together."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from outrider.common.json_path import JsonPath
from outrider.common.json_schema import Fault
from outrider.gateway.documents import Source
from outrider.gateway.lint.objects import Thing
from outrider.gateway.openapi_references import References

_VARIABLE = re.compile(r"\{([^{}/]*)\}")
_JSON_SCHEMA = re.compile(r"application/(vnd\.aai\.asyncapi(\+json|\+yaml)?|schema\+(json|yaml));version=[a-z0-9.-]+")


def asyncapi_faults(source: Source, found: Mapping[JsonPath, Thing]) -> Iterator[Fault]:
    """The form of the document and its references are right."""
    references = References(source)
    for thing in found.values():
        if not isinstance(thing.value, dict) or "$ref" in thing.value:
            continue
        if thing.path[:1] == ("operations",) and thing.kind in ("operation", "reply"):
            yield from _channel(thing, references)
        elif thing.kind == "channel":
            yield from _variables(thing, [thing.value.get("address") or ""], "parameters")
            if thing.path[0] == "channels":
                yield from _servers(thing)
        elif thing.kind == "server":
            yield from _variables(thing, [thing.value.get(name, "") for name in ("host", "pathname")], "variables")
        elif thing.kind == "schema" and not _JSON_SCHEMA.fullmatch(thing.value.get("schemaFormat", _ASYNCAPI)):
            path = (*thing.path, "schemaFormat")
            yield Fault(path, f"is a form of schema that nothing here reads; write JSON Schema, as in {_ASYNCAPI}")


_ASYNCAPI = "application/vnd.aai.asyncapi+json;version=3.0.0"


def _channel(thing: Thing, references: References) -> Iterator[Fault]:
    """The channel is one of the application's own, and the messages are the channel's."""
    ref = thing.value.get("channel", {}).get("$ref")
    there = references.place(ref) if ref else None
    if there and (len(there[0]) != 2 or there[0][0] != "channels"):
        yield Fault((*thing.path, "channel", "$ref"), "must lead to one of the channels at the top, #/channels/...")
    for index, message in enumerate(thing.value.get("messages", ())):
        place = references.place(message["$ref"])
        if place and there and place[0][:-1] != (*there[0], "messages"):
            path = (*thing.path, "messages", index, "$ref")
            yield Fault(path, f"must lead to one of the channel's own messages, {ref}/messages/...")


def _servers(channel: Thing) -> Iterator[Fault]:
    for index, server in enumerate(channel.value.get("servers", ())):
        if not server["$ref"].startswith("#/servers/"):
            path = (*channel.path, "servers", index, "$ref")
            yield Fault(path, "must lead to one of the servers at the top, #/servers/...")


def _variables(thing: Thing, templates: list[Any], field: str) -> Iterator[Fault]:
    """Each `{name}` is said what it is, and nothing else is."""
    wanted = [name for template in templates for name in _VARIABLE.findall(template)]
    said = thing.value.get(field, {})
    for name in dict.fromkeys(wanted):
        if name not in said:
            yield Fault(thing.path, f"does not say what {{{name}}} is; add it to {field}")
    for name in said:
        if name not in wanted:
            yield Fault((*thing.path, field, name), f"is nowhere used; write {{{name}}}, or remove it")
