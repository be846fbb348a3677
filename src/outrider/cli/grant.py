"""`outrider grant`: who may use which vehicle, for what, until when."""

from typing import Annotated

import typer

from outrider.cli.asking import Json, asks, example
from outrider.cli.client import Platform, path
from outrider.cli.shown import print_json, say, short_time, show_table
from outrider.cli.vehicle import RISKS, Risks, Vin, add_grant

app = typer.Typer(no_args_is_help=True, help="Who may use which vehicle: add, list, end.")


@app.command(
    "add",
    epilog=example(
        "grant add WVWZZZ1KZAW000001 ada",
        "grant add WVWZZZ1KZAW000001 bob --risks comfort,charging --until 2026-12-24T18:00:00Z",
    ),
)
@asks
async def add(
    platform: Platform,
    vin: Vin,
    person: Annotated[
        str, typer.Argument(help="Who may use it: the `sub` of the person's tokens.", show_default=False)
    ],
    risks: Risks = "all",
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="When it ends, RFC 3339. Default: never.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let a person use a vehicle for some risk classes, until a time."""
    grant = await add_grant(platform, vin, person, risks, until)
    print_json(grant) if as_json else say(f"{person} may use {vin}: {_risks(grant['risks'])}. Grant {grant['id']}.")


@app.command("list", epilog=example("grant list WVWZZZ1KZAW000001"))
@asks
async def list_(platform: Platform, vin: Vin, as_json: Json = False) -> None:
    """A vehicle's grants, ended ones too."""
    found = [grant async for grant in platform.items(path("/v1/admin/vehicles/{}/grants", vin))]
    if as_json:
        return print_json(found)
    rows = (
        (g["id"], g["person"], _risks(g["risks"]), short_time(g.get("ended_at") or g.get("until")) or "never")
        for g in found
    )
    return show_table(("GRANT", "PERSON", "RISKS", "ENDS"), rows, none=f"Nobody may use {vin}.")


@app.command("end", epilog=example("grant end 019a9e4c-8f2b-7c3d-9a51-0e6f7a8b9c0d"))
@asks
async def end(
    platform: Platform,
    grant: Annotated[str, typer.Argument(metavar="ID", help="The grant's id.", show_default=False)],
    as_json: Json = False,
) -> None:
    """End a grant now. Commands that it allowed and that were not sent yet are not sent any more."""
    ended = await platform.delete(path("/v1/admin/grants/{}", grant))
    print_json(ended) if as_json else say(f"{ended['person']} may not use {ended['vin']} by this grant any more.")


def _risks(risks: list[str]) -> str:
    return "all" if set(risks) == set(RISKS) else ", ".join(risks)
