"""`outrider command`: asking vehicles, and following what becomes of it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import Annotated, Any

import typer

from outrider.cli.asking import Exit, Json, Limit, asks, example
from outrider.cli.client import Platform, path
from outrider.cli.params import parsed
from outrider.cli.shown import coloured, print_json, say, short_time, show_table, styled
from outrider.cli.timeline import HEAD, hop_line, plain_verdict, summary, told, verdict
from outrider.cli.vehicle import Vin

app = typer.Typer(no_args_is_help=True, help="Commands: send, show, list, cancel.")

SETTLES_WITHIN = 5.0
"""Seconds beyond the deadline within which a command is settled, whatever crashed (law 1)."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two looks at a command: many at first, for most settle soon."""

CommandId = Annotated[str, typer.Argument(metavar="ID", help="The command's id.", show_default=False)]


@app.command(
    "send",
    epilog=example(
        "command send WVWZZZ1KZAW000001 door-lock",
        "command send WVWZZZ1KZAW000001 climate-start -p temperature=21 -p duration=600 --wait",
    ),
)
@asks
async def send(
    platform: Platform,
    vin: Vin,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="What to ask for.", show_default=False)],
    param: Annotated[
        list[str] | None, typer.Option("-p", "--param", metavar="NAME=VALUE", help="A parameter; repeatable.")
    ] = None,
    expires_in: Annotated[
        float | None,
        typer.Option(
            "--expires-in", metavar="S", help="Seconds in which it must have left; at most the service's ttl."
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it until it is settled, by its deadline.")] = False,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="S", help="Follow it for so many seconds at most.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="Idempotency key: with the same one, nothing is sent twice."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask a vehicle to do something.

    Prints the command's id once it is stored; with --wait, each hop as it happens, and the exit code tells how it
    ended: 0 executed, 4 settled otherwise, 5 not settled in time.
    """
    body: dict[str, Any] = {"service": service, "params": await _params(platform, service, param or [])}
    if expires_in is not None:
        body["expires_in"] = expires_in
    command = await platform.post(path("/v1/vehicles/{}/commands", vin), body, key=key)
    if not wait and timeout is None:
        _show_accepted(command, as_json)
        return
    if not as_json:
        say(f"command {command['id']}")
        typer.echo(styled(HEAD, bold=True))
    patience = _until_settled(command) if timeout is None else timeout
    command = await _follow(platform, command["id"], patience, _silent if as_json else _show_hop)
    if as_json:
        print_json(command)
    else:
        typer.echo(f"\n{verdict(command)}, {summary(command)}")
    raise typer.Exit(_exit(command))


@app.command("show", epilog=example("command show 019a9e4c-8f2b-7c3d-9a51-0e6f7a8b9c0d"))
@asks
async def show(platform: Platform, command_id: CommandId, as_json: Json = False) -> None:
    """A command and its timeline: each hop with its time since the start, backend and vehicle apart."""
    command = await platform.get(path("/v1/commands/{}", command_id))
    if as_json:
        return print_json(command)
    return typer.echo("\n".join(told(command)))


@app.command("list", epilog=example("command list WVWZZZ1KZAW000001 --state queued --state sent"))
@asks
async def list_(
    platform: Platform,
    vin: Vin,
    state: Annotated[
        list[str] | None, typer.Option("--state", metavar="STATE", help="Only those in this state; repeatable.")
    ] = None,
    service: Annotated[str | None, typer.Option("--service", metavar="SERVICE", help="Only of this service.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """A vehicle's commands, newest first."""
    found = platform.items(path("/v1/vehicles/{}/commands", vin), limit=limit, state=state, service=service)
    commands = [command async for command in found]
    if as_json:
        return print_json(commands)
    rows = (
        (c["id"], c["service"], coloured(c["state"], plain_verdict(c)), short_time(c["accepted_at"])) for c in commands
    )
    return show_table(("COMMAND", "SERVICE", "STATE", "ACCEPTED"), rows, none="No commands.")


@app.command("cancel", epilog=example("command cancel 019a9e4c-8f2b-7c3d-9a51-0e6f7a8b9c0d"))
@asks
async def cancel(platform: Platform, command_id: CommandId, as_json: Json = False) -> None:
    """Withdraw a command that has not left yet. If it may have happened already, the answer is no (exit code 1)."""
    command = await platform.delete(path("/v1/commands/{}", command_id))
    if as_json:
        print_json(command)
    elif command["state"] == "cancelled":
        say(f"{command['service']} is cancelled: no vehicle performs it.")
    else:
        say(f"The wish is stored, the verdict is still to come: {plain_verdict(command)}.")
    if command["state"] != "cancelled":
        raise typer.Exit(Exit.NOT_SETTLED)


async def _params(platform: Platform, service: str, pairs: list[str]) -> dict[str, Any]:
    """The parameters, with the types that the catalog wants. An unknown service is the platform's to refuse."""
    try:
        services = (await platform.get("/v1/catalog"))["services"] if pairs else ()
        return parsed(pairs, next((s["params"] for s in services if s["name"] == service), {}))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="-p") from None


def _show_accepted(command: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(command)
    else:
        typer.echo(command["id"])
        say(f"It is {command['state']}; follow it with `outrider command show {command['id']}`.")


async def _follow(
    platform: Platform, command_id: str, patience: float, tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """The command once it is settled, or as it is when patience (seconds) ends; each new hop is told."""
    ends, known, pause = monotonic() + patience, 0, _FIRST_PAUSE
    while True:
        command: dict[str, Any] = await platform.get(path("/v1/commands/{}", command_id))
        for hop in command["timeline"][known:]:
            tell(hop)
        known = len(command["timeline"])
        if command["settled"] or monotonic() >= ends:
            return command
        await asyncio.sleep(min(pause, max(0.0, ends - monotonic())))
        pause = min(pause * 1.3, _LONGEST_PAUSE)


def _show_hop(hop: dict[str, Any]) -> None:
    typer.echo(hop_line(hop))


def _silent(hop: dict[str, Any]) -> None:
    pass


def _until_settled(command: dict[str, Any]) -> float:
    """Seconds until the platform's promise is due; by its own clock, whatever ours shows."""
    open_for = datetime.fromisoformat(command["deadline"]) - datetime.fromisoformat(command["accepted_at"])
    return open_for.total_seconds() + SETTLES_WITHIN


def _exit(command: dict[str, Any]) -> Exit:
    if not command["settled"]:
        return Exit.NOT_SETTLED
    return Exit.OK if command["state"] == "executed" else Exit.SETTLED_OTHERWISE
