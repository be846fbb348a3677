"""Moments as people and programs read them."""

from datetime import UTC, datetime


def rfc3339(at: float) -> str:
    """RFC 3339 in UTC with milliseconds, of seconds since 1970: `2025-11-22T08:15:30.250Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
