"""`outrider bench`: what the platform manages on this machine."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    compared, so they must agree. The load comes from as many persons as it needs to stay below the limit that a gateway
    sets to each; with --token it comes from that one, and is limited. The token must have both scopes.
    """
    from outrider.cli.bench.figures import good, told
    from outrider.cli.bench.measure import Bench, measure
    from outrider.cli.foreground import loop_factory
    from outrider.cli.stage import NotStarted

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


@app.command("gateway", epilog=example("bench gateway", "bench gateway --rate 500 --rounds 20 --json"))
def gateway_(
    rate: Annotated[
        list[float] | None,
        typer.Option("--rate", min=1, metavar="R", help="Requests per second; repeatable. Default: 500 and 2000."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, metavar="N", help="How often each has its turn.")] = 10,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, metavar="S", help="For how long each time.")] = 2,
    as_json: Json = False,
) -> None:
    """What a gateway adds to a request, with token check (ES256), limit and log on, against nginx and HAProxy.

    Straight to the upstream, through a gateway, and through those of the others that are installed, in turns. Nothing
    stays behind. Exit code 1 if a request failed, or if at 500 requests/s a gateway adds 1 ms (P50) or 3 ms (P99).
    """
    from outrider.cli.bench.gateway import Bench, measure
    from outrider.cli.bench.gateway_figures import good, told

    result = _measured(measure(Bench(rates=tuple(rate or (500, 2000)), rounds=rounds, seconds=seconds)))
    print_json(result) if as_json else typer.echo("\n".join(told(result)))
    if not good(result):
        raise typer.Exit(Exit.NO)


@app.command("gateways", epilog=example("bench gateways", "bench gateways --count 20 --idle 3 --json"))
def gateways_(
    count: Annotated[int, typer.Option("--count", min=2, metavar="N", help="How many.")] = 140,
    idle: Annotated[
        float, typer.Option("--idle", min=1, metavar="S", help="Seconds to watch them while nothing happens.")
    ] = 10,
    one_user: Annotated[bool, typer.Option("--one-user", help="As root: no user of its own for each.")] = False,
    as_json: Json = False,
) -> None:
    """Many gateways on this machine: until all answer, what they take, and the death of one under load.

    Products are generated, with one upstream for all. Nothing stays behind. Exit code 1 unless all answer within 60 s,
    take less than 4 GB, the one that is killed comes back, and no request to the others fails.
    """
    from outrider.cli.bench.gateways import Bench, measure
    from outrider.cli.bench.gateways_figures import told

    result = _measured(measure(Bench(count=count, idle=idle, one_user=one_user)))
    print_json(result) if as_json else typer.echo("\n".join(told(result)))
    if result["wrong"]:
        raise typer.Exit(Exit.NO)


@app.command("check", epilog=example("bench check", "bench check --count 20 --json"))
def check_(
    count: Annotated[int, typer.Option("--count", min=1, metavar="N", help="How many products.")] = 140,
    as_json: Json = False,
) -> None:
    """What checks cost: rules and comparison of one document of 100 paths, and the check of many products at once.

    Exit code 1 if the rules take 100 ms, if the check of 140 products takes 20 s (on 2 cores), or if it finds anything
    else than what is wrong.
    """
    from outrider.cli.bench.checks import measure, told, wrong

    result = measure(count)
    print_json(result) if as_json else typer.echo("\n".join(told(result)))
    if wrong(result):
        raise typer.Exit(Exit.NO)


def _measured(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """The figures of gateways; what keeps them from being measured is said (exit code 1)."""
    from outrider.cli.foreground import loop_factory
    from outrider.cli.stage import NotStarted
    from outrider.gateway.envoy import NoEnvoy
    from outrider.gateway.faults import Refused

    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(work)
    except (NotStarted, NoEnvoy, Refused) as error:
        complain(*str(error).splitlines())
        raise typer.Exit(Exit.NO) from None


def _there(data: Path | None, url: str | None, token: str | None, mqtt: str | None) -> "There | None":
    """The platform that was named; None: start one."""
    from outrider.cli.bench.measure import There
    from outrider.cli.sim import vehicles_at

    if data is None and url is None:
        return None
    note = None if data is None else where(data)
    target = Target(data=data or DATA, url=url, token=token)
    return There(target=target, mqtt=vehicles_at(note, mqtt), pid=note.pid if note and url is None else None)
