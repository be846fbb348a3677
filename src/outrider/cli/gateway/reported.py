"""A release's report, as people read it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from outrider.cli.shown import print_json, short_time, show_facts, show_table, styled
from outrider.common.words import counted

if TYPE_CHECKING:
    from outrider.gateway.findings import Found
    from outrider.gateway.governance.report import Report
    from outrider.gateway.product import Exemption
    from outrider.gateway.store import ProductState

_DIGITS = 12
"""So much of a digest is shown; --json has all of it."""


def show_report(kept: "ProductState", number: int, as_json: bool) -> None:
    """What the checks found of a release when it was published. Raises `Refused`: nobody knows."""
    from outrider.gateway.faults import Refused

    beside = kept.kept(number)
    if beside is None:
        raise Refused(f"{kept.name}: release {number} was made before reports were kept")
    report = beside.report
    if as_json:
        print_json(document(report))
        return
    typer.echo(styled(f"{report.product} {report.version} of {report.owner}: {report.outcome}", bold=True))
    show_facts(_facts(report))
    if rows := list(_rows(report)):
        typer.echo()
        show_table(("LEVEL", "RULE", "WHERE", "WHAT"), rows, none="")


def document(report: "Report") -> dict[str, Any]:
    """A report for programs, what was found as `lint` and `diff` write it."""
    import msgspec

    from outrider.gateway.findings_written import facts

    said: dict[str, Any] = msgspec.to_builtins(report)
    said["findings"] = list(map(facts, report.findings))
    said["changes"] = list(map(facts, report.changes))
    said["waived"] = [facts(one.finding, one.waiver) for one in report.waived]
    said["approved"] = [facts(one.change, one.approval) for one in report.approved]
    return said


def _facts(report: "Report") -> Iterator[tuple[str, str]]:
    by = report.by
    governed = f"{by.governance} ({by.governance_sha256[:_DIGITS]})" if by.governance else "no governance.yaml"
    major = ", a new major version" if report.new_major else ""
    yield "judged", short_time(report.at)
    yield "by", f"{governed}, {by.ruleset} ({by.ruleset_sha256[:_DIGITS]})"
    yield "rules", f"{len(report.ran)} looked at {counted(sum(report.ran.values()), 'place')}"
    yield "compared", f"with {report.against}{major}" if report.against else "with nothing"
    waived, approved = len(report.waived), len(report.approved)
    changes = counted(len(report.changes) + approved, "change")
    yield "found", f"{counted(len(report.findings) + waived, 'finding')}, {changes} that callers may notice"
    yield "let pass", f"{counted(waived, 'finding')}, {counted(approved, 'breaking change')}"


def _rows(report: "Report") -> Iterator[tuple[str, str, str, str]]:
    from outrider.gateway.findings import Change

    for one in report.found:
        yield _row(one, one.severity.word)
    for one, by in report.exempt:
        yield _row(one, "approved" if isinstance(one, Change) else "waived", _yes(by))


def _row(one: "Found", level: str, more: str = "") -> tuple[str, str, str, str]:
    return level, one.rule, str(one.place), one.sentence + more


def _yes(one: "Exemption") -> str:
    return f" ({one.approver} until {one.until}, for {one.owner}: {one.reason})"
