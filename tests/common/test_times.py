"""Moments as they are written."""

from outrider.common.times import rfc3339


def test_a_moment_is_written_as_rfc_3339() -> None:
    """UTC with milliseconds, from the first moment on."""
    assert rfc3339(0.0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1763799330.25) == "2025-11-22T08:15:30.250Z"
