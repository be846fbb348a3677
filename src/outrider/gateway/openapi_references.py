"""`$ref` inside one document: where each leads, without ever leaving it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from outrider.common.json_path import JsonPath
from outrider.gateway.documents import Source
from outrider.gateway.faults import Fault

# Below these, a `$ref` is somebody's data.
_DATA = frozenset(("example", "default", "const", "enum", "value"))
# Below these, every key is a name that somebody chose, `default` too.
_NAMES = frozenset(
    (
        *("paths", "responses", "parameters", "examples", "requestBodies", "headers", "securitySchemes", "links"),
        *("callbacks", "pathItems", "schemas", "properties", "patternProperties", "dependentSchemas", "$defs"),
        *("content", "encoding", "webhooks"),
    )
)
_OUT = "leads out of the document, and nothing is fetched; put it below components, and write #/components/..."
_NOWHERE = "leads nowhere; there is no such place in the document"


class References:
    """The references of one document. `unfollowed`: what `follow` met and could not follow."""

    def __init__(self, source: Source) -> None:
        self.unfollowed: list[Fault] = []
        self._source = source

    def follow(self, value: Any, path: JsonPath) -> tuple[Any, JsonPath] | None:
        """The value itself, or what it refers to at last, and where that stands; None where it leads to nothing."""
        seen: set[JsonPath] = set()
        while isinstance(value, dict) and "$ref" in value:
            if path in seen:
                self._unfollowed(path, "leads back to itself; write out what is meant")
                return None
            seen.add(path)
            ref = value["$ref"]
            there = self._place(ref) if isinstance(ref, str) else None
            if there is None:
                self._unfollowed(path, _NOWHERE if str(ref).startswith("#") else _OUT)
                return None
            path, value = there
        return value, path

    def faults(self) -> Iterator[Fault]:
        """Every reference that leads out of the document or nowhere, also where nobody follows it."""
        return self._below(self._source.data, (), names=False)

    def _below(self, value: Any, path: JsonPath, *, names: bool) -> Iterator[Fault]:
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, (dict, list)):
                    yield from self._below(item, (*path, index), names=False)
            return
        ref = None if names else value.get("$ref")
        if isinstance(ref, str) and not ref.startswith("#"):
            yield self._source.fault((*path, "$ref"), _OUT)
        elif isinstance(ref, str) and ref.startswith("#/") and self._place(ref) is None:
            yield self._source.fault((*path, "$ref"), _NOWHERE)
        for key, member in value.items():
            is_data = key in _DATA or key.startswith("x-") or (key == "examples" and isinstance(member, list))
            if isinstance(member, (dict, list)) and (names or not is_data) and "$id" not in member:
                yield from self._below(member, (*path, key), names=not names and key in _NAMES)

    def _place(self, ref: str) -> tuple[JsonPath, Any] | None:
        """The place that a JSON pointer names, and what is there; None where there is no such place."""
        if not ref.startswith("#/"):
            return None
        path: JsonPath = ()
        value = self._source.data
        for step in unquote(ref[2:]).split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and name in value:
                path, value = (*path, name), value[name]
            elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                path, value = (*path, int(name)), value[int(name)]
            else:
                return None
        return path, value

    def _unfollowed(self, path: JsonPath, message: str) -> None:
        self.unfollowed.append(self._source.fault((*path, "$ref"), message))
