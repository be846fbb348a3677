"""Calls that the API makes: webhooks and callbacks. Here its users are the ones who are called, so all is the other way
round: what it sends must still be what they know, and what they answer must still be accepted.
"""

from collections.abc import Iterator

from outrider.gateway.diff.keywords import rest, unjudged
from outrider.gateway.diff.media_types import answered_changes, sent_changes
from outrider.gateway.diff.operations import path_item
from outrider.gateway.diff.placed import Placed, members
from outrider.gateway.diff.responses import meant_by, pairs, statuses
from outrider.gateway.diff.rules import change
from outrider.gateway.diff.schemas import Schemas, Side
from outrider.gateway.findings import Change
from outrider.gateway.openapi import METHODS


def webhooks_changes(old: Placed, new: Placed, schemas: Schemas) -> Iterator[tuple[str, Change]]:
    """What changed of the webhooks of two documents, each with the name of what it is of."""
    now = members(new.get("webhooks"))
    for name, item in members(old.get("webhooks")).items():
        if not name.startswith("x-"):
            for each in _item_changes(item, now.get(name), new, schemas):
                yield f"webhook {name}", each


def callbacks_changes(old: Placed, new: Placed, schemas: Schemas) -> Iterator[Change]:
    """What changed of the callbacks of an operation. old, new: the operation."""
    now = members(new.get("callbacks"))
    for name, callback in members(old.get("callbacks")).items():
        there = now.get(name)
        if there is None:
            yield unjudged(f"the callback {name}", callback, new)
            continue
        addresses = members(there.followed())
        for address, item in callback.followed().members():
            if not address.startswith("x-"):
                yield from _item_changes(item, addresses.get(address), there, schemas)


def _item_changes(old: Placed, new: Placed | None, around: Placed, schemas: Schemas) -> Iterator[Change]:
    """What changed of one address that the API calls. around: where to point at if it is gone."""
    if new is None:
        yield change("webhook-removed", old, around)
        return
    was, now = path_item(old), path_item(new)
    yield from rest("path of a webhook", was, now)
    for method, operation in was.members():
        if method not in METHODS:
            continue
        if (there := now.get(method)) is None:
            yield change("webhook-removed", operation, now)
            continue
        yield from rest("webhook", operation, there)
        yield from _body_changes(operation, there, schemas)
        yield from _answers_changes(operation, there, schemas)


def _body_changes(old: Placed, new: Placed, schemas: Schemas) -> Iterator[Change]:
    """What changed of what is sent to those who are called."""
    was, now = (each and each.followed() for each in (old.get("requestBody"), new.get("requestBody")))
    if was is None:
        return
    if now is None:
        yield unjudged("the body", was, new)
        return
    if was.flag("required") and not now.flag("required"):
        yield unjudged("that there always is a body", was, now)
    yield from rest("request body", was, now, " of the body")
    yield from answered_changes(was, now, Side.RESPONSE, schemas, "the call")


def _answers_changes(old: Placed, new: Placed, schemas: Schemas) -> Iterator[Change]:
    """What changed of what those who are called may answer."""
    was, now = statuses(old), statuses(new)
    for status, response in was.items():
        if meant_by(status, now) is None:
            yield unjudged(f"the answer {status}", response, new.get("responses") or new)
    for before, after in pairs(was, now):
        yield from rest("response to a webhook", was[before], now[after], f" of the answer {after}")
        yield from sent_changes(was[before], now[after], Side.REQUEST_BODY, schemas)
