"""The operations of a document, each known by what callers can tell apart: the method, and the path without the names
of its parameters.
"""

import re
from collections.abc import Iterator

import msgspec

from outrider.gateway.diff.placed import Placed, an_object, members
from outrider.gateway.faults import Refused
from outrider.gateway.openapi import METHODS
from outrider.gateway.templates import pattern

_BESIDE_REF = ("$ref", "summary", "description")
_PARAMETER = re.compile(r"\{([^{}/]+)\}")


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """method: as the document has it. template: likewise. names: of its path's parameters, in their order.

    placed: the operation. item: its path, with what counts for all operations there. document: as a document.
    """

    method: str
    template: str
    names: tuple[str, ...]
    placed: Placed
    item: Placed
    document: Placed

    @property
    def label(self) -> str:
        """As changes name it: `GET /v1/stations`."""
        return f"{self.method.upper()} {self.template}"

    @property
    def path(self) -> str:
        """The same for all templates that callers can't tell apart."""
        return pattern(self.template)

    def inherited(self, keyword: str) -> Placed | None:
        """What counts for the operation: its own, or else its path's, or else the document's."""
        return self.placed.get(keyword) or self.item.get(keyword) or self.document.get(keyword)


def paths(document: Placed) -> dict[str, tuple[str, Placed]]:
    """The paths of a document by what they match: each as it is written, and what is there, references followed.

    Raises `Refused`: two that callers can't tell apart.
    """
    found: dict[str, tuple[str, Placed]] = {}
    for template, item in members(document.get("paths")).items():
        if template.startswith("x-"):
            continue
        known = found.setdefault(pattern(template), (template, path_item(item)))
        if known[0] != template:
            message = f"is the same as {known[0]} for whoever calls it; put both below one path"
            raise Refused(document.source.fault(item.path, message))
    return found


def path_item(item: Placed) -> Placed:
    """What is at a path, references followed. Raises `Refused`: operations stand beside `$ref`, and which count is said
    nowhere (OpenAPI 3.1.1, 4.8.9).
    """
    for name, member in an_object(item).members():
        if "$ref" in item.value and name not in _BESIDE_REF and not name.startswith("x-"):
            raise Refused(member.source.fault(member.path, "stands beside $ref; put it where $ref leads"))
    return an_object(item.followed())


def operations(document: Placed) -> Iterator[Operation]:
    """All of a document, in its order."""
    for template, item in paths(document).values():
        for method, placed in item.members():
            if method in METHODS:
                names = tuple(_PARAMETER.findall(template))
                said = an_object(placed)
                yield Operation(
                    method=method, template=template, names=names, placed=said, item=item, document=document
                )
