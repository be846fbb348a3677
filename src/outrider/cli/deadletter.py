"""`outrider deadletter`: what vehicles said that broke the contract or could not be true."""

from typing import Annotated

import typer

from outrider.cli.asking import Json, asks, example
from outrider.cli.client import PAGE, Platform
from outrider.cli.shown import print_json, short_time, show_table

app = typer.Typer(no_args_is_help=True, help="Messages that broke the contract.")


@app.command("list", epilog=example("deadletter list", "deadletter list --vin WVWZZZ1KZAW000001 --json"))
@asks
async def list_(
    platform: Platform,
    vin: Annotated[str | None, typer.Option("--vin", metavar="VIN", help="Only this vehicle's.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=PAGE, metavar="N", help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """Messages that were put aside, each with the reason; they changed nothing. --json shows what they said."""
    found = (await platform.get("/v1/admin/dead-letters", vin=vin, limit=limit))["items"]
    if as_json:
        return print_json(found)
    rows = ((short_time(d["at"]), d["vin"], d["reason"], d["detail"]) for d in found)
    return show_table(("WHEN", "VIN", "REASON", "DETAIL"), rows, none="No dead letters.")
