"""`outrider credential`: what vehicles connect with."""

from typing import Annotated

import typer

from outrider.cli.asking import Json, asks, example
from outrider.cli.client import Platform, path
from outrider.cli.shown import print_json, say, short_time, show_table
from outrider.cli.vehicle import Vin, show_credential

app = typer.Typer(no_args_is_help=True, help="What vehicles connect with: add, list, revoke.")


@app.command("add", epilog=example("credential add WVWZZZ1KZAW000001"))
@asks
async def add(platform: Platform, vin: Vin, as_json: Json = False) -> None:
    """Make one more credential for a vehicle; those it has stay valid. It is shown this once."""
    credential = await platform.post(path("/v1/admin/vehicles/{}/credentials", vin), {})
    print_json(credential) if as_json else show_credential(platform, credential)


@app.command("list", epilog=example("credential list WVWZZZ1KZAW000001"))
@asks
async def list_(platform: Platform, vin: Vin, as_json: Json = False) -> None:
    """A vehicle's credentials, revoked ones too. Secrets are not kept and can't be shown."""
    found = (await platform.get(path("/v1/admin/vehicles/{}/credentials", vin)))["items"]
    if as_json:
        return print_json(found)
    rows = ((c["id"], short_time(c["created_at"]), short_time(c.get("revoked_at")) or "valid") for c in found)
    return show_table(("CREDENTIAL", "MADE", "REVOKED"), rows, none=f"{vin} has no credential.")


@app.command("revoke", epilog=example("credential revoke WVWZZZ1KZAW000001 019a9e4c-8f2b-7c3d-9a51-0e6f7a8b9c0d"))
@asks
async def revoke(
    platform: Platform,
    vin: Vin,
    credential: Annotated[str, typer.Argument(metavar="ID", help="The credential's id.", show_default=False)],
    as_json: Json = False,
) -> None:
    """End a credential, and the vehicle's connection with it."""
    revoked = await platform.delete(path("/v1/admin/vehicles/{}/credentials/{}", vin, credential))
    print_json(revoked) if as_json else say(f"{credential} is revoked; {vin} was disconnected.")
