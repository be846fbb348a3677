"""The report: everything that the checks found of one product, and what became of it. A release keeps its own."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from outrider.common.words import keep_printable
from outrider.gateway.faults import Fault
from outrider.gateway.findings import Change, Finding, Found, Severity
from outrider.gateway.product import Approval, Exemption, Waiver

Exempt: TypeAlias = tuple[Found, Exemption]
"""What was found and is let pass, and the waiver or approval that does."""


class Rulebook(msgspec.Struct, frozen=True, kw_only=True):
    """By what was judged. governance: the file, empty where there is none, and its sha256. ruleset: its name, or its
    file, and the sha256 of all that it was read from.
    """

    governance: str = ""
    governance_sha256: str = ""
    ruleset: str
    ruleset_sha256: str


class Waived(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that is let pass."""

    finding: Finding
    waiver: Waiver


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A breaking change that is let pass."""

    change: Change
    approval: Approval


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One product, judged.

    version: its document's info.version. at: when, RFC 3339. against: with what the document was compared, such as
    `release 7`; empty: with nothing. ran: rules, and how many places of the document each looked at. findings,
    changes: what nobody let pass; of changes also those that break nobody. new_major: the changes may break callers,
    for the version says so. faults: waivers and approvals that do not count, and why. remarks: what should be tidied.
    """

    product: str
    owner: str
    version: str
    at: str
    against: str = ""
    by: Rulebook
    ran: Mapping[str, int]
    findings: tuple[Finding, ...] = ()
    waived: tuple[Waived, ...] = ()
    changes: tuple[Change, ...] = ()
    approved: tuple[Approved, ...] = ()
    new_major: bool = False
    faults: tuple[Fault, ...] = ()
    remarks: tuple[Fault, ...] = ()
    outcome: Literal["passed", "refused"]

    def __post_init__(self) -> None:
        keep_printable(self, "owner", "version", "against")

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the product from being published."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that keep the product from being published."""
        return () if self.new_major else tuple(c for c in self.changes if c.severity is Severity.ERROR)

    @property
    def found(self) -> tuple[Found, ...]:
        """All that nobody let pass."""
        return (*self.findings, *self.changes)

    @property
    def warnings(self) -> tuple[Found, ...]:
        """What should be better, and keeps nothing from being published."""
        return tuple(one for one in self.found if one.severity is Severity.WARN)

    @property
    def exempt(self) -> tuple[Exempt, ...]:
        """All that was let pass."""
        waived = ((each.finding, each.waiver) for each in self.waived)
        return (*waived, *((each.change, each.approval) for each in self.approved))
