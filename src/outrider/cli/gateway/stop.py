"""`outrider gateway stop` and `restart`: one gateway, whoever watches it."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outrider.cli.gateway.asking import STATE, Grace, OneUser, ProductName, StateFolder, refusals
from outrider.cli.shown import say

if TYPE_CHECKING:
    from outrider.gateway.store import ProductState


def stop(product: ProductName, grace: Grace = 10.0, state: StateFolder = STATE) -> None:
    """Let a gateway finish what it has begun, and stop it.

    It takes no new connections meanwhile. Where it is watched it stays stopped until it is restarted, or until the next
    `outrider gateway up`.
    """
    from outrider.cli.foreground import log_to_stderr
    from outrider.gateway import by_hand
    from outrider.gateway.store import State

    log_to_stderr(to_the_end=False)
    with refusals():
        ended = asyncio.run(by_hand.stop(State(state).product(product), grace))
        typer.echo(f"{product}: stopped" if ended else f"{product}: its gateway does not run")


def restart(product: ProductName, grace: Grace = 60.0, one_user: OneUser = False, state: StateFolder = STATE) -> None:
    """Start a gateway anew without a request noticing: a new one takes over, the old one finishes what it has begun.

    Also after an upgrade of Envoy, and where it was stopped. Where one watches, it watches the new one.
    """
    from outrider.cli.foreground import log_to_stderr
    from outrider.gateway.store import State

    log_to_stderr(to_the_end=False)
    with refusals():
        asyncio.run(_restart(State(state).product(product), grace, own_users=not one_user))
        _say_if_alone(product, state)


async def _restart(product: "ProductState", grace: float, *, own_users: bool) -> None:
    from outrider.gateway import by_hand

    made = await by_hand.restart(product, own_users=own_users)
    typer.echo(f"{product.name}: process {made.pid} serves")
    if made.before:
        old = ", ".join(str(one.process.pid) for one in made.before)
        say(f"Process {old} finishes what it has begun, for {grace:g} s at most.")
        await by_hand.dismiss(product, made, grace)


def _say_if_alone(product: str, state: Path) -> None:
    from outrider.gateway.running import watcher

    if watcher(state) is None:
        say(f"Nobody watches {product}: `outrider gateway up` does.")
