"""`outrider gateway lint`: which rules do documents break, where, and what to write instead."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from outrider.cli.asking import Exit
from outrider.cli.gateway.asking import FailOn, Form, Format, Level, print_found, refusals
from outrider.cli.gateway.linted import Lint, show_lints

if TYPE_CHECKING:
    from outrider.gateway.faults import Fault
    from outrider.gateway.lint.ruleset import Ruleset

Rulesets: TypeAlias = "dict[str, Ruleset]"
"""Those that were read: of files by their names, of products by their governance.yaml."""

PRODUCTS = Path("products")
_FILES = (".yaml", ".yml", ".json")


def lint(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Products' folders, folders of products, or OpenAPI and AsyncAPI files; else products/.",
        ),
    ] = None,
    ruleset: Annotated[
        str | None,
        typer.Option(
            "--ruleset",
            metavar="RULESET",
            help="For files: outrider:openapi, outrider:asyncapi, or a file. Products have that of governance.yaml.",
        ),
    ] = None,
    form: Format = Form.TEXT,
    fail_on: FailOn = Level.ERROR,
) -> None:
    """Check documents: are they what they say they are, and do they keep the rules? Nothing is fetched or changed.

    Exit code 1 if anything is found that keeps a product from being published, or if a check cannot be made.
    """
    from outrider.gateway.findings import Severity

    with refusals(form, as_found=True):
        targets = list(_targets(paths or [PRODUCTS]))
    if ruleset and any(each.is_dir() for each in targets):
        raise typer.BadParameter(
            "is for files; the rules of products are named in governance.yaml", param_hint="--ruleset"
        )
    lints, refused = _lints(targets, ruleset)
    _show(lints, refused, form)
    worst = Severity[fail_on.upper()]
    if refused or any(each.faults or any(one.severity <= worst for one in each.findings) for each in lints):
        raise typer.Exit(Exit.NO)


def _targets(paths: Sequence[Path]) -> Iterator[Path]:
    """Products and files, each once."""
    from outrider.gateway.reading import products_in

    seen: set[Path] = set()
    for path in paths:
        is_file = not path.is_dir() and (os.path.lexists(path) or path.suffix in _FILES)
        for each in [path] if is_file else products_in(path):
            if each not in seen:
                seen.add(each)
                yield each


def _lints(targets: Sequence[Path], ruleset: str | None) -> "tuple[list[Lint], list[Fault | str]]":
    """What was found of each; and for those whose check could not be made, why."""
    from outrider.gateway.faults import Refused
    from outrider.gateway.files import problem

    lints: list[Lint] = []
    refused: list[Fault | str] = []
    read: Rulesets = {}
    for each in targets:
        try:
            lints.append(_product(each, read) if each.is_dir() else _file(each, ruleset, read))
        except Refused as error:
            refused += error.faults
        except OSError as error:
            refused.append(problem(error))
    return lints, list(dict.fromkeys(refused))


def _product(folder: Path, rulesets: Rulesets) -> Lint:
    """A product's document, by the rules and exemptions that hold for it. Raises `Refused`."""
    from outrider.gateway.governance.examining import examine, read_rules
    from outrider.gateway.reading import written

    read, governance = written(folder)
    if governance.file not in rulesets:
        rulesets[governance.file] = read_rules(governance)
    report = examine(read, governance, None, datetime.now(UTC).date(), ruleset=rulesets[governance.file])
    return Lint(
        path=folder,
        ran=report.ran,
        findings=report.findings,
        exempt=report.exempt,
        faults=report.faults,
        remarks=tuple(one for one in report.remarks if one.field.startswith("waivers")),  # approvals are for changes
    )


def _file(path: Path, ruleset: str | None, rulesets: Rulesets) -> Lint:
    """A document that belongs to no product: nobody lets anything pass. Raises `Refused`."""
    from outrider.gateway.documents import content
    from outrider.gateway.governance.examining import findings_of
    from outrider.gateway.lint.ruleset import read_ruleset
    from outrider.gateway.lint.specifications import specification
    from outrider.gateway.openapi import SIZE_LIMIT, parsed

    source = parsed(content(path, SIZE_LIMIT), str(path))
    kind = specification(source).name.partition(" ")[0].lower()
    name = ruleset or f"outrider:{kind}"
    if name not in rulesets:
        rulesets[name] = read_ruleset(name)
    findings, ran = findings_of(source, rulesets[name])
    return Lint(path=path, ran=ran, findings=tuple(findings))


def _show(lints: Sequence[Lint], refused: "Sequence[Fault | str]", form: Form) -> None:
    if form is Form.TEXT:
        show_lints(lints, refused)
        return
    print_found(
        form,
        [one for each in lints for one in each.findings],
        [one for each in lints for one in each.exempt],
        [*refused, *(one for each in lints for one in each.faults)],
    )
