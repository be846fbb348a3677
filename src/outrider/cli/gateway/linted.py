"""What lint found, for people: by document, then by rule; why a rule is, and how to mend it, once at the end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from outrider.cli.shown import LEVEL_COLOUR, columns, complain, show
from outrider.common.words import counted, printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from outrider.gateway.faults import Fault
    from outrider.gateway.findings import Finding, Found
    from outrider.gateway.governance.report import Exempt


class Lint(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a document. path: the file or its product's folder. ran: rules, and how many places each looked
    at. findings: what nobody let pass. faults, remarks: of waivers that do not count, and that let nothing pass.
    """

    path: Path
    ran: Mapping[str, int]
    findings: "tuple[Finding, ...]"
    exempt: "tuple[Exempt, ...]" = ()
    faults: "tuple[Fault, ...]" = ()
    remarks: "tuple[Fault, ...]" = ()


def show_lints(lints: Sequence[Lint], refused: "Sequence[Fault | str]") -> None:
    """What was found of each document, for which the check could not be made and why, and a line that counts."""
    parts = [part for lint in lints for part in _document(lint)]
    rules = {finding.rule: finding for lint in lints for finding in _by_rule(lint.findings)}
    if parts:
        show(*parts)
    if refused:
        complain(*map(str, refused))
    if lints:
        show(*([""] if refused else []), *_rules(rules.values()), _summary(lints, bool(refused)))


def _document(lint: Lint) -> "Iterator[RenderableType]":
    """What was found in one; nothing where nothing was."""
    from rich.text import Text

    if not (lint.findings or lint.exempt or lint.faults or lint.remarks):
        return
    yield Text.assemble((printable(str(lint.path)), "bold"), ("  " + _counted([lint]), "dim"))
    for rule, found in groupby(_by_rule(lint.findings), key=lambda finding: finding.rule):
        yield from _of_rule(rule, list(found))
    if lint.exempt:
        yield Text.assemble("  ", ("waived", "green"))
        yield _table(
            (one, f"{one.rule}: {one.sentence}", f"by {by.approver} until {by.until}: {by.reason}")
            for one, by in lint.exempt
        )
    for colour, faults in (("red", lint.faults), ("yellow", lint.remarks)):
        yield from (Text.assemble("  ", (str(fault), colour)) for fault in faults)
    yield ""


def _of_rule(rule: str, found: "Sequence[Finding]") -> "Iterator[RenderableType]":
    from rich.text import Text

    level = found[0].severity.word
    yield Text.assemble("  ", (f"{level:<5}", LEVEL_COLOUR[level]), "  ", (rule, "bold"))
    yield _table((finding, finding.message) for finding in found)


def _table(rows: "Iterable[tuple[Found, str] | tuple[Found, str, str]]") -> "RenderableType":
    """Where and what; below that in grey, what else is to be said."""
    from rich.padding import Padding
    from rich.text import Text

    table = columns("", "")
    table.show_header = False
    table.columns[0].no_wrap = True
    for found, what, *more in rows:
        where = Text(str(found.place))
        where.stylize("dim", end=len(found.place.file) + 1)
        table.add_row(where, Text.assemble(what, *(("\n" + each, "dim") for each in more)))
    return Padding(table, (0, 0, 0, 4))


def _rules(findings: "Iterable[Finding]") -> "Iterator[RenderableType]":
    """Each rule that was broken: why it is there, and what to write."""
    from rich.padding import Padding
    from rich.text import Text

    table = columns("", "")
    table.show_header = False
    table.columns[0].no_wrap = True
    for finding in findings:
        told = [(finding.why, ""), (finding.mend and f"Mend: {finding.mend}", ""), (finding.url, "dim")]
        lines = Text("\n").join(Text(said, style) for said, style in told if said)
        if lines:
            table.add_row(Text(finding.rule, "bold"), lines)
    if table.row_count:
        yield Text("What these rules are for", "bold")
        yield Padding(table, (0, 0, 0, 2))
        yield ""


def _by_rule(findings: "Iterable[Finding]") -> "list[Finding]":
    """The worst first, then as the document has them; those of one rule together."""
    findings = list(findings)
    first = {one.rule: index for index, one in reversed(list(enumerate(findings)))}
    return sorted(findings, key=lambda one: (one.severity, first[one.rule]))


def _summary(lints: Sequence[Lint], lacking: bool) -> "RenderableType":
    from rich.text import Text

    rules = {rule for lint in lints for rule in lint.ran}
    places = sum(sum(lint.ran.values()) for lint in lints)
    looked = f"{counted(len(rules), 'rule')} looked at {counted(places, 'place')} of {counted(len(lints), 'document')}."
    worst = min((one.severity for lint in lints for one in lint.findings), default=None)
    colour = "red" if lacking else "green" if worst is None else LEVEL_COLOUR[worst.word]
    rest = " Some could not be checked." if lacking else ""
    return Text.assemble((_counted(lints).capitalize(), f"bold {colour}"), f"; {looked}{rest}")


def _counted(lints: Sequence[Lint]) -> str:
    """`2 errors, 1 warning, 1 waived`."""
    from outrider.gateway.findings import tally

    said = tally(one for lint in lints for one in lint.findings)
    waived = sum(len(lint.exempt) for lint in lints)
    faults = sum(len(lint.faults) for lint in lints)
    said += [f"{waived:,} waived"] * bool(waived) + [f"{counted(faults, 'exemption')} not lawful"] * bool(faults)
    return ", ".join(said) or "nothing found"
