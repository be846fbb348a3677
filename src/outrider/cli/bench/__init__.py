"""`outrider bench`: what the platform manages on this machine."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.adapters.data_folder import where
from outrider.cli.asking import DATA, Exit, Json, Token, example
from outrider.cli.client import NotReachable, Refused, Target
from outrider.cli.shown import complain, print_json, problem_lines

if TYPE_CHECKING:
    from outrider.cli.bench.measure import There

app = typer.Typer(no_args_is_help=True, help="Measurements.")


@app.command(
    "commands",
    epilog=example(
        "bench commands --rate 100 --seconds 60",
        "bench commands --rate 1000 --seconds 20 --vehicles 1000 --json",
        "bench commands --rate 50 --url https://outrider.example --mqtt mqtt.example:1883",
    ),
)
def commands(
    rate: Annotated[float, typer.Option("--rate", min=0.1, metavar="R", help="Commands per second.")] = 100,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, metavar="S", help="For how long.")] = 60,
    vehicles: Annotated[int, typer.Option("--vehicles", min=1, metavar="N", help="Over how many cars.")] = 100,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="MODEL", help="Their model; repeatable. Default: all in turn."),
    ] = None,
    of_data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Measure the platform that runs on this folder.")
    ] = None,
    of_url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Measure the platform there; else one is started.")
    ] = None,
    token: Token = None,
    mqtt: Annotated[
        str | None, typer.Option("--mqtt", metavar="HOST:PORT", help="Where its vehicles connect; needed with --url.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send commands at a fixed rate to simulated cars that answer at once; percentiles from POST to executed.

    The platform is one of its own, in a temporary folder, unless --data or --url names another. Exit code 1 if any
    command was lost, performed twice, or claimed otherwise than the cars say. With --url the two machines' clocks are
    compared, so they must agree; the token must have both scopes.
    """
    from outrider.cli.bench.figures import good, told
    from outrider.cli.bench.measure import Bench, measure
    from outrider.cli.stage import NotStarted
    from outrider.cli.up import loop_factory

    bench = Bench(rate=rate, seconds=seconds, vehicles=vehicles, models=tuple(model or ()))
    there = _there(of_data, of_url, token, mqtt)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            result = runner.run(measure(bench, there))
    except (NotStarted, NotReachable) as error:
        complain(*str(error).splitlines())
        raise typer.Exit(Exit.NOT_REACHABLE) from None
    except Refused as error:
        complain(*problem_lines(error.problem))
        raise typer.Exit(Exit.NO) from None
    if as_json:
        print_json(result)
    else:
        typer.echo("\n".join(told(result)))
    if not good(result):
        raise typer.Exit(Exit.NO)


def _there(data: Path | None, url: str | None, token: str | None, mqtt: str | None) -> "There | None":
    """The platform that was named; None: start one."""
    from outrider.cli.bench.measure import There
    from outrider.cli.sim import vehicles_at

    if data is None and url is None:
        return None
    note = None if data is None else where(data)
    target = Target(data=data or DATA, url=url, token=token)
    return There(target=target, mqtt=vehicles_at(note, mqtt), pid=note.pid if note and url is None else None)
