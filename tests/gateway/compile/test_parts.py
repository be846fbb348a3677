"""Envoy's way of writing things down."""

import pytest

from outrider.gateway.compile.parts import seconds


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0s"),
        (0.0, "0s"),
        (1e-9, "0.001s"),
        (0.0004, "0.001s"),
        (0.0015, "0.002s"),
        (0.5, "0.5s"),
        (86400, "86400s"),
    ],
)
def test_a_time_is_none_only_where_it_is_zero(number: float, written: str) -> None:
    """0 is no limit to Envoy, so the shortest time is never rounded to it."""
    assert seconds(number) == written
