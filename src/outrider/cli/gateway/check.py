"""`outrider gateway check`: may these products go live, as a pull request has them? Nothing is changed."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.asking import Exit
from outrider.cli.gateway.asking import Form, Format, print_found, refusals
from outrider.cli.shown import print_json

if TYPE_CHECKING:
    from outrider.gateway.findings import Found
    from outrider.gateway.governance.checking import Checked, Checks

NOTHING = "none"
"""As `--against`: compare with nothing."""

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of products, or one product's.")]
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--environment",
        "-e",
        envvar="OUTRIDER_ENVIRONMENT",
        metavar="NAME",
        help="Where they run; repeatable. Else every file in environments/ beside the products.",
    ),
]


def check(
    folder: Folder = Path("products"),
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="REF",
            help="The commit to compare with, or none; else where this branch left the one it will be merged into.",
        ),
    ] = None,
    environment: Environments = None,
    form: Format = Form.TEXT,
) -> None:
    """Make every check of every product that a publish makes, and compare with an earlier commit. Changes nothing.

    Made for pull requests: `--format github` annotates the lines of the change and writes the summary of the job. Exit
    code 0 if all of it may go live.
    """
    from outrider.gateway.governance.checking import check as make
    from outrider.gateway.history import past

    with refusals(form):
        then = None if against == NOTHING else past(folder, against)
        checks = make(folder, environments_of(folder, environment), then, datetime.now(UTC).date())
        _show(checks, form)
        if not checks.passed:
            raise typer.Exit(Exit.NO)


def environments_of(folder: Path, names: Sequence[str] | None) -> list[Path]:
    """The files of these environments; of none: of all that are beside the products. Raises `Refused`."""
    from outrider.gateway.reading import environments_beside, find_environment

    return [find_environment(folder, name) for name in names] if names else environments_beside(folder)


def _show(checks: "Checks", form: Form) -> None:
    from outrider.cli.gateway import checked

    if form is Form.TEXT:
        checked.show_checks(checks)
    elif form is Form.JSON:
        print_json(checked.document(checks))
    else:
        reports = [one.report for one in checks.products if one.report]
        found = [found for one in checks.products for found in _in_the_change(one)]
        print_found(form, found, [one for report in reports for one in report.exempt], list(checked.faults(checks)))
    if form is Form.GITHUB and (file := os.environ.get("GITHUB_STEP_SUMMARY")):
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(checked.markdown(checks))


def _in_the_change(one: "Checked") -> Iterator["Found"]:
    """What was found, as a reviewer of files sees it: what is gone is a matter of the file that had it, and what a new
    major version allows is no error.
    """
    import msgspec

    from outrider.common.yaml_positions import Position
    from outrider.gateway.findings import Change, Place, Severity

    for found in one.report.found if one.report else ():
        if not isinstance(found, Change):
            yield found
            continue
        place = found.new or Place(one.document, Position(1, 1), found.place.path)
        allowed = one.report is not None and one.report.new_major
        severity = max(found.severity, Severity.WARN) if allowed else found.severity
        yield msgspec.structs.replace(found, new=place, severity=severity)
