"""Which documents are understood, and what rulesets call them: Spectral's names of formats.

A document of a version that nobody here knows is refused. Were it let through, rules for known versions would no
longer be for it, and every finding would be gone with one changed line.
"""

import re
from typing import Any

import msgspec

from outrider.gateway.documents import Source
from outrider.gateway.faults import Refused
from outrider.gateway.lint.not_understood import NotUnderstood

_NOT_HERE = re.compile(r"(?!)")
_KNOWN: dict[str, tuple[str, re.Pattern[str]]] = {
    "openapi": ("openapi: 3.1.0", re.compile(r"3\.[01]\.[0-9]+")),
    "asyncapi": ("asyncapi: 3.0.0", re.compile(r"3\.0\.[0-9]+")),
}

# Those of documents that are not read here (OpenAPI 2, 3.2, AsyncAPI 2, Arazzo) are names all the same: a rule for
# them may stand in a ruleset, and never runs.
_FORMATS: dict[str, tuple[str, re.Pattern[str]]] = {
    "oas2": ("openapi", _NOT_HERE),
    "oas3": ("openapi", re.compile(r"3\..*")),
    **{f"oas3_{minor}": ("openapi", re.compile(rf"3\.{minor}\..*")) for minor in range(3)},
    **dict.fromkeys(("asyncapi2", "asyncApi2", "aas2"), ("asyncapi", _NOT_HERE)),
    **{f"aas2_{minor}": ("asyncapi", _NOT_HERE) for minor in range(7)},
    "aas3": ("asyncapi", re.compile(r"3\..*")),
    **{f"aas3_{minor}": ("asyncapi", re.compile(rf"3\.{minor}\..*")) for minor in range(2)},
    "arazzo1_0": ("openapi", _NOT_HERE),
}
_SEPARATOR = re.compile(r"\.|(?<=[0-9])-(?=[0-9])")


class Specification(msgspec.Struct, frozen=True):
    """What a document says that it is. name: for people, such as `OpenAPI 3.1.0`. formats: all that fit it."""

    name: str
    formats: frozenset[str]


def specification(source: Source) -> Specification:
    """Raises `Refused`: it is none that is known, or in a version that is not."""
    if not isinstance(source.data, dict):
        raise Refused(source.fault((), "is no API's document; it begins with openapi: 3.1.0, or asyncapi: 3.0.0"))
    if "swagger" in source.data:
        raise Refused(source.fault(("swagger",), "OpenAPI 2 is not read; convert the document to 3.1, or 3.0"))
    said = [key for key in _KNOWN if key in source.data]
    if len(said) != 1:
        neither = "is no API's document; it says openapi: 3.1.0, or asyncapi: 3.0.0"
        raise Refused(source.fault((), "says both openapi and asyncapi; keep one" if said else neither))
    key, version = said[0], source.data[said[0]]
    example, known = _KNOWN[key]
    if not (isinstance(version, str) and known.fullmatch(version)):
        versions = "3.0 and 3.1 are read" if key == "openapi" else "3.0 is read"
        raise Refused(source.fault((key,), f"this version is not known; {versions}, written as in {example}"))
    formats = frozenset(name for name, (kind, fits) in _FORMATS.items() if kind == key and fits.fullmatch(version))
    return Specification({"openapi": "OpenAPI", "asyncapi": "AsyncAPI"}[key] + f" {version}", formats)


def known_format(name: Any) -> str:
    """The one spelling of a format's name: `oas3.1` is `oas3_1`. Raises `NotUnderstood`."""
    spelled = _SEPARATOR.sub("_", str(name))
    if spelled not in _FORMATS:
        message = f"no document here has the format {name}; known are {', '.join(_FORMATS)}"
        raise NotUnderstood(message)
    return spelled
