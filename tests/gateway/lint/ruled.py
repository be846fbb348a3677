"""Rulesets and documents in a line, for tests of the rule engine."""

from pathlib import Path
from typing import Any

import msgspec

from outrider.gateway.documents import parse
from outrider.gateway.findings import Finding
from outrider.gateway.lint.engine import Linted, lint
from outrider.gateway.lint.ruleset import Ruleset, read_ruleset

MISSING = {"field": "x", "function": "truthy"}
"""A `then` that always finds something."""


def ruleset(folder: Path, data: Any, **files: Any) -> Ruleset:
    """A ruleset in a file, and others beside it: `base={...}` is ./base.yaml."""
    for name, content in files.items():
        (folder / f"{name}.yaml").write_bytes(msgspec.json.encode(content))
    (folder / "ruleset.yaml").write_bytes(msgspec.json.encode(data))
    return read_ruleset(folder / "ruleset.yaml")


def linted(folder: Path, rules: Any, document: Any = None, **files: Any) -> Linted:
    """What becomes of a document, openapi.yaml in the same folder. rules: a ruleset, or only its rules."""
    whole = rules if {"rules", "extends"} & set(rules) else {"rules": rules}
    data = {"openapi": "3.1.0", "info": {"title": "A"}, "paths": {}, **(document or {})}
    data = {key: value for key, value in data.items() if value is not None}
    source = parse(msgspec.json.encode(data), str(folder / "openapi.yaml"))
    return lint(source, ruleset(folder, whole, **files))


def short(findings: tuple[Finding, ...]) -> list[str]:
    """Each as `RULE #/PLACE`."""
    return [f"{each.rule} {each.place.pointer}" for each in findings]
