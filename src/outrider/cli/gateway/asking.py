"""What commands of `outrider gateway` share: options, and how a no ends."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from outrider.cli.asking import Exit
from outrider.cli.shown import complain

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


@contextmanager
def refusals() -> Iterator[None]:
    """Inside it, whatever makes a command impossible is told, and ends it with exit code 1."""
    from outrider.gateway.envoy import NoEnvoy
    from outrider.gateway.faults import Refused
    from outrider.gateway.files import problem

    try:
        yield
    except Refused as error:
        complain(*map(str, error.faults))
    except NoEnvoy as error:
        complain(str(error))
    except OSError as error:  # such as a full disk
        complain(problem(error))
    except KeyboardInterrupt:
        raise typer.Exit(Exit.INTERRUPTED) from None
    else:
        return
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
