"""Moments as they are written and read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.common.times import moment, rfc3339


def test_a_moment_is_written_as_rfc_3339() -> None:
    """UTC with milliseconds, from the first moment on."""
    assert rfc3339(0.0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1763799330.25) == "2025-11-22T08:15:30.250Z"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-11-22", "2026-11-22T00:00:00+00:00"),
        ("2026-11-22T23:30:00-05:00", "2026-11-23T04:30:00+00:00"),
        ("2026-11-22t23:30:00.25z", "2026-11-22T23:30:00.250000+00:00"),
    ],
)
def test_a_moment_is_read_in_utc(text: str, read: str) -> None:
    """Whatever zone it is written in; a date is its first second."""
    assert moment(text) == datetime.fromisoformat(read)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_what_is_written_is_read_back(at: datetime) -> None:
    """To the millisecond."""
    written = rfc3339(at.timestamp())
    read = moment(written)
    assert read is not None
    assert rfc3339(read.timestamp()) == written


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026", "2026-1-2", "2026-02-30", "20261122", "2026-W01-1", "2026-11-22 10:00:00Z"),
        *("2026-11-22T10:00:00", "2026-11-22T24:00:00Z", "2026-11-22T10:00Z", "2026-11-22T10:00:00+24:00"),
        "0001-01-01T00:00:00+01:00",
        *("2026-11-22\n", "\u0662026-11-22", 20261122, None, ["2026-11-22"]),
    ],
)
def test_nothing_else_is_a_moment(text: Any) -> None:
    """Without a zone it could be any of 26 hours; and nothing is read that only looks like a date."""
    assert moment(text) is None
