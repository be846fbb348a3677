"""Is something there: truthy, falsy, defined, undefined, xor, or."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec

from outrider.gateway.lint.functions.results import (
    PROPERTY,
    Check,
    Function,
    Result,
    read_options,
    without_options,
)
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.javascript import truthy as is_truthy


class _Properties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    properties: Annotated[list[str], msgspec.Meta(min_length=2)]


def _asking(name: str, holds: Callable[[Any], bool]) -> Function:
    results = (Result(f"{PROPERTY}must be {name}"),)
    return without_options(name, lambda value, target: () if holds(value) else results)


def xor(given: Any) -> Check:
    """Exactly one of the properties."""
    names = read_options("xor", given, _Properties).properties
    return lambda value, target: _counted(names, value, most=1) if isinstance(value, dict) else ()


def either(given: Any) -> Check:
    """At least one of the properties."""
    names = read_options("or", given, _Properties).properties
    return lambda value, target: _counted(names, value, most=len(value)) if isinstance(value, dict) else ()


def _counted(names: list[str], value: dict[str, Any], most: int) -> Iterator[Result]:
    there = [name for name in value if name in names]
    if not there:
        named = '" or "'.join(names[:3] if len(names) > 4 else names)
        rest = f" or {len(names) - 3} other properties" if len(names) > 4 else ""
        yield Result(f'At least one of "{named}"{rest} must be defined')
    elif len(there) > most:
        yield Result('Just one of "{}" must be defined'.format('" and "'.join(there)))


PRESENCE: Mapping[str, Function] = {
    "defined": _asking("defined", lambda value: value is not UNDEFINED),
    "falsy": _asking("falsy", lambda value: not is_truthy(value)),
    "or": either,
    "truthy": _asking("truthy", is_truthy),
    "undefined": _asking("undefined", lambda value: value is UNDEFINED),
    "xor": xor,
}
