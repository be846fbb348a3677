"""Bodies by their media types: which stands for which, where either may be a range such as `text/*`.

What callers send must still be accepted, so a new media type must take in the old one. What they are answered must
still be what they know, so it is the other way round.
"""

import re
from collections.abc import Iterable, Iterator

import msgspec

from outrider.gateway.diff.keywords import rest, unjudged
from outrider.gateway.diff.placed import Placed, alike, members
from outrider.gateway.diff.rules import change
from outrider.gateway.diff.schemas import Schemas, Side
from outrider.gateway.findings import Change

_MOST = 128
"""So many media types are compared with one another."""
_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


class MediaType(msgspec.Struct, frozen=True):
    """A media type or a range of them. text: as it is written. parameters: such as the version; all must be there."""

    text: str
    kind: str
    sub: str
    parameters: frozenset[tuple[str, str]]

    def takes_in(self, other: "MediaType") -> bool:
        """Is all that the other means also meant by this one?"""
        names = self.kind in ("*", other.kind) and self.sub in ("*", other.sub)
        return names and self.parameters <= other.parameters

    @property
    def narrowness(self) -> tuple[bool, bool, int]:
        """Of several that take in the same, the narrowest counts (OpenAPI 3.1.1, 4.8.13)."""
        return self.kind != "*", self.sub != "*", len(self.parameters)


def media_type(text: str) -> MediaType:
    """Read one. The charset of JSON is left out: it is UTF-8 whatever is said (RFC 8259, 8.1 and 11)."""
    name, _, rest_of_it = text.partition(";")
    kind, _, sub = name.strip().lower().partition("/")
    found = {(key.lower(), value.strip().strip('"')) for key, value in _PARAMETER.findall(f";{rest_of_it}")}
    json = sub == "json" or sub.endswith("+json")
    return MediaType(text, kind, sub, frozenset(each for each in found if not (json and each[0] == "charset")))


def sent_changes(old: Placed, new: Placed, side: Side, schemas: Schemas) -> Iterator[Change]:
    """What changed of the bodies that callers send. old, new: what has the `content`."""
    was, now = _content(old), _content(new)
    if max(len(was), len(now)) > _MOST:
        yield from _too_many(old, new)
        return
    for each in was:
        if _meant_by(each, now) is None:
            yield change("request-body-media-type-removed", was[each], new, media_type=each.text)
    yield from _pairs_changes(was, now, side, schemas)


def answered_changes(old: Placed, new: Placed, side: Side, schemas: Schemas, status: str) -> Iterator[Change]:
    """What changed of the bodies that callers are answered with."""
    was, now = _content(old), _content(new)
    if max(len(was), len(now)) > _MOST:
        yield from _too_many(old, new)
        return
    for each in was:
        there, words = _meant_by(each, now), {"status": status, "media_type": each.text}
        if there is None and not any(each.takes_in(other) for other in now):
            yield change("response-media-type-removed", was[each], new, **words)
        elif there is not None and not each.takes_in(there):
            yield change("response-media-type-name-generalized", was[each], now[there], after=there.text, **words)
    yield from _pairs_changes(was, now, side, schemas)


def only_media_type(old: Placed, new: Placed, name: str, side: Side, schemas: Schemas) -> Iterator[Change]:
    """What changed of a parameter or a header that has a `content`, which is of one media type."""
    was, now = _content(old), _content(new)
    if len(was) == len(now) == 1 and _meant_by(next(iter(was)), now):
        yield from _media_type_changes(next(iter(was.values())), next(iter(now.values())), name, side, schemas)
    elif not alike(old.get("content"), new.get("content")):
        yield unjudged(f"the media type of the {name}", old.get("content") or old, new.get("content") or new)


def _too_many(old: Placed, new: Placed) -> Iterator[Change]:
    if not alike(old.get("content"), new.get("content")):
        yield unjudged(f"one of more than {_MOST} media types", old.get("content"), new.get("content"))


def _content(placed: Placed) -> dict[MediaType, Placed]:
    return {media_type(text): each.followed() for text, each in members(placed.get("content")).items()}


def _meant_by(each: MediaType, others: Iterable[MediaType]) -> MediaType | None:
    """Which of the others counts for it; None where none does."""
    found = [other for other in others if other.takes_in(each)]
    return max(found, key=lambda other: (other.text == each.text, other.narrowness), default=None)


def _pairs_changes(
    was: dict[MediaType, Placed], now: dict[MediaType, Placed], side: Side, schemas: Schemas
) -> Iterator[Change]:
    """Each media type of either document against what counted or counts for it in the other."""
    pairs: list[tuple[MediaType | None, MediaType | None]] = [(each, _meant_by(each, now)) for each in was]
    pairs += [(_meant_by(each, was), each) for each in now]
    for before, after in dict.fromkeys(pairs):
        if before and after:
            yield from _media_type_changes(was[before], now[after], after.text, side, schemas)


def _media_type_changes(old: Placed, new: Placed, name: str, side: Side, schemas: Schemas) -> Iterator[Change]:
    yield from rest("media type", old, new, f" of {name}")
    yield from schemas.changes(old.get("schema"), new.get("schema"), side, name, text=False)
