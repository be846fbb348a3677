"""`outrider gateway approve`: whoever may says that something passes for a time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.gateway.asking import ProductFolder, refusals
from outrider.cli.shown import say

if TYPE_CHECKING:
    from outrider.gateway.governance.governance import Governance
    from outrider.gateway.governance.signatures import PrivateKey


def approve(
    folder: ProductFolder,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule, or the id of the breaking change.")],
    place: Annotated[
        str, typer.Argument(metavar="PLACE", help="Where, as findings tell it: #/paths/~1v1~1stations/get.")
    ],
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Who says yes: one whom governance.yaml names.")],
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day, such as 2027-02-01.")],
    reason: Annotated[str, typer.Option("--reason", "-m", metavar="TEXT", help="Why it can't be mended now.")],
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Your private key (PEM), if governance.yaml has the public one."),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option("--owner", metavar="TEAM", help="Who has asked and mends it; else the product's owner."),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment",
            "-e",
            envvar="OUTRIDER_ENVIRONMENT",
            metavar="NAME",
            help="The environment whose file names another governance.yaml; else the one beside the products.",
        ),
    ] = None,
) -> None:
    """Print a waiver of a broken rule, or an approval of a breaking change, for a product's product.yaml.

    Refused is what would not count: nobody may let it pass, or not you, or not for so long.
    """
    from outrider.gateway.governance.approving import Wish, exemption, lets_pass, written
    from outrider.gateway.product import Waiver
    from outrider.gateway.reading import PRODUCT, read_declared, read_source

    with refusals():
        declared, product = read_declared(folder)
        governance = _governance(folder, environment)
        wish = Wish(rule=rule, place=place, owner=owner or product.owner, approver=name, reason=reason, until=until)
        today = datetime.now(UTC).date()
        made = exemption(product, declared, governance, wish, _key(key), today)
        typer.echo(written(product, made), nl=False)
        say(f"This belongs into {folder / PRODUCT}. What is signed counts only as it is.")
        if isinstance(made, Waiver) and not lets_pass(read_source(folder), governance, made):
            say(f"Nothing there breaks {rule} now; it will let nothing pass.")


def _governance(folder: Path, environment: str | None) -> "Governance":
    from outrider.gateway.placing import read_environment
    from outrider.gateway.reading import find_environment, governance_of

    return governance_of(folder, read_environment(find_environment(folder, environment)) if environment else None)


def _key(file: Path | None) -> "PrivateKey | None":
    from outrider.gateway.documents import content
    from outrider.gateway.faults import Refused
    from outrider.gateway.governance.signatures import NoKey, private_key

    if file is None:
        return None
    try:
        return private_key(content(file))
    except NoKey as error:
        raise Refused(f"{file} {error}") from None
