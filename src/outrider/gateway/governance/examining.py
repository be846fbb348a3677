"""All checks of one product: is its document one at all, does it keep the rules, whom would it break; the verdict."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from outrider.gateway.diff import compare, new_major_version
from outrider.gateway.diff.rules import RULES
from outrider.gateway.documents import Source, refuse
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Finding
from outrider.gateway.governance.exemptions import STRUCTURE
from outrider.gateway.governance.governance import Governance
from outrider.gateway.governance.judging import Found, judge
from outrider.gateway.governance.report import Report
from outrider.gateway.lint.engine import Ruleset, lint, read_ruleset
from outrider.gateway.lint.structure import structure_findings

if TYPE_CHECKING:
    from outrider.gateway.reading import Declaration


def examine(
    read: "Declaration",
    governance: Governance,
    against: Source | None,
    today: date,
    *,
    called: str = "",
    ruleset: Ruleset | None = None,
) -> Report:
    """The report on a product as it was read. against: the document that callers know by now; None: they know none;
    called: what to call that, such as `release 7`. ruleset: governance's, if it was read before.

    Raises `Refused`: the checks themselves can't be made, and nobody knows what they would find.
    """
    ruleset = ruleset or read_rules(governance)
    findings, ran = findings_of(read.source, ruleset)
    is_sound = all(finding.rule != STRUCTURE for finding in findings)
    changes = compare(against, read.source, today=today, notice_days=governance.notice) if against and is_sound else ()
    info = read.source.data.get("info")
    found = Found(
        version=str(info.get("version", "")) if isinstance(info, dict) else "",
        ruleset=ruleset.name,
        ruleset_sha256=ruleset.digest,
        ran=ran,
        findings=findings,
        changes=changes,
        against=called if against else "",
        new_major=bool(against and is_sound and new_major_version(against, read.source)),
    )
    return judge(read.product, read.declared, governance, found, today)


def findings_of(source: Source, ruleset: Ruleset) -> tuple[list[Finding], dict[str, int]]:
    """What is wrong with a document, and the rules that looked at it, each with the number of places that it saw."""
    structure = structure_findings(source)
    try:
        linted = lint(source, ruleset)
    except Refused:
        if not structure:
            raise
        return structure, {STRUCTURE: 1}  # what is no sound document may well be too much for a rule
    return [*structure, *linted.findings], {STRUCTURE: 1, **linted.ran}


def read_rules(governance: Governance) -> Ruleset:
    """The rules for products' documents. Refused: they can't be read, or governance.yaml names rules that are none."""
    ruleset = _read(governance.ruleset("openapi"))
    known = {*names(ruleset), *RULES, STRUCTURE}
    unknown = [name for name in governance.never_waived if name not in known]
    if unknown and governance.source:
        known |= names(_read(governance.ruleset("asyncapi")))
        places = {name: ("never_waived", index) for index, name in enumerate(governance.never_waived)}
        refuse([governance.source.fault(places[name], _NO_RULE) for name in unknown if name not in known])
    return ruleset


def names(ruleset: Ruleset) -> set[str]:
    """What findings by its rules are told by."""
    return {rule.name for rule in ruleset.rules}


_NO_RULE = "is no rule of these rulesets and no id of a breaking change; write it as findings tell it"


def _read(ruleset: str | Path) -> Ruleset:
    return read_ruleset(ruleset) if isinstance(ruleset, Path) else _shipped(ruleset)


@cache
def _shipped(name: str) -> Ruleset:
    return read_ruleset(name)
