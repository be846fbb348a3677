"""`outrider gateway compile` and `keys`: what a gateway is configured with."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.asking import Exit
from outrider.cli.gateway.asking import (
    STATE,
    Environment,
    ProductFolder,
    Shares,
    StateFolder,
    refusals,
    split_of,
)
from outrider.cli.shown import say

if TYPE_CHECKING:
    from outrider.gateway.jwks import Keys
    from outrider.gateway.store import State


def compile(folder: ProductFolder, environment: Environment = "local", split: Shares = None) -> None:
    """Print Envoy's configuration for a product's folder, file by file, as JSON. Changes nothing, asks nobody."""
    import msgspec

    from outrider.gateway.publishing import compiled_files
    from outrider.gateway.reading import find_environment, read_product

    shares = split_of(split)
    with refusals():
        files = compiled_files(read_product(folder, find_environment(folder, environment)), shares)
        whole = msgspec.json.encode({name: msgspec.Raw(content) for name, content in files.items()})
        typer.echo(msgspec.json.format(whole).decode())


def keys(
    product: Annotated[str | None, typer.Argument(metavar="PRODUCT", help="Only this product.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C, as `gateway up` does by itself.")] = False,
    state: StateFolder = STATE,
) -> None:
    """Bring the issuers' keys as they are now to the gateways, for operators whose init runs Envoy.

    Where keys can't be read the last good ones stay, and the exit code is 1. With --watch, logs are kept short as well.
    """
    from outrider.gateway.store import State

    with refusals():
        states = State(state)
        if product:
            states.product(product).published()
        if not asyncio.run(_renewing(states, product, watch)):
            raise typer.Exit(Exit.NO)


async def _renewing(states: "State", product: str | None, watch: bool) -> bool:
    """Once, or for ever. Did all go well?"""
    from outrider.gateway.jwks import Keys
    from outrider.gateway.keys import LOOK_EVERY
    from outrider.gateway.running import shorten_logs

    source, said = Keys(quiet=True), dict[str, str]()
    while True:
        names = [product] if product else states.products()
        told = {name: await _renewed(states, name, source) for name in names}
        for name, (_, text) in told.items():
            if text != said.get(name):
                say(f"{name}: {text}")
        said = {name: text for name, (_, text) in told.items()}
        if not watch:
            return all(well for well, _ in told.values())
        for instance in (instance for name in names for instance in states.product(name).instances()):
            await shorten_logs(instance)
        await asyncio.sleep(LOOK_EVERY)


async def _renewed(states: "State", name: str, source: "Keys") -> tuple[bool, str]:
    from outrider.gateway.faults import Refused
    from outrider.gateway.keys import renew

    try:
        return True, "has new keys" if await renew(states.product(name), source) else "has the keys as they are"
    except Refused as error:
        return False, f"keeps its keys: {error}"
