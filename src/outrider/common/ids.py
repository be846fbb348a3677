"""Ids are UUIDv7 (RFC 9562): in order of time, so that a page or a purge by age is a range of the primary key."""

import secrets
import uuid


def uuid7(now: float) -> str:
    """A new id, made at `now` (seconds since 1970 UTC)."""
    random = secrets.randbits(74)
    return _format(int(now * 1000), random >> 62, random & (1 << 62) - 1)


def uuid7_at(at: float) -> str:
    """The smallest id of that millisecond: everything before it is smaller."""
    return _format(max(int(at * 1000), 0), 0, 0)


def _format(milliseconds: int, high: int, low: int) -> str:
    value = milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    return str(uuid.UUID(int=value))
