"""A report in words: why a product is refused, where each thing is, what to write instead, and who may let it pass."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from outrider.common.words import counted, printable_lines
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Finding, Found
from outrider.gateway.governance.exemptions import STRUCTURE
from outrider.gateway.governance.governance import GOVERNANCE, Governance
from outrider.gateway.governance.report import Report

TOLD = 50
"""So many of a kind are told one by one."""
_USUAL = 30
"""Days for which an exemption is suggested."""
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
        yield f"Breaking changes go live with a new major version in info.version, which is {report.version} here."
    if not (waivable or approvable):
        return
    if governance.source is None:
        yield f"Nobody may let it pass: there is no {GOVERNANCE} beside the products that says who may."
    elif not governance.approvers:
        yield f"Nobody may let it pass: {governance.file} names no approvers."
    else:
        names = [one.name for one in governance.approvers]
        yield f"For a time, it passes with a yes of {' or '.join(names)} in product.yaml, which this writes:"
        yield _command(folder, (waivable or approvable)[0], names[0], _until(report, governance))


def _command(folder: str, first: Found, name: str, until: date) -> str:
    words: Sequence[str] = ("outrider", "gateway", "approve", folder, first.rule, first.place.pointer, "--as", name)
    return f"    {shlex.join(words)} --until {until} --reason TEXT"


def _until(report: Report, governance: Governance) -> date:
    return date.fromisoformat(report.at[:10]) + timedelta(days=min(_USUAL, governance.longest_waiver))
