"""Moments as people and programs write and read them."""

import re
from datetime import UTC, datetime
from typing import Any

_TIME = r"[Tt](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
_MOMENT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:{_TIME})?")


def rfc3339(at: float) -> str:
    """RFC 3339 in UTC with milliseconds, of seconds since 1970: `2025-11-22T08:15:30.250Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def moment(text: Any) -> datetime | None:
    """What a date and time of RFC 3339 says, in UTC; of a date alone its first second. None: it is neither."""
    try:
        if isinstance(text, str) and _MOMENT.fullmatch(text):
            time = datetime.fromisoformat(text.upper())
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # in UTC it may be in the year 0 or 10000
        pass
    return None
