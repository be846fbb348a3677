"""What commands of `outrider gateway` share: options, and how a no ends."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.asking import Exit
from outrider.cli.shown import complain

if TYPE_CHECKING:
    from outrider.gateway.faults import Fault
    from outrider.gateway.findings import Found
    from outrider.gateway.governance.report import Exempt

STATE = Path(".outrider/gateways")

StateFolder = Annotated[
    Path,
    typer.Option("--state", envvar="OUTRIDER_GATEWAYS", metavar="DIR", help="Where releases and gateways are kept."),
]
Environment = Annotated[
    str,
    typer.Option(
        "--environment",
        "-e",
        envvar="OUTRIDER_ENVIRONMENT",
        metavar="NAME",
        help="Where it runs: environments/NAME.yaml beside the products, or a file.",
    ),
]
ProductName = Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's name.")]
ProductFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The product's folder.")]
Reason = Annotated[
    str, typer.Option("--reason", "-m", metavar="TEXT", help="Why; `outrider gateway releases` shows it.")
]
Shares = Annotated[
    list[str] | None,
    typer.Option(
        "--split", metavar="V=SHARE", help="A version's share of the traffic in percent; once for each. Else as it is."
    ),
]

Grace = Annotated[
    float,
    typer.Option("--grace", min=0, metavar="SECONDS", help="How long what was begun may take before it is cut off."),
]
OneUser = Annotated[
    bool,
    typer.Option("--one-user", help="As root: run gateways as this user, and not each as a user of its own."),
]


class Form(StrEnum):
    """How findings and changes are told: to people, to programs, to code scanning, in a pull request."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class Level(StrEnum):
    """From which severity on the exit code is 1."""

    ERROR = "error"
    WARN = "warn"


Format = Annotated[Form, typer.Option("--format", help="For people, as JSON, as SARIF, as annotations of GitHub.")]
FailOn = Annotated[Level, typer.Option("--fail-on", help="From which level on the exit code is 1.")]


def print_found(
    form: Form, found: "Sequence[Found]", exempt: "Sequence[Exempt]" = (), faults: "Sequence[Fault | str]" = ()
) -> None:
    """What was found, for programs; faults: what is wrong besides, which programs get, too, and people read."""
    from outrider.gateway import findings_written as written

    if form is Form.GITHUB:
        text = written.as_github(found, exempt)
    else:
        text = {Form.JSON: written.as_json, Form.SARIF: written.as_sarif}[form](found, exempt, faults)
    if text:
        typer.echo(text)
    complain_of(faults, form)


def complain_of(faults: "Sequence[Fault | str]", form: Form = Form.TEXT) -> None:
    """What went wrong: for people, but to GitHub as annotations, of which nothing can be a command of its own."""
    if faults and form is Form.GITHUB:
        from outrider.gateway.findings_written import faults_as_github

        typer.echo(faults_as_github(faults))
    elif faults:
        complain(*map(str, faults))


@contextmanager
def refusals(form: Form = Form.TEXT, *, as_found: bool = False) -> Iterator[None]:
    """Inside it, whatever makes a command impossible is told, and ends it with exit code 1.

    as_found: JSON gets it as it gets what is found; else nothing but the exit code. SARIF always has it.
    """
    from outrider.gateway.envoy import NoEnvoy
    from outrider.gateway.faults import Refused
    from outrider.gateway.files import problem

    faults: Sequence[Fault | str]
    try:
        yield
        return
    except Refused as error:
        faults = error.faults
    except NoEnvoy as error:
        faults = [str(error)]
    except OSError as error:  # such as a full disk
        faults = [problem(error)]
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None
    if form is Form.SARIF or (as_found and form is Form.JSON):
        print_found(form, (), faults=faults)
    else:
        complain_of(faults, form)
    raise typer.Exit(Exit.NO)


def split_of(shares: Iterable[str] | None) -> dict[str, int] | None:
    """`v1=95` `v2=5` as a split; None where nothing is said. What is no share is an error of usage."""
    found: dict[str, int] = {}
    for text in shares or ():
        name, _, share = text.partition("=")
        if not (name and share.isascii() and share.isdigit()):
            raise typer.BadParameter(f"{text!r} is not VERSION=SHARE, such as v1=95")
        if name in found:
            raise typer.BadParameter(f"{name} is given twice")
        found[name] = int(share)
    return found or None
