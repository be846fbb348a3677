"""How bad a change is: as oasdiff says, unless it is listed why not."""

from outrider.gateway.diff.schema_rules import RAISED, SCHEMA_RULES
from tests.gateway.diff.written import HERE

OASDIFF = dict(reversed(line.split()) for line in (HERE / "oasdiff.txt").read_text().splitlines())
"""Its checks by their ids, each with its level, at commit 4553c69."""


def test_levels_of_schemas_are_those_of_oasdiff() -> None:
    """Only what is listed is told more severely, and nothing is told less severely."""
    levels = {rule: severity.name for rule, (severity, _) in SCHEMA_RULES.items() if rule in OASDIFF}
    other = {rule for rule, level in levels.items() if level != OASDIFF[rule]}
    assert len(levels) > 200
    assert other == {rule for rule in RAISED if rule in OASDIFF}
    assert all(SCHEMA_RULES[rule][0] < {"WARN": 1, "INFO": 2}[OASDIFF[rule]] for rule in other)
