"""Members that are deprecated: whether they say when they end, and whether callers are told in time."""

from collections.abc import Iterator

from outrider.gateway.diff import lifecycle
from outrider.gateway.diff.lifecycle import Ids
from outrider.gateway.diff.placed import Placed
from outrider.gateway.diff.schema_rules import elsewhere
from outrider.gateway.diff.schemas_comparing import Pair
from outrider.gateway.diff.schemas_telling import Side
from outrider.gateway.findings import Change


def ending(pair: Pair, given: Placed | None, asked: Placed | None) -> Iterator[Change]:
    """What is wrong with the end that a member now has which both sides list."""
    if given is None or asked is None:
        return
    old, new = pair.in_time(given, asked)
    if (there := _saying(new)) is not None and isinstance(old.value, dict):
        before, what = _saying(old) or old, pair.called(new)
        yield from lifecycle.changed(_IDS[pair.side], before, there, pair.comparing.notice, what=what)


def _saying(schema: Placed, depth: int = 8) -> Placed | None:
    """Where it is said that the member is deprecated: beside a reference, where it leads, or in what it is made of."""
    there = schema.referred() if schema.said("$ref") else None
    if schema.said("deprecated") is not None and not (there and schema.is_3_0):
        return schema
    composed = schema.get("allOf")
    inner = [there] if there else list(composed.items()) if composed else []
    return next((found for each in inner if (found := _saying(each, depth - 1))), None) if depth > 0 else None


def _ids(side: Side) -> Ids:
    subject = "request-property" if side.requests else "response-property"
    names = (f"{subject}-{what}" for what in ("deprecated-sunset-missing", "deprecated-sunset-invalid"))
    names_of_dates = (f"{subject}-{what}" for what in ("sunset-date-too-small", "sunset-date-changed-too-small"))
    missing, parse, too_small, changed, deleted = (
        name if side in (Side.REQUEST_BODY, Side.RESPONSE) else elsewhere(name)
        for name in (*names, *names_of_dates, f"{subject}-sunset-deleted")
    )
    return Ids(missing=missing, parse=parse, too_small=too_small, changed_too_small=changed, deleted=deleted)


_IDS = {side: _ids(side) for side in Side}
