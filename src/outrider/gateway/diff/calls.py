"""What changed of one operation that both documents have."""

from collections.abc import Iterator

from outrider.gateway.diff import lifecycle
from outrider.gateway.diff.keywords import rest
from outrider.gateway.diff.lifecycle import Notice
from outrider.gateway.diff.media_types import sent_changes
from outrider.gateway.diff.operations import Operation
from outrider.gateway.diff.parameters import parameter_changes
from outrider.gateway.diff.responses import responses_changes
from outrider.gateway.diff.rules import change
from outrider.gateway.diff.schemas import Schemas, Side
from outrider.gateway.diff.security import Security
from outrider.gateway.diff.servers import servers_changes
from outrider.gateway.diff.webhooks import callbacks_changes
from outrider.gateway.findings import Change


def operation_changes(
    old: Operation, new: Operation, security: Security, schemas: Schemas, notice: Notice
) -> Iterator[Change]:
    """Everything of it that breaks callers, or may."""
    yield from lifecycle.stability_changes(old.placed, new.placed)
    yield from lifecycle.changed(lifecycle.OPERATION, old.placed, new.placed, notice)
    yield from security.changes(old, new)
    yield from parameter_changes(old, new, notice, schemas)
    yield from _body_changes(old, new, schemas)
    yield from responses_changes(old.placed, new.placed, schemas)
    yield from callbacks_changes(old.placed, new.placed, schemas)
    yield from servers_changes(old, new)
    yield from rest("operation", old.placed, new.placed)


def _body_changes(old: Operation, new: Operation, schemas: Schemas) -> Iterator[Change]:
    was, now = (each and each.followed() for each in (old.placed.get("requestBody"), new.placed.get("requestBody")))
    if was is None:
        if now is not None and now.flag("required"):
            yield change("request-body-added-required", old.placed, now)
        return
    if now is None:
        yield change("request-body-removed", was, new.placed)
        return
    if now.flag("required") and not was.flag("required"):
        yield change("request-body-became-required", was, now)
    yield from rest("request body", was, now, " of the body")
    yield from sent_changes(was, now, Side.REQUEST_BODY, schemas)
