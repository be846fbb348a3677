"""How AJV 8 asks the keywords of one schema: in groups, by the kind of value that they are about, until one fails.

A failure inside nothing but objects and lists ends the whole evaluation, with this one error. Inside `anyOf`, `oneOf`,
`if` and the like errors are gathered; then the keyword adds its own.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from outrider.common.json_path import JsonPath
from outrider.gateway.lint.functions.schema_errors import Error
from outrider.gateway.lint.javascript import number_of, type_of

Answer: TypeAlias = tuple[list[Error], bool]
"""The errors, and whether they end the whole evaluation."""

Asked: TypeAlias = Callable[[Any, JsonPath, bool], Answer]
"""Of a value, its path, and whether errors are gathered."""

KINDS = ("any", "number", "string", "array", "object")
"""The groups, in the order in which they are asked."""

FINE: Answer = ([], False)


class Keyword(NamedTuple):
    """A keyword in its schema. at: compiles a schema below. referred: what a `$ref` names, plain and compiled."""

    name: str
    value: Any
    beside: dict[str, Any]
    path: JsonPath
    dialect: str
    all_errors: bool
    at: Callable[[Any, JsonPath], "Compiled"]
    referred: Callable[[Any, JsonPath], tuple[Any, "Compiled"]]


class Compiled:
    """A schema that can be asked. It is filled after it was made, because it may refer to itself."""

    __slots__ = ("all_errors", "asked", "everything", "types", "types_first", "types_named")

    def __init__(self, all_errors: bool, everything: Asked | None = None) -> None:
        self.all_errors, self.everything = all_errors, everything
        self.types: list[str] = []
        self.types_named = ""
        self.types_first = False
        self.asked: dict[str, list[Asked]] = {}

    def add(self, kind: str, asked: Asked) -> None:
        self.asked.setdefault(kind, []).append(asked)

    def settle(self) -> None:
        """A single type that has keywords of its own is asked with these, otherwise types come first."""
        self.types_first = bool(self.types) and not (len(self.types) == 1 and self.types[0] in self.asked)
        self.asked = {kind: self.asked[kind] for kind in KINDS if kind in self.asked}

    def errors(self, value: Any) -> list[Error]:
        """All that AJV would give for the value, by itself."""
        return self.ask(value, (), False)[0]

    def fits(self, value: Any) -> bool:
        return not self.ask(value, (), True)[0]

    def ask(self, value: Any, path: JsonPath, composite: bool) -> Answer:
        """composite: inside a keyword that gathers errors."""
        if self.everything:
            return self.everything(value, path, composite or self.all_errors)
        gathers = composite or self.all_errors
        found: list[Error] = []
        if self.types_first and not any(fits_kind(value, each) for each in self.types):
            found.append(self._type_error(path))
            if not gathers:
                return found, True
        for kind, keywords in self.asked.items():
            if kind != "any" and found and not self.all_errors:
                break
            if kind == "any" or fits_kind(value, kind):
                errors, is_final = self._asked(keywords, value, path, composite)
                if is_final:
                    return errors, True
                found += errors
            elif self.types == [kind] and not self.types_first:
                found.append(self._type_error(path))
                if not gathers:
                    return found, True
        return found, False

    def _asked(self, keywords: list[Asked], value: Any, path: JsonPath, composite: bool) -> Answer:
        """One group; the kinds of value apart, the first keyword that fails is the last that is asked."""
        found: list[Error] = []
        for asked in keywords:
            errors, is_final = asked(value, path, composite)
            if is_final:
                return errors, True
            found += errors
            if found and not self.all_errors:
                break
        return found, False

    def _type_error(self, path: JsonPath) -> Error:
        return Error("type", path, self.types_named)


def fits_kind(value: Any, kind: str) -> bool:
    """Is the value of this type of JSON Schema? `1.0` is a whole number."""
    if kind == "integer":
        return type_of(value) == "number" and number_of(value).is_integer()
    if kind in ("number", "string", "boolean"):
        return type_of(value) == kind
    if kind == "null":
        return value is None
    return isinstance(value, list if kind == "array" else dict)
