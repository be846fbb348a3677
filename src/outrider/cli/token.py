"""`outrider token`: a token for a person, made with the development key of a data folder."""

from typing import Annotated

import typer

from outrider.cli.asking import DATA, Data, Exit, Json
from outrider.cli.shown import complain, print_json


def token(
    name: Annotated[str, typer.Argument(help="The person that the token is for.", show_default=False)],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="SCOPE", help="`commands` (default) or `admin`; repeatable.")
    ] = None,
    ttl: Annotated[int, typer.Option("--ttl", min=1, metavar="S", help="Seconds for which it is valid.")] = 3600,
    audience: Annotated[
        str, typer.Option("--audience", metavar="NAME", help="For whom it is: Outrider, or a product of yours.")
    ] = "outrider",
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Make a token for a person.

    It is signed with the development key in the data folder, which a platform makes at its first start. Needs no
    running platform. For production, let your identity provider sign.
    """
    from outrider.adapters.dev_key import mint

    scopes = scope or ["commands"]
    try:
        made = mint(data / "keys", name, " ".join(scopes), ttl, audience=audience)
    except FileNotFoundError:
        complain(f"{data} has no development key: `outrider up` makes one at the first start.")
        raise typer.Exit(Exit.NO) from None
    except (OSError, ValueError) as error:
        complain(f"The development key can't be used: {error}")
        raise typer.Exit(Exit.NO) from None
    if as_json:
        print_json({"token": made, "person": name, "scopes": scopes, "expires_in": ttl})
    else:
        typer.echo(made)
