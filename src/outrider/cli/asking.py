"""What all commands that talk to a platform have in common: three options, one event loop, and how a no ends.

What each exit code means is said here and nowhere else.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from outrider.cli.client import NotReachable, Platform, Refused, Target, connected
from outrider.cli.shown import complain, problem_lines

P = ParamSpec("P")


class Exit(IntEnum):
    """What a script can rely on."""

    OK = 0
    NO = 1
    USAGE = 2
    NOT_REACHABLE = 3
    SETTLED_OTHERWISE = 4
    NOT_SETTLED = 5
    INTERRUPTED = 130


EXIT_MEANING = {
    Exit.OK: "done; for `command send --wait`: executed",
    Exit.NO: "the platform said no, or a check found something wrong",
    Exit.USAGE: "the command line is wrong; nothing was done",
    Exit.NOT_REACHABLE: "no platform answers, or there is no token to show it",
    Exit.SETTLED_OTHERWISE: "`command send --wait`: settled, but not executed (rejected, failed, expired, ...)",
    Exit.NOT_SETTLED: "`command send --wait`: not settled in time; the command goes on",
    Exit.INTERRUPTED: "ended by Ctrl-C",
}

Data = Annotated[
    Path,
    typer.Option("--data", envvar="OUTRIDER_DATA", metavar="DIR", help="The platform's data folder."),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="OUTRIDER_URL", metavar="URL", help="The platform's address; else the data folder says it."
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="OUTRIDER_TOKEN", metavar="JWT", help="Who asks; else a token is made with the folder's key."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")]

DATA = Path(".outrider")

COMMON_OPTIONS: dict[str, tuple[Any, Any]] = {"data": (Data, DATA), "url": (Url, None), "token": (Token, None)}


def example(*lines: str) -> str:
    """The examples below a command's help, kept line by line."""
    return "\b\nExample:\n" + "\n".join(f"  outrider {line}" for line in lines)


def asks(command: Callable[Concatenate[Platform, P], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a command of a coroutine that asks a platform: adds --data, --url and --token, and says what goes wrong."""

    @wraps(command)
    def run(*, data: Path, url: str | None, token: str | None, **given: Any) -> None:
        target = Target(data=data, url=url, token=token)
        try:
            asyncio.run(_ask(target, command, given))
        except Refused as error:
            complain(*problem_lines(error.problem))
            raise typer.Exit(Exit.NO) from None
        except NotReachable as error:
            complain(str(error))
            raise typer.Exit(Exit.NOT_REACHABLE) from None

    own = list(inspect.signature(command).parameters.values())[1:]
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in COMMON_OPTIONS.items()
    ]
    # Typer reads both; the platform itself is no option.
    run.__signature__ = inspect.Signature([p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + common)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in [*own, *common]}
    return run


async def _ask(target: Target, command: Callable[..., Coroutine[Any, Any, None]], given: dict[str, Any]) -> None:
    async with connected(target) as platform:
        await command(platform, **given)
