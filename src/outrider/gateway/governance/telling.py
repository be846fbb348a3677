"""A report in words: why a product is refused, where each thing is, what to write instead, and who may let it pass."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from outrider.common.versions import major_and_minor
from outrider.common.words import counted, printable_lines
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Finding, Found
from outrider.gateway.governance.exemptions import STRUCTURE
from outrider.gateway.governance.governance import GOVERNANCE, Approver, Governance
from outrider.gateway.governance.report import Report

TOLD = 50
"""So many of a kind are told one by one."""
_USUAL = 30
"""Days for which an exemption is suggested."""
_REASON = '"why it can\'t be mended now"'
"""As a shell reads it; an exemption's reason must not be shorter than product.json allows."""
_GONE = "the line is that of what was before"


def refusal(report: Report, governance: Governance, folder: str) -> Refused:
    """Why a product may not go live. folder: the product's, as the person named it."""
    return Refused(*lines(report, governance, folder))


def lines(report: Report, governance: Governance, folder: str) -> Iterator[str]:
    """What keeps a product from going live, the head line first."""
    return map(printable_lines, _lines(report, governance, folder))


def _lines(report: Report, governance: Governance, folder: str) -> Iterator[str]:
    parts = {
        ("broken rule", ""): [_told(one, governance) for one in report.errors],
        ("breaking change", ""): [_told(one, governance) for one in report.breaking],
        ("exemption that does not count", "exemptions that do not count"): [str(one) for one in report.faults],
    }
    what = ", ".join(counted(len(texts), *nouns) for nouns, texts in parts.items() if texts)
    compared = f" compared with {report.against}" if report.breaking else ""
    yield f"{report.product} may not go live: {what}{compared}"
    for texts in parts.values():
        yield from texts[:TOLD]
        if len(texts) > TOLD:
            yield f"... and {len(texts) - TOLD} more"
    yield from _ways(report, governance, folder)


def _told(one: Found, governance: Governance) -> str:
    """Where, which rule and what; below it what to do, and the place as an exemption names it."""
    more = (one.mend or one.why) if isinstance(one, Finding) else _GONE * (one.new is None)
    never = "nobody is exempt" if one.rule in (*governance.never_waived, STRUCTURE) else ""
    below = "; ".join(part.rstrip(".") for part in (more, never) if part)
    texts = (f"{one.place}: {one.rule}: {one.sentence}", below, f"at {one.place.pointer}")
    return "\n    ".join(filter(None, texts))


def _ways(report: Report, governance: Governance, folder: str) -> Iterator[str]:
    """How it can be published all the same."""
    never = (*governance.never_waived, STRUCTURE)
    waivable = [one for one in report.errors if one.rule not in never]
    approvable = [one for one in report.breaking if one.rule not in never]
    if report.breaking:
        such = such_as(report.version)
        yield f"Breaking changes go live with a new major version in info.version{such}; it is {report.version} here."
    if not (waivable or approvable):
        return
    if governance.source is None:
        yield f"Nobody may let it pass: there is no {GOVERNANCE} beside the products that says who may."
    elif not governance.approvers:
        yield f"Nobody may let it pass: {governance.file} names no approvers."
    else:
        names = [one.name for one in governance.approvers]
        yield f"For a time, it passes with a yes of {' or '.join(names)} in product.yaml, which this writes:"
        by = next((one for one in governance.approvers if one.name != report.owner), governance.approvers[0])
        until = until_when(governance, date.fromisoformat(report.at[:10]))
        firsts: list[Found] = [*waivable[:1], *approvable[:1]]
        for first in firsts:
            yield f"    {command(folder, first, by, until)}"


def command(folder: str, found: Found, by: Approver, until: str) -> str:
    """What an approver types into a shell to let this pass."""
    words: Sequence[str] = ("outrider", "gateway", "approve", folder, found.rule, found.place.pointer, "--as", by.name)
    return f"{shlex.join(words)} --until {until} --reason {_REASON}{' --key FILE' if by.key else ''}"


def until_when(governance: Governance, today: date) -> str:
    """The last day that is suggested: not later than anybody may say."""
    return (today + timedelta(days=min(_USUAL, governance.longest_waiver))).isoformat()


def such_as(version: str) -> str:
    """The next version that says that callers must change, `, such as 2.0.0`: below 1.0.0 a minor one. Empty after
    what is no such version.
    """
    if not (found := major_and_minor(version)):
        return ""
    major, minor = found
    return f", such as {major + 1}.0.0" if major else f", such as 0.{minor + 1}.0"
