"""`outrider gateway diff`: what changed between two documents and breaks callers, or may."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.asking import Exit
from outrider.cli.gateway.asking import FailOn, Form, Format, Level, print_found, refusals
from outrider.cli.shown import LEVEL_COLOUR, say, styled
from outrider.common.words import printable

if TYPE_CHECKING:
    from outrider.gateway.documents import Source
    from outrider.gateway.findings import Change

Old = Annotated[Path, typer.Argument(metavar="OLD", help="An OpenAPI document, or a product's folder.")]
New = Annotated[Path, typer.Argument(metavar="NEW", help="The one that is to take its place.")]


def diff(
    old: Old,
    new: New,
    form: Format = Form.TEXT,
    fail_on: FailOn = Level.ERROR,
    notice: Annotated[
        int | None,
        typer.Option(
            "--notice",
            min=0,
            metavar="DAYS",
            help="How long before its end a deprecation is announced; else what governance.yaml says, or 0.",
        ),
    ] = None,
) -> None:
    """Compare two OpenAPI documents as their callers see them; tell what breaks them, or may, with both places.

    The ids and levels are oasdiff's. Exit code 1 if anything breaks and info.version has no new major version.
    """
    from outrider.gateway.diff import compare, new_major_version
    from outrider.gateway.findings import Severity

    with refusals(form, as_found=True):
        was, now = _sound(old), _sound(new)
        days = _notice(new) if notice is None else notice
        changes = compare(was, now, today=datetime.now(UTC).date(), notice_days=days)
        is_new_major = new_major_version(was, now)
        breaks = any(change.severity <= Severity[fail_on.upper()] for change in changes)
        if form is Form.TEXT:
            typer.echo("\n".join(_lines(changes)), nl=bool(changes))
            say(*map(printable, _summary(changes, is_new_major, was, new)))
        else:
            print_found(form, _lowered(changes) if is_new_major and form is Form.GITHUB else changes)
        if breaks and not is_new_major:
            raise typer.Exit(Exit.NO)


def _sound(path: Path) -> "Source":
    """The document of a file or of a product. Refused: it is none, and nothing could be said of it."""
    from outrider.gateway.documents import content
    from outrider.gateway.faults import Refused
    from outrider.gateway.lint.structure import structure_findings
    from outrider.gateway.openapi import SIZE_LIMIT, read_document
    from outrider.gateway.reading import read_source

    source = read_source(path) if path.is_dir() else read_document(content(path, SIZE_LIMIT), str(path))
    if found := structure_findings(source):
        raise Refused(*(source.fault(finding.place.path, finding.message) for finding in found))
    return source


def _notice(new: Path) -> int:
    from outrider.gateway.reading import governance_of

    return governance_of(new).notice if new.is_dir() else 0


def _lines(changes: "Sequence[Change]") -> Iterator[str]:
    """By operation, in the order of the document; of each the worst first."""
    first = {operation: index for index, operation in reversed(list(enumerate(each.operation for each in changes)))}
    in_order = sorted(changes, key=lambda change: (first[change.operation], change.severity))
    for operation, found in groupby(in_order, key=lambda change: change.operation):
        yield styled(operation or "The document", bold=True)
        for change in found:
            level = change.severity.word
            yield f"  {styled(f'{level:5}', LEVEL_COLOUR[level])}  {change.rule}: {change.message}"
            for word, place in (("old", change.old), ("new", change.new)):
                if place:
                    yield f"    {word}  {place}  {place.pointer}"


def _lowered(changes: "Sequence[Change]") -> "Sequence[Change]":
    """What breaks callers who were told so is no error of a workflow."""
    from msgspec.structs import replace

    from outrider.gateway.findings import Severity

    return [replace(change, severity=max(change.severity, Severity.WARN)) for change in changes]


def _summary(changes: "Sequence[Change]", is_new_major: bool, was: "Source", new: Path) -> Iterator[str]:
    """How many of which level, and how they may go live all the same."""
    from outrider.gateway.findings import Severity, tally

    breaking = [change for change in changes if change.severity is Severity.ERROR]
    yield ", ".join(tally(changes)) or "Nothing breaks callers."
    if breaking and is_new_major:
        yield "info.version has a new major version, so callers know that they must change."
    elif breaking:
        from outrider.gateway.governance.telling import such_as

        such = such_as(str(was.data["info"]["version"]))
        if approval := _approval(breaking, new):
            yield f"Breaking changes go live with a new major version in info.version{such}, or each with an approval:"
            yield f"  {approval}"
        else:
            yield f"Breaking changes go live with a new major version in info.version{such}."


def _approval(breaking: "Sequence[Change]", new: Path) -> str:
    """The command that lets the first of them pass that may be; empty where nobody may let any pass."""
    from outrider.gateway.governance.governance import Approver
    from outrider.gateway.governance.telling import command, until_when
    from outrider.gateway.reading import governance_of

    if not new.is_dir():
        return command("PRODUCT", breaking[0], Approver(name="NAME"), "DATE")
    governance = governance_of(new)
    approvable = [change for change in breaking if change.rule not in governance.never_waived]
    if not (approvable and governance.approvers):
        return ""
    until = until_when(governance, datetime.now(UTC).date())
    return command(str(new), approvable[0], governance.approvers[0], until)
