"""Which versions say that callers break."""

import pytest

from outrider.common.versions import major_and_minor


@pytest.mark.parametrize(
    ("version", "parts"),
    [
        ("1.4.0", (1, 4)),
        ("v2", (2, 0)),
        ("0.3.1-beta+5", (0, 3)),
        ("", None),
        ("latest", None),
        ("9" * 5000 + ".0.0", None),
    ],
)
def test_major_and_minor(version: str, parts: tuple[int, int] | None) -> None:
    """What is no version, or beyond all measure, has no parts."""
    assert major_and_minor(version) == parts
