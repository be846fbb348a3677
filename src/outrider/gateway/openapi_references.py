"""`$ref` inside one document: where each leads, without ever leaving it."""

from collections.abc import Iterator
from typing import Any

from outrider.common.json_path import JsonPath, step_into, steps
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
_OUT = "leads out of this document, and nothing is fetched; put it below components, and write #/components/..."
_NOWHERE = "leads nowhere; there is no such place in the document"
_THROUGH = "leads through another $ref; name what that one refers to"


def refers(value: Any) -> bool:
    """Is it a reference? A member called `$ref` that is no text is a member."""
    return isinstance(value, dict) and isinstance(value.get("$ref"), str)


def target(data: Any, ref: str) -> tuple[JsonPath, Any]:
    """The place in the document that a reference names, and what is there. Raises ValueError, with what is wrong.

    Everything that reads documents asks here, so that what was checked is what is served.
    """
    if not ref.startswith("#"):
        raise ValueError(_OUT)
    path: JsonPath = ()
    for each in steps(ref):
        if refers(data):
            raise ValueError(_THROUGH)
        if (step := step_into(data, each)) is None:
            raise ValueError(_NOWHERE)
        path, data = (*path, step), data[step]
    return path, data


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
            try:
                path, value = target(self._source.data, str(value["$ref"]))
            except ValueError as error:
                self._unfollowed(path, str(error))
                return None
        return value, path

    def faults(self) -> Iterator[Fault]:
        """Every reference that leads out of the document or nowhere, also where nobody follows it."""
        return self._below(self._source.data, (), names=False)

    def place(self, ref: str) -> tuple[JsonPath, Any] | None:
        """The place that a reference names, and what is there; None where there is no such place."""
        try:
            return target(self._source.data, ref)
        except ValueError:
            return None

    def _below(self, value: Any, path: JsonPath, *, names: bool) -> Iterator[Fault]:
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, (dict, list)):
                    yield from self._below(item, (*path, index), names=False)
            return
        ref = None if names else value.get("$ref")
        if isinstance(ref, str) and (ref.startswith("#/") or not ref.startswith("#")):  # `#name` may be an anchor
            try:
                target(self._source.data, ref)
            except ValueError as error:
                yield self._source.fault((*path, "$ref"), str(error))
        for key, member in value.items():
            is_data = key in _DATA or key.startswith("x-") or (key == "examples" and isinstance(member, list))
            if isinstance(member, (dict, list)) and (names or not is_data) and "$id" not in member:
                yield from self._below(member, (*path, key), names=not names and key in _NAMES)

    def _unfollowed(self, path: JsonPath, message: str) -> None:
        self.unfollowed.append(self._source.fault((*path, "$ref"), message))
