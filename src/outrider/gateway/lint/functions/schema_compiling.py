"""A JSON Schema made ready: its keywords in the order in which AJV 8 asks them, its references followed.

Keywords that AJV would pass over are refused, as are those that are not supported.
"""

from collections.abc import Mapping
from typing import Any

from outrider.common.json_path import JsonPath, step_into, steps
from outrider.gateway.lint.functions.schema_asking import Compiled, Keyword
from outrider.gateway.lint.functions.schema_errors import Error
from outrider.gateway.lint.functions.schema_keywords import KEYWORDS
from outrider.gateway.lint.javascript import text_of
from outrider.gateway.lint.methods import words
from outrider.gateway.lint.not_understood import NotUnderstood

_NOTES = words(
    "$schema $id id $comment title description default examples example deprecated readOnly writeOnly definitions "
    "$defs contentMediaType contentEncoding type nullable then else"
)
"""Keywords that say nothing about a value, or are asked with another."""
_NAMES = frozenset(name for _, name, _ in KEYWORDS)
_SINCE_2019 = frozenset(["dependentRequired", "dependentSchemas", "minContains", "maxContains"])
_ONLY_2020 = frozenset(["prefixItems"])
_UNTIL_2019 = frozenset(["additionalItems"])


def compile_schema(document: Any, dialect: str, all_errors: bool) -> Compiled:
    """Raises `NotUnderstood`, with its place below `schema`."""
    return _Compiling(document, dialect, all_errors).at(document, ("schema",))


class _Compiling:
    def __init__(self, document: Any, dialect: str, all_errors: bool) -> None:
        self.document, self.dialect, self.all_errors = document, dialect, all_errors
        self.known: dict[int, Compiled] = {}

    def at(self, part: Any, path: JsonPath) -> Compiled:
        """The compiled schema; each part of the document once, so that one may refer to itself."""
        if isinstance(part, bool):
            return Compiled(self.all_errors) if part else Compiled(self.all_errors, everything=_nothing_fits)
        if id(part) not in self.known:
            compiled = self.known[id(part)] = Compiled(self.all_errors)
            self._fill(compiled, part, path)
        return self.known[id(part)]

    def _fill(self, compiled: Compiled, part: dict[str, Any], path: JsonPath) -> None:
        self._check_known(part, path)
        compiled.types = self._types(part, path)
        compiled.types_named = text_of(part.get("type"))
        for kind, name, make in KEYWORDS:
            if name in part:
                where = (*path, name)
                told = Keyword(name, part[name], part, where, self.dialect, self.all_errors, self.at, self._referred)
                if asked := make(told):
                    compiled.add(kind, asked)
                else:
                    compiled.asked.setdefault(kind, [])
        compiled.settle()

    def _check_known(self, part: Mapping[str, Any], path: JsonPath) -> None:
        is_2020, is_new = self.dialect == "draft2020-12", self.dialect in ("draft2019-09", "draft2020-12")
        for keyword in part:
            if keyword.startswith("x-") or keyword in _NOTES - {"$id", "id"}:
                continue
            where = (*path, keyword)
            if keyword in ("$id", "id"):
                if len(path) > 1:
                    raise NotUnderstood(f"{keyword} inside a schema is not supported; leave it out", path=where)
            elif keyword not in _NAMES:
                raise NotUnderstood(
                    f"{keyword} is a keyword that is not known or not supported; leave it out", path=where
                )
            elif (keyword in _SINCE_2019 and not is_new) or (keyword in _ONLY_2020 and not is_2020):
                raise NotUnderstood(f"{keyword} is not known in {self.dialect}; add dialect: draft2020-12", path=where)
            elif keyword in _UNTIL_2019 and is_2020:
                raise NotUnderstood(
                    f"{keyword} is not known in {self.dialect}; write prefixItems and items", path=where
                )

    def _types(self, part: Mapping[str, Any], path: JsonPath) -> list[str]:
        given = part.get("type", [])
        types = [given] if isinstance(given, str) else list(given)
        if "nullable" not in part:
            return types
        nullable = part["nullable"]
        if not isinstance(nullable, bool) or not types or ("null" in types and not nullable):
            raise NotUnderstood("nullable needs true or false, and a type beside it", path=(*path, "nullable"))
        return [*types, "null"] if nullable and "null" not in types else types

    def _referred(self, reference: Any, path: JsonPath) -> tuple[Any, Compiled]:
        """What a local `$ref` names, and the same made ready."""
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise NotUnderstood("$ref must lead into the schema itself, as in #/definitions/name", path=path)
        try:
            there = steps(reference)
        except ValueError as error:
            raise NotUnderstood(f"$ref {error}", path=path) from None
        value: Any = self.document
        for each in there:
            step = step_into(value, each)
            value = None if step is None else value[step]
        if not isinstance(value, dict | bool):
            raise NotUnderstood(f"$ref leads nowhere: {reference}", path=path)
        return value, self.at(value, ("schema", *there))


def _nothing_fits(value: Any, path: JsonPath, composite: bool) -> tuple[list[Error], bool]:
    return [Error("false schema", path, None)], not composite
