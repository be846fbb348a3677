"""A rule as a ruleset writes it, and as it stands after all that a ruleset extends. Values only."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.findings import Severity
from outrider.gateway.lint.fields import Field
from outrider.gateway.lint.globs import Glob

OFF = None
"""The severity of a rule whose findings are not told."""


class Then(msgspec.Struct, frozen=True):
    """What is asked of a match. function: its name. options: as the ruleset has them, for reference pages."""

    field: Field
    function: str
    options: Any
    check: Callable[[Any, Any], Iterable[Any]]


class Target(msgspec.Struct, frozen=True):
    """What an alias stands for in documents of some formats; formats None: in all."""

    formats: frozenset[str] | None
    given: tuple[str, ...]


Aliases: TypeAlias = Mapping[str, tuple[Target, ...]]
"""By name; the last target that fits a document counts."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """description: why. message: a template, see messages.py. mend: what to write instead (`x-mend`). url: to read on.
    given, aliases: the path expressions, and the aliases that they may name. formats: of the documents that it is
    for; None: of all. resolved: it sees references written out. extra: `x-...` and `tags`, for reference pages.
    pointers: other severities for places, each with the files that it is for.
    """

    name: str
    description: str | None = None
    message: str | None = None
    severity: Severity | None = Severity.WARN
    mend: str = ""
    url: str | None = None
    given: tuple[str, ...]
    aliases: Aliases
    then: tuple[Then, ...]
    formats: frozenset[str] | None = None
    resolved: bool = True
    recommended: bool = True
    enabled: bool = True
    extra: Mapping[str, Any] = {}
    pointers: tuple["Pointed", ...] = ()

    @property
    def active(self) -> bool:
        """Can it find anything, in a document that it is for?"""
        return bool(self.pointers) or (self.enabled and self.severity is not OFF)

    def severity_at(self, path: JsonPath) -> Severity | None:
        """Of a finding there: the nearest override counts; of two at the same place, the later."""
        severity, length = self.severity, 0
        steps = tuple(map(str, path))
        for each in self.pointers:
            if len(each.path) >= length and steps[: len(each.path)] == each.path:
                severity, length = each.severity, len(each.path)
        return severity


class Pointed(msgspec.Struct, frozen=True):
    """Another severity for what lies at or below a place. path: numbers in lists as text."""

    path: tuple[str, ...]
    severity: Severity | None


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One ruleset as its file says it; what it does not name is None. rules: by name, what it says of each. extends:
    each with how its rules are enabled (`recommended`, `all`, `off`), or None: as that ruleset itself says.
    """

    rules: Mapping[str, "Says"] | None = None
    extends: tuple[tuple["Definition", str | None], ...] | None = None
    aliases: Aliases | None = None
    formats: frozenset[str] | None = None
    url: str | None = None
    overrides: tuple["Override", ...] = ()


class Written(msgspec.Struct, frozen=True):
    """A rule that is written out. fields: of `Rule`, those that it names."""

    fields: Mapping[str, Any]


Says: TypeAlias = Written | bool | Severity | None
"""What a ruleset says of a rule: all of it, that it is on or off, how severe it is, or `off` (None)."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """What is other for some files: a definition; or only severities of rules, at some places of those files."""

    files: tuple[Glob, ...] = ()
    definition: Definition | None = None
    pointed: tuple[tuple[Glob, tuple[str, ...]], ...] = ()
    severities: Mapping[str, Severity | None] = {}
