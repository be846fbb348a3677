"""Semantic versions, as far as they say whether callers break."""

import re

_VERSION = re.compile(r"v?([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.[0-9]+)?(?:[-+].*)?")


def major_and_minor(version: str) -> tuple[int, int] | None:
    """`1.4.0`, and `v1` too; None: it is no version."""
    found = _VERSION.fullmatch(version)
    return (int(found[1]), int(found[2] or 0)) if found else None
