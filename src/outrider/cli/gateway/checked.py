"""The checks of all products, for people: first each product that may not go live and why, last what it comes to.

The end is what a reviewer reads, in a terminal and on the summary page of a job alike.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from outrider.cli.shown import say, show_table, styled
from outrider.common.words import counted, some

if TYPE_CHECKING:
    from outrider.gateway.faults import Fault
    from outrider.gateway.governance.checking import Checked, Checks

HEADS = ("PRODUCT", "OWNER", "MAY GO LIVE", "ERRORS", "BREAKING", "WARNINGS", "LET PASS")
_COMMIT_SHOWN = 10


def show_checks(checks: "Checks") -> None:
    """All of it."""
    for line in _refusals(checks):
        say(line)
    show_table(HEADS, _rows(checks), none="")
    for line in notes(checks):
        say(line)
    say("", styled(verdict(checks), "green" if checks.passed else "red", bold=True))


def document(checks: "Checks") -> dict[str, Any]:
    """All of it, for programs."""
    from outrider.cli.gateway.reported import document as of_report
    from outrider.gateway.findings_written import exemption

    return {
        "passed": checks.passed,
        "against": checks.against,
        "governance_changed": checks.governance_changed,
        "products": [
            {
                "product": one.product,
                "owner": _owner(one),
                "passed": one.passed,
                "report": of_report(one.report) if one.report else None,
                "faults": list(map(str, one.faults)),
                "remarks": list(one.remarks),
                "new_exemptions": list(map(exemption, one.new_exemptions)),
            }
            for one in checks.products
        ],
        "gone": [{"product": one.product, "faults": list(map(str, one.faults))} for one in checks.gone],
        "between": list(checks.between),
    }


def faults(checks: "Checks") -> "Iterator[Fault | str]":
    """What is wrong apart from rules and changes."""
    for one in (*checks.products, *checks.gone):
        yield from one.faults
        yield from one.report.faults if one.report else ()
    yield from checks.between


def notes(checks: "Checks") -> Iterator[str]:
    """What whoever approves the change should know."""
    if checks.against_head:
        yield "Compared with the commit that is checked out: only what is not committed counts as a change."
    if checks.governance_changed:
        yield "governance.yaml, or a ruleset or key that it names, is changed here: the rules, or who may say yes."
    for one in checks.products:
        valid = [by for _, by in one.report.exempt] if one.report else []
        for each in (each for each in one.new_exemptions if each in valid):
            yield (
                f"{one.product} is to be let pass with {each.rule} until {each.until}: {each.approver} says yes "
                f"({each.reason})"
            )
        for remark in (*one.remarks, *(one.report.remarks if one.report else ())):
            yield f"{one.product}: {remark}"
    for one in checks.gone:
        if not one.faults:
            yield f"{one.product} is gone; its gateway ends with outrider gateway retire {one.product}."


def verdict(checks: "Checks") -> str:
    """What it comes to, in one sentence."""
    against = f"compared with {checks.against[:_COMMIT_SHOWN]}" if checks.against else "compared with nothing"
    failing = [one.product for one in checks.products if not one.passed]
    gone = [one.product for one in checks.gone if one.faults]
    number = counted(len(checks.products), "product")
    reasons = (
        f"{len(failing)} of {number} may not go live ({some(failing)})" if failing else "",
        f"{counted(len(gone), 'product')} would be gone without a word ({some(gone)})" if gone else "",
        counted(len(checks.between), "fault") + " between products" if checks.between else "",
    )
    return f"{'; '.join(filter(None, reasons)) or f'{number} may go live'}; {against}."


def markdown(checks: "Checks") -> str:
    """The summary page of a job."""
    mark = "✅" if checks.passed else "❌"
    table = [_cells(head.capitalize() for head in HEADS), _cells("---" for _ in HEADS)]
    table += [_cells(map(_plain, row)) for row in _rows(checks)]
    told = [f"- {_plain(str(line))}" for line in (*_reasons(checks), *faults(checks), *notes(checks))]
    return "\n".join((f"### {mark} {_plain(verdict(checks))}", "", *table, "", *told, "", ""))


def _reasons(checks: "Checks") -> Iterator[str]:
    """What keeps products from going live, by rules and callers."""
    for report in (one.report for one in checks.products if one.report):
        yield from (f"{each.place}: {each.rule}: {each.sentence}" for each in report.errors)
        yield from (f"{each.place}: {each.rule}: {each.sentence}" for each in report.breaking)


def _refusals(checks: "Checks") -> Iterator[str]:
    from outrider.gateway.governance.telling import lines

    for one in (*checks.products, *checks.gone):
        if one.passed or not (one.report or one.faults):
            continue
        if one.report and one.report.outcome == "refused":
            head, *rest = lines(one.report, one.governance, one.folder)
            yield from (styled(head, "red", bold=True), *rest)
        elif one.faults:
            yield styled(f"{one.product} may not go live", "red", bold=True)
        yield from map(str, one.faults)
        yield ""
    yield from (styled(line, "red") for line in checks.between)


def _rows(checks: "Checks") -> Iterator[Sequence[str]]:
    """Those first that may not go live."""
    return map(_row, sorted(checks.products, key=lambda one: one.passed))


def _row(one: "Checked") -> Sequence[str]:
    report = one.report
    may = "yes" if one.passed else "no"
    if report is None:
        return one.product, _owner(one), may, _number(len(one.faults)), "?", "?", "?"
    errors = len(report.errors) + len(report.faults) + len(one.faults)
    breaks = [change for change in report.changes if change.severity.word == "error"]
    breaking = f"{len(breaks)}, new major" if breaks and report.new_major else _number(len(breaks))
    exempt, warnings = _number(len(report.exempt)), _number(len(report.warnings))
    return one.product, _owner(one), may, _number(errors), breaking, warnings, exempt


def _owner(one: "Checked") -> str:
    return one.declared.owner if one.declared else ""


def _number(count: int) -> str:
    return str(count or "-")


def _cells(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"


def _plain(text: str) -> str:
    """As Markdown that says just this: what comes from files is no markup."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]<>#|!" else one for one in text.replace("\n", " "))
