"""`outrider nats-config`: what an existing NATS needs before a platform can use it."""

import typer

from outrider.cli.asking import DATA, Data, Exit
from outrider.cli.shown import complain


def nats_config(data: Data = DATA) -> None:
    """Print the configuration that an existing NATS needs for `outrider up --nats URL`.

    It holds the secrets of this data folder (made at the first time): keep the file readable for the server only.
    """
    from outrider.adapters.nats_config import KeysUnusable, external, keys_of

    try:
        keys = keys_of(data / "keys" / "nats.json")
    except (KeysUnusable, OSError) as error:
        complain(str(error))
        raise typer.Exit(Exit.NO) from None
    typer.echo(external(keys), nl=False)
