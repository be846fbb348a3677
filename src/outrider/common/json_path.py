"""Where a value lies inside a JSON document, and how that place is written: for people, and as a JSON pointer."""

import re
from typing import Any, TypeAlias

from outrider.common.words import unseen

JsonPath: TypeAlias = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_DOUBTFUL = re.compile(r"%(?:2[Ff]|7[Ee])")
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
_WRONG = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}|~(?![01]).?", re.DOTALL)


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


def pointer(path: JsonPath) -> str:
    """As a JSON pointer in a URI's fragment: `#/paths/~1v1~1stations/get`.

    Encoded is what would be misread (`%`, `#`, and what is not seen); other characters stay as people know them.
    """
    names = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "#" + "".join(f"/{_encoded(name)}" for name in names)


def _encoded(name: str) -> str:
    return "".join(_percent(one) if one in "%#" or unseen(one) else one for one in name)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogatepass"))


def steps(text: str) -> tuple[str, ...]:
    """The steps of a JSON pointer in a URI's fragment (RFC 6901, 6), such as `#/paths/~1stations`.

    Raises ValueError, which says what to write instead: it is none, or one that others read differently. For some (such
    as Spectral) divide it before they decode it, an encoded slash may well be part of a name.
    """
    if text != "#" and not text.startswith("#/"):
        raise ValueError("must be a JSON pointer into the document, such as #/components/schemas/Station")
    if doubtful := _DOUBTFUL.search(text):
        meant = "between names write /, and inside of a name ~1 for / and ~0 for ~"
        raise ValueError(f"has {doubtful[0]}, which not everybody reads alike; {meant}")
    if wrong := _WRONG.search(text):
        raise ValueError(f"has {wrong[0]!r}, which means nothing; write %25 for %, ~0 for ~ and ~1 for /")
    try:
        raw = _ENCODED.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode(errors="surrogatepass"))
        decoded = raw.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        raise ValueError("has % before what is no UTF-8; write the letters themselves, and %25 for %") from None
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in decoded.split("/")[1:])


def step_into(value: Any, step: str | int) -> str | int | None:
    """The step as it leads into this value: a key, or a number for a list; None where there is nothing."""
    name = str(step)
    if isinstance(value, dict):
        return name if name in value else None
    is_item = isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value)
    return int(name) if is_item else None


def value_at(value: Any, path: JsonPath) -> Any:
    """What is there. Raises KeyError, IndexError or TypeError: there is no such place."""
    for step in path:
        value = value[step]
    return value
