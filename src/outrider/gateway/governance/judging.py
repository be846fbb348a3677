"""The verdict on one product: what was found, less what lawful waivers and approvals let pass. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar

import msgspec

from outrider.gateway.documents import Source
from outrider.gateway.faults import Fault
from outrider.gateway.findings import Change, Finding, Severity
from outrider.gateway.governance.exemptions import Entry, entries, unlawful
from outrider.gateway.governance.governance import Governance
from outrider.gateway.governance.report import Approved, Report, Rulebook, Waived
from outrider.gateway.product import Approval, Exemption, Product, Waiver

E = TypeVar("E", bound=Exemption)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks found. ran: rules, and how many places each looked at. changes: as compared with `against`;
    new_major: they may break callers, for the version says so.
    """

    version: str = ""
    ruleset: str
    ruleset_sha256: str
    ran: Mapping[str, int]
    findings: Sequence[Finding]
    changes: Sequence[Change] = ()
    against: str = ""
    new_major: bool = False


def judge(product: Product, declared: Source, governance: Governance, found: Found, today: date) -> Report:
    """The report. declared: product.yaml.

    A waiver or an approval that does not count is a fault, also where it would let nothing pass: it was meant to.
    """
    faults, lawful = _sorted_out(product, declared, governance, today)
    waivers = [(finding, _of_finding(lawful, finding)) for finding in found.findings]
    approvals = [(change, _of_change(lawful, change, found)) for change in found.changes]
    used = [entry for _, entry in (*waivers, *approvals) if entry]
    report = Report(
        product=product.name,
        owner=product.owner,
        version=found.version,
        at=today.isoformat(),
        against=found.against,
        by=_rulebook(governance, found),
        ran=found.ran,
        findings=tuple(finding for finding, entry in waivers if not entry),
        waived=tuple(Waived(finding=one, waiver=_as(Waiver, entry)) for one, entry in waivers if entry),
        changes=tuple(change for change, entry in approvals if not entry),
        approved=tuple(Approved(change=one, approval=_as(Approval, entry)) for one, entry in approvals if entry),
        new_major=found.new_major,
        faults=tuple(faults),
        remarks=tuple(_idle(declared, entry) for entry in lawful if entry not in used),
        outcome="passed",
    )
    passed = not (report.errors or report.breaking or report.faults)
    return report if passed else msgspec.structs.replace(report, outcome="refused")


def _sorted_out(
    product: Product, declared: Source, governance: Governance, today: date
) -> tuple[list[Fault], list[Entry]]:
    """What is wrong with waivers and approvals, and those with which nothing is."""
    faults: list[Fault] = []
    lawful: list[Entry] = []
    for entry in entries(product):
        wrong = unlawful(product, declared, governance, entry, today)
        faults += wrong
        lawful += [] if wrong else [entry]
    return faults, lawful


def _of_finding(lawful: Sequence[Entry], finding: Finding) -> Entry | None:
    """The waiver that lets it pass."""
    mine = (entry for entry in lawful if isinstance(entry.exemption, Waiver))
    return next((entry for entry in mine if entry.covers(finding.rule, finding.place)), None)


def _of_change(lawful: Sequence[Entry], change: Change, found: Found) -> Entry | None:
    """The approval that lets it pass, if it breaks anybody."""
    if found.new_major or change.severity is not Severity.ERROR:
        return None
    mine = (entry for entry in lawful if isinstance(entry.exemption, Approval))
    places = (change.new, change.old)
    return next((one for one in mine if any(one.covers(change.rule, place) for place in places)), None)


def _idle(declared: Source, entry: Entry) -> Fault:
    """Said of what lets nothing pass, by which nobody is hurt but its readers."""
    return declared.fault(entry.path, f"lets nothing pass: no {entry.exemption.rule} is found there; remove it")


def _rulebook(governance: Governance, found: Found) -> Rulebook:
    return Rulebook(
        governance=governance.file,
        governance_sha256=governance.sha256,
        ruleset=found.ruleset,
        ruleset_sha256=found.ruleset_sha256,
    )


def _as(kind: type[E], entry: Entry) -> E:
    assert isinstance(entry.exemption, kind)
    return entry.exemption
