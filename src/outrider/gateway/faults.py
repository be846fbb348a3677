"""What is wrong with a product, said so that one look mends it: file, line, field, and what to write instead.

Whatever is said of a file is printable, however a stranger wrote it.
"""

from collections.abc import Sequence

import msgspec

from outrider.common.words import keep_printable, printable_lines
from outrider.common.yaml_positions import Position


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. file: as the caller named it. field: as in `limits.person.requests`; may be empty."""

    file: str
    position: Position
    field: str
    message: str

    def __post_init__(self) -> None:
        keep_printable(self, "file", "field", "message")

    def __str__(self) -> str:
        return f"{self.file}:{self.position.line}:{self.position.column}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """Which field, and what is wrong with it."""
        return f"{self.field}: {self.message}" if self.field else self.message


class Refused(Exception):
    """A product that can't be compiled, published or run; nothing that is live was changed."""

    def __init__(self, *faults: Fault | str) -> None:
        self.faults: Sequence[Fault | str] = tuple(
            printable_lines(one) if isinstance(one, str) else one for one in faults
        )
        super().__init__("\n".join(map(str, self.faults)))
