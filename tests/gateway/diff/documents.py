"""Small OpenAPI documents for tests."""

import json
from datetime import date
from typing import Any

from outrider.gateway.diff import compare
from outrider.gateway.documents import Source, parse
from outrider.gateway.findings import Change

TODAY = date(2026, 11, 22)
OK = {"responses": {"200": {"description": "ok"}}}


def document(file: str = "openapi.yaml", **members: Any) -> Source:
    """A document of these members; what every document must have is there already."""
    whole = {"openapi": "3.1.0", "info": {"title": "t", "version": "1.0.0"}, "paths": {}, **members}
    return parse(json.dumps(whole, indent=1).encode(), file)


def changes(old: Source, new: Source, *, notice_days: int = 0, today: date = TODAY) -> tuple[Change, ...]:
    """What is told of them."""
    return compare(old, new, today=today, notice_days=notice_days)


def rules(old: Source, new: Source) -> list[str]:
    """By which ids."""
    return [change.rule for change in changes(old, new)]
