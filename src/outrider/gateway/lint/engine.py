"""Lint: which rules of a ruleset a document breaks, with Spectral's semantics, and never less than it.

What cannot be decided is refused and never passed over: a version that is not known, a reference that leads nowhere, a
rule that fails on this document, a ruleset none of whose rules is for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.documents import Source, refuse
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.findings import Finding, Place
from outrider.gateway.lint.aliases import expanded
from outrider.gateway.lint.functions import Target
from outrider.gateway.lint.messages import message
from outrider.gateway.lint.not_understood import Failed, NotUnderstood
from outrider.gateway.lint.resolved import Resolved, resolve
from outrider.gateway.lint.rule import Rule
from outrider.gateway.lint.ruleset import Ruleset, read_ruleset
from outrider.gateway.lint.selectors import Match, Selector, compile_selector, matches_of
from outrider.gateway.lint.specifications import Specification, specification

__all__ = ["Linted", "Ruleset", "lint", "read_ruleset"]


_CONTAINERS = frozenset([dict, list])
_SMALL = 4
"""So many members at most; schemas such as `{type: string, maxLength: 100}` stand in every document by the hundred."""


class Linted(msgspec.Struct, frozen=True):
    """findings: in the order of the document. ran: each rule that ran, and how many places it looked at."""

    findings: tuple[Finding, ...]
    ran: Mapping[str, int]


def lint(source: Source, ruleset: Ruleset) -> Linted:
    """Raises `Refused`, with everything that keeps it from being decided."""
    what = specification(source)
    rules = _rules(source, ruleset, what)
    document = resolve(source)
    running = _Running(source, document)
    for resolved in (True, False):
        running.run([(rule, given) for rule, given in rules if rule.resolved is resolved], resolved=resolved)
    refuse(running.faults)
    findings = sorted(running.findings.values(), key=_order)
    return Linted(tuple(findings), running.ran)


def _rules(source: Source, ruleset: Ruleset, what: Specification) -> list[tuple[Rule, list[Selector]]]:
    """The rules for this document, each with where it looks. Refused where there are none."""
    if ruleset.formats and not ruleset.formats & what.formats:
        message = f"no format that {ruleset.name} names fits {what.name}; it has rules for {_listed(ruleset.formats)}"
        raise Refused(source.fault((), message))
    active = [
        rule
        for rule in ruleset.rules_for(source.file)
        if rule.active and (rule.formats is None or rule.formats & what.formats)
    ]
    if not active:
        raise Refused(source.fault((), f"no rule of {ruleset.name} is on for {what.name}; choose another ruleset"))
    found, faults = [], []
    for rule in active:
        try:
            found.append((rule, _selectors(rule, what)))
        except NotUnderstood as error:
            faults.append(source.fault((), f"{ruleset.name}: the rule {rule.name}: {error.message}"))
    refuse(faults)
    return found


def _selectors(rule: Rule, what: Specification) -> list[Selector]:
    """Where the rule looks. Raises `NotUnderstood`; what overrides put together was not seen before."""
    expressions = [each for given in rule.given for each in expanded(given, rule.aliases, what.formats)]
    if not expressions:
        message = f"names only aliases that have no target for {what.name}; add one, or say the rule's formats"
        raise NotUnderstood(message)
    return [compile_selector(each) for each in expressions]


class _Undecided(Exception):
    """A rule failed. path: where it was looking."""

    def __init__(self, message: str, path: JsonPath) -> None:
        super().__init__(message)
        self.path = path


class _Running:
    """The rules at work on one document. Findings are kept once each, as Spectral tells them."""

    def __init__(self, source: Source, document: Resolved) -> None:
        self.findings: dict[tuple[str, JsonPath, str], Finding] = {}
        self.ran: dict[str, int] = {}
        self.faults: list[Fault | str] = []
        self._source = source
        self._document = document

    def run(self, rules: Sequence[tuple[Rule, list[Selector]]], *, resolved: bool) -> None:
        """All rules that see the document in the same way."""
        selectors = list(dict.fromkeys(each for _, given in rules for each in given))
        found = dict(zip(selectors, self._matches(selectors, resolved=resolved), strict=True))
        for rule, given in rules:
            matches = [match for each in given for match in found[each]]
            self.ran[rule.name] = len(matches)
            self._run(rule, matches)

    def _matches(self, selectors: Sequence[Selector], *, resolved: bool) -> Iterable[Sequence[Match]]:
        try:
            if resolved:
                return matches_of(selectors, self._document.data, self._document.shared)
            return matches_of(selectors, self._document.written)
        except Exception as error:
            raise Refused(self._source.fault((), f"cannot be looked through: {_told(error)}")) from error

    def _run(self, rule: Rule, matches: Iterable[Match]) -> None:
        """One rule; its first failure ends it, and is a fault with its place."""
        clean: set[Any] = (
            set()
        )  # what was found right once is right everywhere, and documents are full of what is alike
        try:
            for match in matches:
                alike = _alike(match.value)
                if alike not in clean and not self._ask(rule, match):
                    clean.add(alike)
        except _Undecided as error:
            place = self._document.place(error.path, resolved=rule.resolved)
            message = f"the rule {rule.name} cannot be decided here: {error}"
            self.faults.append(self._source.fault(place.path, message))

    def _ask(self, rule: Rule, match: Match) -> bool:
        """Was anything found? Raises `_Undecided`."""
        path, found = match.path, False
        try:
            for then in rule.then:
                for field, value in then.field(match.value):
                    path = (*match.path, *field)
                    for result in then.check(value, Target(path=path, document=self._document.written)):
                        found = True
                        self._add(rule, result.message, path if result.path is None else result.path)
        except Exception as error:
            raise _Undecided(_told(error), path) from error
        return found

    def _add(self, rule: Rule, error: str, path: JsonPath) -> None:
        placed = self._document.place(path, resolved=rule.resolved)
        severity = rule.severity_at(placed.path)
        if severity is None:
            return
        text = message(rule.message, rule.description, error, placed, self._document.written)
        position = self._source.document.position(placed.path)
        self.findings.setdefault(
            (rule.name, placed.path, text),
            Finding(
                rule=rule.name,
                severity=severity,
                message=text,
                place=Place(self._source.file, position, placed.path),
                why=rule.description or "",
                mend=rule.mend,
                url=rule.url or "",
            ),
        )


def _alike(value: Any) -> Any:
    """The same for values that no function tells apart: small ones by what they hold, others by which they are."""
    if value.__class__ is dict and len(value) <= _SMALL:
        held = tuple((name, member.__class__, member) for name, member in value.items())
        if all(kind not in _CONTAINERS for _, kind, _ in held):
            return held
    return id(value) if value.__class__ in _CONTAINERS else (value.__class__, value)


def _told(error: Exception) -> str:
    return error.message if isinstance(error, Failed) else f"{type(error).__name__}: {error}"


def _listed(formats: Iterable[str]) -> str:
    return ", ".join(sorted(formats))


def _order(finding: Finding) -> tuple[Any, ...]:
    place = finding.place
    return place.position.line, place.position.column, finding.rule, tuple(map(str, place.path)), finding.message
