"""What a gateway acts on of an OpenAPI document (3.0 or 3.1, YAML or JSON): its operations.

Paths are served as they are written, less needless escapes; the path of `servers` is not put before them. References
are followed inside the document alone, and nothing is ever fetched. What a gateway could not do as the document says is
refused here, with its place: a form of security, two paths that nobody can tell apart, a word that is no HTTP method.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from outrider.common.json_path import JsonPath
from outrider.common.times import moment
from outrider.common.yaml_positions import Position
from outrider.gateway.documents import Source, parse, refuse
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.literals import literal_secrets
from outrider.gateway.openapi_references import References
from outrider.gateway.openapi_security import Security
from outrider.gateway.product import Operation
from outrider.gateway.templates import canonical, pattern, template_fault

SIZE_LIMIT = 2 * 1024 * 1024
"""Bytes of the largest document that is read."""
MEDIA_TYPES = 100
"""So many may one operation take; a gateway compares with each."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_BESIDE_METHODS = ("summary", "description", "servers", "parameters")
_VERSION = re.compile(r"3\.[01]\.[0-9]+")
_ID = re.compile(r"[A-Za-z0-9_./:-]{1,100}")
_MEDIA_TYPE = re.compile(r"(\*/\*|[a-z0-9!#$&^_.+-]+/(\*|[a-z0-9!#$&^_.+-]+))")
# JSON writes what lies beyond 16 bits as two halves, which YAML does not know.
_TWO_HALVES = re.compile(rb"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def parsed(raw: bytes, file: str) -> Source:
    """What the file of a document says, in YAML or JSON, whatever that is. Raises `Refused`."""
    if len(raw) > SIZE_LIMIT:
        message = f"has more than {SIZE_LIMIT} bytes, the most that is read; shorten descriptions and examples"
        raise Refused(Fault(file=file, position=Position(1, 1), field="", message=message))
    json = raw.lstrip().startswith(b"{")
    source = parse(_TWO_HALVES.sub(_joined, raw) if json else raw, file, SIZE_LIMIT)
    return Source(file=file, raw=raw, document=source.document)


def read_document(raw: bytes, file: str) -> Source:
    """A document, of which only the version was looked at. Raises `Refused`."""
    source = parsed(raw, file)
    if fault := not_readable(source):
        raise Refused(fault)
    return source


def operations_of(source: Source) -> tuple[Operation, ...]:
    """The operations of a document, in its order. Raises `Refused` with everything that is wrong in it."""
    reading = _Reading(source)
    operations = tuple(reading.operations())
    secrets = literal_secrets(source.document, source.raw, source.file, by_name=False)
    refuse([*secrets, *reading.faults])
    return operations


def read_operations(raw: bytes, file: str) -> tuple[Operation, ...]:
    """Both in one."""
    return operations_of(read_document(raw, file))


def not_readable(source: Source) -> Fault | None:
    """Why nothing below can be understood, if so."""
    if not isinstance(source.data, dict):
        return source.fault((), "is no OpenAPI document; it begins with openapi: 3.1.0")
    if "swagger" in source.data:
        return source.fault(("swagger",), "OpenAPI 2 is not read; convert the document to 3.1, or 3.0")
    version = source.data.get("openapi")
    if version is None:
        return source.fault((), "openapi: is required; write openapi: 3.1.0")
    if not (isinstance(version, str) and _VERSION.fullmatch(version)):
        return source.fault(("openapi",), "this version is not known; 3.0 and 3.1 are read, written as 3.1.0")
    return None


class _Reading:
    """One way through a document. Faults are collected, so that one look at it mends several."""

    def __init__(self, source: Source) -> None:
        self.faults: list[Fault] = []
        self._source = source
        self._references = References(source)
        self._security = Security(source, self._references)
        self._ids: dict[str, JsonPath] = {}

    def operations(self) -> Iterator[Operation]:
        self.faults += self._references.faults()
        paths = self._source.data.get("paths")
        if not isinstance(paths, dict):
            self._fault(("paths",), "is required: the paths, and below each its operations")
            return
        found = False
        for place, item in self._items(paths):
            for method in (key for key in item if key in METHODS):
                found = True
                yield from self._operation(place, method, item[method])
        self.faults += self._security.faults + self._references.unfollowed
        if not found and not self.faults:
            self._fault(("paths",), "has no operation; a gateway would answer nothing but 404")

    def _items(self, paths: Mapping[str, Any]) -> Iterator[tuple[JsonPath, Mapping[str, Any]]]:
        """Each path with its item, references followed; the place is that of the path, not of what it refers to."""
        known: dict[str, str] = {}
        for path, item in paths.items():
            place: JsonPath = ("paths", path)
            if path.startswith("x-"):
                continue
            if fault := template_fault(path):
                self._fault(place, fault)
            elif (other := known.setdefault(pattern(path), path)) != path:
                self._fault(place, f"is the same as {other} for whoever calls it; put both below one path")
            elif (read := self._item(item, place)) is not None:
                yield place, read

    def _item(self, item: Any, place: JsonPath) -> Mapping[str, Any] | None:
        if isinstance(item, dict) and "$ref" in item and (beside := [key for key in item if key in METHODS]):
            self._fault((*place, beside[0]), "stands beside $ref; put it where $ref leads, or remove $ref")
            return None
        if (followed := self._references.follow(item, place)) is None:
            return None
        there, there_place = followed
        if not isinstance(there, dict):
            self._fault(place, "must be an object: a path's operations by their methods")
            return None
        for key in there:
            if key not in METHODS and key not in _BESIDE_METHODS and not key.startswith("x-"):
                self._fault((*there_place, key), f"is no HTTP method; known here: {', '.join(METHODS)}")
        return there

    def _operation(self, path: JsonPath, method: str, item: Any) -> Iterator[Operation]:
        place = (*path, method)
        if not isinstance(item, dict):
            self._fault(place, "must be an object: an operation")
            return
        name = self._id(item.get("operationId"), place)
        public, scopes = self._security.of(item, place)
        since, sunset = self._dates(item, place)
        summary = item.get("summary")
        yield Operation(
            id=name,
            method=method.upper(),
            path=canonical(str(path[1])),
            summary=summary[:200] if isinstance(summary, str) else "",
            public=public,
            scopes=scopes,
            media_types=self._media_types(item, place),
            streams=self._streams(item, place),
            deprecated=item.get("deprecated") is True,
            deprecated_since=since,
            sunset=sunset,
        )

    def _id(self, name: Any, place: JsonPath) -> str:
        if name is None:
            self._fault((*place, "operationId"), "is required: a name of its own, such as listStations")
        elif not (isinstance(name, str) and _ID.fullmatch(name)):
            self._fault((*place, "operationId"), "must be a name such as listStations: 1 to 100 of A-Z a-z 0-9 _.:/-")
        elif (first := self._ids.setdefault(name, place)) != place:
            line = self._source.document.position((*first, "operationId")).line
            self._fault((*place, "operationId"), f"is there twice, first on line {line}; give each its own")
        return str(name)

    def _media_types(self, item: Mapping[str, Any], place: JsonPath) -> tuple[str, ...]:
        if "requestBody" not in item:
            return ()
        if (followed := self._references.follow(item["requestBody"], (*place, "requestBody"))) is None:
            return ()
        body, there = followed
        content = body.get("content") if isinstance(body, dict) else None
        if not (isinstance(content, dict) and content):
            self._fault((*there, "content"), "is required: what the body may be, by media type")
            return ()
        if len(content) > MEDIA_TYPES:
            self._fault((*there, "content"), f"must have at most {MEDIA_TYPES} media types; write image/* or */*")
            return ()
        types = {written: _plain(written) for written in content}
        for written, plain in types.items():
            if not _MEDIA_TYPE.fullmatch(plain):
                self._fault((*there, "content", written), "is no media type, such as application/json")
        return () if "*/*" in types.values() else tuple(dict.fromkeys(types.values()))

    def _streams(self, item: Mapping[str, Any], place: JsonPath) -> bool:
        """May any of the answers be a stream of events?"""
        responses = item.get("responses")
        for status, response in (responses if isinstance(responses, dict) else {}).items():
            followed = self._references.follow(response, (*place, "responses", status))
            content = followed[0].get("content") if followed and isinstance(followed[0], dict) else None
            if isinstance(content, dict) and any(_plain(written) == "text/event-stream" for written in content):
                return True
        return False

    def _dates(self, item: Mapping[str, Any], place: JsonPath) -> tuple[str | None, str | None]:
        """Since when it is deprecated, and when it ends; both only said of what is deprecated."""
        deprecated = item.get("deprecated", False)
        if not isinstance(deprecated, bool):
            self._fault((*place, "deprecated"), "must be true or false")
        times = {name: self._time(item, name, place) for name in ("x-deprecated-since", "x-sunset") if name in item}
        if times and deprecated is False:
            self._fault((*place, next(iter(times))), "says when, but not that; write deprecated: true beside it")
        since, sunset = times.get("x-deprecated-since"), times.get("x-sunset")
        if since and sunset and sunset < since:
            self._fault((*place, "x-sunset"), "is before x-deprecated-since; an operation is deprecated, then it ends")
        return item["x-deprecated-since"] if since else None, item["x-sunset"] if sunset else None

    def _time(self, item: Mapping[str, Any], name: str, place: JsonPath) -> datetime | None:
        if (time := moment(item[name])) is None:
            self._fault((*place, name), "must be a date of RFC 3339, such as 2027-06-30 or 2027-06-30T12:00:00Z")
        return time

    def _fault(self, path: JsonPath, message: str) -> None:
        self.faults.append(self._source.fault(path, message))


def _plain(media_type: str) -> str:
    """Without parameters such as the charset."""
    return media_type.partition(";")[0].strip().lower()


def _joined(match: re.Match[bytes]) -> bytes:
    high, low = int(match[2], 16), int(match[3], 16)
    return match[1] + chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00).encode()
