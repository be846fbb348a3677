"""Whose schema it is, who sends and who relies on it, and in which words that is told.

Whatever is sent is *given*, and who receives it *asks* for something: in requests the old schema says what callers
give, and the new one what is asked of them; in responses the new one is given to callers that ask for the old one. In
either it breaks somebody if not all that is given is what is asked for, so that both sides are judged alike.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.diff.placed import Placed
from outrider.gateway.findings import Change, Severity


class Side(Enum):
    """What a schema describes: how its ids begin, at the top and below, and what it is called."""

    REQUEST_BODY = ("request-body", "request-property", "the request body")
    REQUEST_PARAMETER = ("request-parameter", "request-parameter-property", "the parameter")
    RESPONSE = ("response-body", "response-property", "the response body")
    RESPONSE_HEADER = ("response-header", "response-header-property", "the header")

    @property
    def requests(self) -> bool:
        """Is it sent by callers?"""
        return self in (Side.REQUEST_BODY, Side.REQUEST_PARAMETER)


class Conjunction(msgspec.Struct, frozen=True, eq=False):
    """Schemas that all apply to one value; none: any value fits. head: where they are to be found."""

    schemas: tuple[Placed, ...]
    head: Placed


_INTO = {"items": "[]", "additionalProperties": ".*", "unevaluatedProperties": ".*", "contains": "[]"}
_INTO |= dict.fromkeys(("not", "if", "then", "else", "propertyNames", "contentSchema", "unevaluatedItems"), "")
_NAMED = {"properties": ".{}", "patternProperties": ".{}", "prefixItems": "[{}]"}
_NAMED |= dict.fromkeys(("dependentSchemas", "allOf", "anyOf", "oneOf"), "")


def called(path: JsonPath, *, holder: bool = False) -> str:
    """What a place in a schema is called: `Station.plugs[].power`; empty for the top of one that has no name. holder:
    as the schema in which the keyword stands that the path ends with.
    """
    steps = list(path)
    named = steps[:2] == ["components", "schemas"] and len(steps) > 2
    if not named:
        start = 3 if steps[:1] == ["components"] else 0
        steps = steps[steps.index("schema", start) :] if "schema" in steps[start:] else []
    name, steps = (str(steps[2]), steps[3:]) if named else ("", steps[1:])
    while steps:
        if steps[0] in _INTO and not (holder and len(steps) == 1):
            name, steps = name + _INTO[str(steps[0])], steps[1:]
        elif steps[0] in _NAMED and len(steps) > 1 and not (holder and len(steps) == 2 and steps[0] in _KEYWORDS):
            name, steps = name + _NAMED[str(steps[0])].format(steps[1]), steps[2:]
        else:
            break
    return name.removeprefix(".")


_KEYWORDS = ("patternProperties", "dependentSchemas")
"""A member of theirs is spoken of as the keyword is."""


def shown(value: Any) -> str:
    """A value as it is told, cut if it is long."""
    try:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except (ValueError, OverflowError):  # Python writes no number of more than 4300 digits
        text = "a number of very many digits"
    return text if len(text) <= 80 else text[:77] + "..."


def breaks(changes: Iterable[Change]) -> bool:
    """Is any of them more than for information?"""
    return any(change.severity <= Severity.WARN for change in changes)


def widens(changes: Iterable[Change]) -> bool:
    """Is any of them told of something that takes more? What lists more members takes no more."""
    return breaks(change for change in changes if not change.rule.endswith("-property-removed"))
