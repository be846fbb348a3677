"""What is wrong with a product, said so that one look mends it: file, line, field, and what to write instead."""

from collections.abc import Sequence

import msgspec

from outrider.common.yaml_positions import Position


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong. file: as the caller named it. field: as in `limits.person.requests`; may be empty."""

    file: str
    position: Position
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.position.line}:{self.position.column}"
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class Refused(Exception):
    """A product that can't be compiled, published or run; nothing that is live was changed."""

    def __init__(self, *faults: Fault | str) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults: Sequence[Fault | str] = faults
