"""`outrider demo`: a platform, cars that obey and cars that don't, and what became of every command."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.cli.asking import Exit, Json
from outrider.cli.client import NotReachable, Platform, Refused, connected
from outrider.cli.shown import complain, print_json, problem_lines

if TYPE_CHECKING:
    from outrider.cli.demo.scene import Scene
    from outrider.cli.demo.screen import Screen

CARS = 25


def demo(
    as_json: Json = False,
    cars: Annotated[
        int, typer.Option("--cars", min=1, metavar="N", help="How many cars; more where the roles need them.")
    ] = CARS,
) -> None:
    """Start a platform and simulated cars, send one command of every service, watch them, and end by itself.

    Everything runs on free ports in a temporary folder; nothing stays behind. Among the cars are such that come later,
    refuse, fail, or never answer. The exit code is 0 only if each command ended as its car's behaviour demands.
    """
    from outrider.cli.foreground import unless_told
    from outrider.cli.stage import NotStarted

    try:
        document = asyncio.run(unless_told(_demo(cars, as_json)))
    except NotStarted as error:
        complain(*str(error).splitlines())
        raise typer.Exit(Exit.NO) from None
    except asyncio.CancelledError:  # SIGTERM
        raise typer.Exit(Exit.INTERRUPTED) from None
    if as_json:
        print_json(document)
    if not document["as_expected"]:
        raise typer.Exit(Exit.NO)


async def _demo(count: int, as_json: bool) -> dict[str, Any]:
    from outrider.cli.demo.screen import Lines, Picture, summary
    from outrider.cli.stage import temporary_folder
    from outrider.cli.terminal import Silence

    began = monotonic()
    screen: Screen = Silence() if as_json else Picture() if sys.stdout.isatty() else Lines()
    async with temporary_folder("demo") as folder:
        with screen.open():
            scenes, wrong = await _play(folder.path, count, screen)
        seconds = monotonic() - began
        if not as_json:
            typer.echo("\n".join(summary(scenes, seconds, wrong)))
        if wrong:
            folder.keep()
            complain(f"The data folder is kept: {folder.path}", f"The platform's log is {folder.path / 'platform.log'}")
    return _document(scenes, wrong, seconds, folder.path if wrong else None)


async def _play(data: Path, count: int, screen: "Screen") -> "tuple[list[Scene], list[str]]":
    """Everything from the start of the platform to its stop: the scenes, and what is not as expected."""
    from outrider.cli.cars import Common, simulated
    from outrider.cli.demo.scene import judge, perform
    from outrider.cli.stage import own_platform
    from outrider.simulator.record import performed, read_record

    record = data / "cars.jsonl"
    async with AsyncExitStack() as stack:
        screen.busy("Starting the platform with a gateway, a broker and a database of its own")
        own = await stack.enter_async_context(own_platform(data))
        platform = await stack.enter_async_context(connected(own.target))
        driving = simulated(Common(mqtt=own.mqtt, record=record), data / "cars.log")
        cars = await stack.enter_async_context(driving)
        screen.busy("Registering the cars, and waiting until they are connected")
        scenes: list[Scene] = []
        try:
            scenes, all_cars = await _set(platform, count)
            late = {scene.car.vin for scene in scenes if scene.play.joins != "first"}
            await cars.join([car for car in all_cars if car.vin not in late])
            await perform(scenes, platform, cars, lambda: screen.show(scenes))
            wrong = await judge(scenes, platform, [car.vin for car in all_cars], performed(read_record(record)))
        except Refused as error:
            wrong = [f"the platform refused: {'; '.join(problem_lines(error.problem))}"]
        except NotReachable as error:
            wrong = [str(error)]
    return scenes, wrong


async def _set(platform: Platform, count: int) -> "tuple[list[Scene], list[Any]]":
    """The scenes, each with its car, and all cars, those that stand by too; registered and not yet connected."""
    import msgspec

    from outrider.cli.demo.cast import Role, cast
    from outrider.cli.demo.scene import Scene
    from outrider.cli.sim import registered_cars
    from outrider.simulator.behaviour import BEHAVIOURS
    from outrider.simulator.fleet import vins

    catalog = await platform.get("/v1/catalog")
    roles = cast(catalog["services"], catalog["models"], count)
    models = [role.model if isinstance(role, Role) else role for role in roles]
    cars = await registered_cars(platform, dict(zip(vins(len(roles), 1), models, strict=True)))
    scenes = []
    for place, role in enumerate(roles):
        if isinstance(role, Role):
            cars[place] = msgspec.structs.replace(cars[place], behaviour=BEHAVIOURS[role.play.behaviour])
            scenes.append(Scene(role, cars[place]))
    return scenes, cars


def _document(scenes: "Sequence[Scene]", wrong: Sequence[str], seconds: float, kept: Path | None) -> dict[str, Any]:
    asked = [scene for scene in scenes if scene.command]
    return {
        "commands": len(asked),
        "settled": sum(scene.settled for scene in asked),
        "lost": sum(not scene.settled for scene in asked),
        "by_state": dict(sorted(Counter(scene.state for scene in asked).items())),
        "seconds": round(seconds, 3),
        "as_expected": not wrong,
        "wrong": list(wrong),
        "kept": None if kept is None else str(kept),
        "details": [_detail(scene) for scene in asked],
    }


def _detail(scene: "Scene") -> dict[str, Any]:
    told = {name: scene.command.get(name) for name in ("id", "vin", "service", "state", "reason", "outcome", "result")}
    return {
        **told,
        "model": scene.car.model,
        "behaviour": scene.play.shown,
        "expected": scene.play.state,
        "as_expected": not scene.faults,
        "timeline": scene.command.get("timeline", []),
    }
