"""W3C Trace Context, level 1: the trace that a request belongs to."""

import re
import secrets

import msgspec

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")


class Trace(msgspec.Struct, frozen=True):
    """A trace, and the flags that its caller set."""

    id: str
    flags: str

    def child(self) -> str:
        """The `traceparent` of a new span in this trace."""
        return f"00-{self.id}-{secrets.token_hex(8)}-{self.flags}"


def trace_of(traceparent: str | None) -> Trace:
    """The trace that the caller's `traceparent` names; a new one where there is none, or none that can be read."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None or (match[3] and traceparent and traceparent.startswith("00")):
        return Trace(secrets.token_hex(16), "00")
    return Trace(match[1], match[2])
