"""Whatever changes anywhere in a document is told, refused, or known to be harmless."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.common.json_path import JsonPath
from outrider.gateway.documents import Source, parse
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Severity
from tests.gateway.diff.documents import changes

EVERYTHING = parse((Path(__file__).parent / "everything.yaml").read_bytes(), "everything.yaml")
"""A document that uses all objects of OpenAPI but schemas."""

NAMES = frozenset(
    (
        *("paths", "webhooks", "headers", "content", "callbacks", "done", "variables", "flows", "scopes", "components"),
        *("parameters", "responses", "schemas", "securitySchemes"),
    )
)
"""Below these stand names that somebody chose, and one more of them is harmless."""
DOCUMENTATION = frozenset(("info", "tags", "externalDocs", "example", "examples", "x-any", "description", "summary"))
UNUSED: JsonPath = ("components", "schemas", "S")


def objects(value: Any, path: JsonPath = ()) -> Iterator[JsonPath]:
    """The places of the objects in a value, itself included, in which no member may be more without a word."""
    anything = path == UNUSED or (path and path[-1] in NAMES) or not DOCUMENTATION.isdisjoint(path)
    if isinstance(value, dict) and not anything and "$ref" not in value:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in steps:
        yield from objects(member, (*path, step))


def is_told(new: Source) -> bool:
    """Does somebody have to look at it?"""
    try:
        return any(change.severity <= Severity.WARN for change in changes(EVERYTHING, new))
    except Refused:
        return True


@pytest.mark.parametrize("path", list(objects(EVERYTHING.data)), ids=lambda path: "/".join(map(str, path)) or "/")
def test_a_keyword_that_nobody_knows_is_told_wherever_it_stands(path: JsonPath) -> None:
    """Unless it is a name, documentation, or beside a reference, where it counts for nothing."""
    data = copy.deepcopy(EVERYTHING.data)
    holder = data
    for step in path:
        holder = holder[step]
    holder["anything"] = {}
    new = parse(msgspec.json.encode(data), "new.yaml")

    assert is_told(new)
