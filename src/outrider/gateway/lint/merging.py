"""What rules there are once a ruleset, all that it extends and what it overrides are put together. Pure.

In Spectral's order: what is extended comes first, a later one replaces the rules of an earlier one whole, then the
ruleset's own words change them one by one.
"""

from functools import reduce
from typing import Any

from msgspec.structs import replace

from outrider.gateway.findings import Severity
from outrider.gateway.lint.rule import Definition, Pointed, Rule, Says, Written


class NoSuchRule(LookupError):
    """A ruleset changes a rule that it does not have. name: which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def merged(definition: Definition, how: str | None = None) -> dict[str, Rule]:
    """The rules by name, those too that are off. how: as in `extends: [[file, how]]`. Raises `NoSuchRule`."""
    rules: dict[str, Rule] = {}
    for extended, its in definition.extends or ():
        for rule in merged(extended, its).values():
            rules[rule.name] = rule if how is None else replace(rule, enabled=_enabled(rule, how))
    for name, says in (definition.rules or {}).items():
        known = rules.get(name)
        rule = _changed(known, name, says, definition)
        if known is None or how is not None:
            rule = replace(rule, enabled=_enabled(rule, how or "recommended"))
        if known is None and rule.formats is None:
            rule = replace(rule, formats=definition.formats)
        if rule.url is None and definition.url is not None:
            rule = replace(rule, url=f"{definition.url}#{name}")
        rules[name] = rule
    return rules


def merged_for(definition: Definition, file: str) -> dict[str, Rule]:
    """The rules for one file, its overrides counted in. file: relative to the ruleset's folder. Raises `NoSuchRule`."""
    chosen = [
        each.definition
        for each in definition.overrides
        if each.definition is not None and any(glob.fullmatch(file) for glob in each.files)
    ]
    if chosen:
        definition = overridden(definition, reduce(_later, chosen))
    rules = merged(definition)
    for name, pointers in _pointers(definition, file).items():
        if name not in rules:
            raise NoSuchRule(name)
        rules[name] = replace(rules[name], pointers=pointers)
    return rules


def overridden(left: Definition, right: Definition) -> Definition:
    """A ruleset with the overrides for one file, as a ruleset that extends the one without."""
    both = _spread(left, right, rules=left.rules if right.rules is None else right.rules)
    if left.rules is None or right.rules is None:
        return both
    return replace(both, extends=(*(both.extends or ()), (left, None)))


def _enabled(rule: Rule, how: str) -> bool:
    return how == "all" or (how == "recommended" and rule.recommended)


def _changed(rule: Rule | None, name: str, says: Says, definition: Definition) -> Rule:
    if isinstance(says, Written):
        fields: dict[str, Any] = {**says.fields, "aliases": definition.aliases or {}}
        if rule is None:
            return Rule(name=name, **fields)
        return replace(rule, **{**fields, "extra": {**rule.extra, **fields["extra"]}, "enabled": True})
    if rule is None:
        raise NoSuchRule(name)
    if isinstance(says, bool):
        return replace(rule, enabled=says)
    return replace(rule, severity=says, enabled=says is not None)


def _later(left: Definition, right: Definition) -> Definition:
    """Two overrides of one file: the later one's words count."""
    return _spread(left, right, rules=_both(left.rules, right.rules))


def _spread(left: Definition, right: Definition, rules: Any) -> Definition:
    return replace(
        left,
        rules=rules,
        extends=left.extends if right.extends is None else right.extends,
        formats=left.formats if right.formats is None else right.formats,
        aliases=_both(left.aliases, right.aliases),
    )


def _both(left: Any, right: Any) -> Any:
    return {**left, **right} if left is not None and right is not None else left if right is None else right


def _pointers(definition: Definition, file: str) -> dict[str, tuple[Pointed, ...]]:
    """By rule. Told again for the same files and place, a severity replaces the one from before, where that stood."""
    found: dict[str, dict[str, dict[tuple[str, ...], Severity | None]]] = {}
    for override in definition.overrides:
        for glob, path in override.pointed:
            if glob.fullmatch(file):
                for name, severity in override.severities.items():
                    found.setdefault(name, {}).setdefault(glob.pattern, {})[path] = severity
    return {
        name: tuple(Pointed(path, severity) for places in by_glob.values() for path, severity in places.items())
        for name, by_glob in found.items()
    }
