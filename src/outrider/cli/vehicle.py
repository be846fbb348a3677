"""`outrider vehicle`: registering vehicles, and what is known of them."""

from typing import Annotated, Any

import typer

from outrider.adapters.data_folder import where
from outrider.cli.asking import Json, Limit, asks, example
from outrider.cli.client import Platform, path
from outrider.cli.shown import plain, print_json, say, short_time, show_facts, show_table

app = typer.Typer(no_args_is_help=True, help="Vehicles: register, list, show.")

Vin = Annotated[str, typer.Argument(metavar="VIN", help="The vehicle's identification number.", show_default=False)]
RISKS = ("access", "comfort", "charging", "location", "attention")
Risks = Annotated[
    str, typer.Option("--risks", metavar="R,R", help=f"Risk classes, with commas: {', '.join(RISKS)}; or all.")
]


@app.command("add", epilog=example("vehicle add WVWZZZ1KZAW000001 --model falcon-electric"))
@asks
async def add(
    platform: Platform,
    vin: Vin,
    model: Annotated[str, typer.Option("--model", help="Its model in the catalog.", show_default=False)],
    person: Annotated[
        str | None, typer.Option("--grant", metavar="PERSON", help="Who may use it. Default: whoever asks.")
    ] = None,
    risks: Risks = "all",
    no_grant: Annotated[bool, typer.Option("--no-grant", help="Let nobody use it yet.")] = False,
    as_json: Json = False,
) -> None:
    """Register a vehicle, let a person use it, and print the credential that it connects with.

    The credential is shown this once: only its hash is kept.
    """
    vehicle = await platform.post("/v1/admin/vehicles", {"vin": vin, "model": model})
    granted = None
    if not no_grant:
        granted = await add_grant(platform, vin, person or platform.person, risks)
    credential = await platform.post(path("/v1/admin/vehicles/{}/credentials", vin), {})
    if as_json:
        print_json({"vehicle": vehicle, "grant": granted, "credential": credential})
        return
    say(f"{vin} is registered as {model}; {granted['person'] if granted else 'nobody'} may use it.")
    show_credential(platform, credential)


@app.command("list", epilog=example("vehicle list", "vehicle list --all --json"))
@asks
async def list_(
    platform: Platform,
    every: Annotated[bool, typer.Option("--all", help="Every vehicle, not only those you may use.")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """The vehicles that you may use, by VIN."""
    found = platform.items("/v1/admin/vehicles" if every else "/v1/vehicles", limit=limit)
    vehicles = [vehicle async for vehicle in found]
    if as_json:
        return print_json(vehicles)
    rows = ((v["vin"], v["model"], v["presence"], short_time(v.get("heard_at"))) for v in vehicles)
    show_table(("VIN", "MODEL", "PRESENCE", "LAST HEARD"), rows, none="No vehicles; `outrider vehicle add` adds one.")
    if len(vehicles) == limit:
        say(f"The first {limit}; --limit gives more.")
    return None


@app.command("show", epilog=example("vehicle show WVWZZZ1KZAW000001"))
@asks
async def show(platform: Platform, vin: Vin, as_json: Json = False) -> None:
    """A vehicle: its model, whether it is connected, what you may ask it for, what it last reported."""
    vehicle = await platform.get(path("/v1/vehicles/{}", vin))
    if as_json:
        return print_json(vehicle)
    show_facts(
        [
            ("vin", vehicle["vin"]),
            ("model", vehicle["model"]),
            ("presence", vehicle["presence"]),
            ("last heard", short_time(vehicle["heard_at"]) or "never"),
            ("you may ask for", ", ".join(vehicle["services"]) or "nothing"),
            ("signals of", short_time(vehicle["signals_at"]) or "it has reported none"),
        ]
    )
    if vehicle["signals"]:
        typer.echo()
        signals = ((name, plain(value)) for name, value in sorted(vehicle["signals"].items()))
        show_table(("SIGNAL", "VALUE"), signals, none="")
    return None


async def add_grant(platform: Platform, vin: str, person: str, risks: str, until: str | None = None) -> Any:
    """Let a person use a vehicle."""
    named = RISKS if risks == "all" else [risk.strip() for risk in risks.split(",")]
    body = {"person": person, "risks": named} | ({} if until is None else {"until": until})
    return await platform.post(path("/v1/admin/vehicles/{}/grants", vin), body)


def show_credential(platform: Platform, credential: dict[str, Any]) -> None:
    """The secret, and lines that connect with it when pasted."""
    told = where(platform.target.data)
    host, _, port = ((told and told.mqtt) or "HOST:PORT").rpartition(":")
    vin, secret = credential["vin"], credential["secret"]
    connect = f"-h {host} -p {port} -i {vin} -u {vin} -P '{secret}'"
    show_facts(
        [
            ("host, port", f"{host}, {port}"),
            ("client id", vin),
            ("user name", vin),
            ("password", f"{secret}   (shown this once)"),
            ("listens to", f"outrider/v1/{vin}/command"),
            ("speaks on", f"outrider/v1/{vin}/answer, .../state, .../presence"),
        ]
    )
    say("", "To hear its commands with Mosquitto's client:")
    typer.echo(f"mosquitto_sub {connect} -t outrider/v1/{vin}/command -v")
