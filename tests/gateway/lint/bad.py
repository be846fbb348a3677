"""What the cases of bad inputs are made of."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from outrider.gateway.product import Operation
from tests.gateway.lawful import document

LISTED = Operation(id="listThings", method="GET", path="/v1/things", summary="All", scopes=(("a:read",),))
LAWFUL = document([LISTED]).raw
API, GOOD = "api.yaml", "good.json"

Content = bytes | Callable[[Path], None]
"""What is in a file, or what makes it."""


class Bad(NamedTuple):
    """files: what is put where. words: the command line after `outrider gateway`. says: what it says, in part."""

    files: Mapping[str, Content]
    words: Sequence[str]
    says: str


def big(path: Path) -> None:
    """30 MB that are YAML."""
    with path.open("wb") as file:
        file.write(b"openapi: 3.1.0\nx-a: '")
        for _ in range(30):
            file.write(b"a" * 1_000_000)
        file.write(b"'\n")


def linked(target: str) -> Callable[[Path], None]:
    """A link to there."""
    return lambda path: path.symlink_to(target)
