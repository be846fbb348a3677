"""Where a value lies inside a JSON document, and how that place is written for people."""

import re
from typing import TypeAlias

JsonPath: TypeAlias = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


def dotted(path: JsonPath) -> str:
    """`("services", 3)` as `services[3]`; keys that are not plain words in brackets: `effects["Vehicle.Speed"]`."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            written += f".{step}" if written else step
        else:
            written += f'["{step}"]'
    return written
