"""Parameters as they are typed (`temperature=21`) made into the values that the service's schema wants."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


def parsed(pairs: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The values by name. What does not fit is left as text: the platform names everything that is wrong at once.

    Raises ValueError for what is no `NAME=VALUE`, and for a name given twice.
    """
    params: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (name and equals):
            raise ValueError(f"{pair!r} is not NAME=VALUE, such as temperature=21")
        if name in params:
            raise ValueError(f"{name} is given twice")
        params[name] = _value(text, schema.get("properties", {}).get(name, {}))
    return params


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """JSON where the schema wants something else than text."""
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if not kinds or "string" in kinds:
        return text
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    # `21.0` is a whole number to JSON Schema, and to a person; not every vehicle's parser agrees.
    return int(value) if isinstance(value, float) and value.is_integer() and "number" not in kinds else value
