"""`outrider gateway export`: a product for other programs than the gateway that we run."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outrider.cli.gateway.asking import STATE, Environment, StateFolder, refusals
from outrider.cli.shown import say

if TYPE_CHECKING:
    from outrider.gateway.environment import Placement
    from outrider.gateway.product import Operation, Product
    from outrider.gateway.release import Split


class Target(StrEnum):
    """For what to export."""

    KONG = "kong"
    SYSTEMD = "systemd"


def export(
    product: Annotated[
        str, typer.Argument(metavar="PRODUCT", help="A product's name: its live release and split. Or its folder.")
    ],
    to: Annotated[
        Target, typer.Option("--to", metavar="WHAT", help="kong: a decK file. systemd: units that run its gateway.")
    ],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Write files there; else all to standard output.")
    ] = None,
    environment: Environment = "local",
    state: StateFolder = STATE,
) -> None:
    """Write a product for Kong (a decK file), or the units that run its gateway under systemd.

    What Kong does otherwise, or not at all, stands at the top of the file and on standard error.
    """
    with refusals():
        files = _kong(product, environment, state) if to is Target.KONG else _systemd(product, state)
        if into is None:
            typer.echo("\n".join(_marked(files)), nl=False)
            return
        into.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (into / name).write_text(content, encoding="utf-8")
            say(f"Wrote {into / name}")


def _marked(files: Mapping[str, str]) -> Iterator[str]:
    """Of several files each after its name, as `systemctl cat` shows them; one alone as it is."""
    for name, content in files.items():
        yield content if len(files) == 1 else f"# {name}\n{content}"


def _kong(product: str, environment: str, state: Path) -> dict[str, str]:
    from outrider.gateway.jwks import read_keys
    from outrider.gateway.kong import kong, written
    from outrider.gateway.kong.consumers import public_keys
    from outrider.gateway.kong.gaps import gaps

    made, place, operations, split = _found(product, environment, state)
    asks = any(not operation.public for operation in operations)
    keys = public_keys(asyncio.run(read_keys(place.issuer.jwks))) if asks and place.issuer else ()
    document = kong(made, place, operations, split, keys)
    missing = gaps(made, place, operations, len(document["services"]))
    say(f"{made.name}: what Kong does otherwise, or not at all:", *(f"  {gap}" for gap in missing))
    head = [f"{made.name} in {place.environment}, for decK: deck gateway apply FILE", "", "Otherwise, or not at all:"]
    return {f"{made.name}.yaml": written(document, [*head, *(f"- {gap}" for gap in missing), ""])}


def _found(product: str, environment: str, state: Path) -> "tuple[Product, Placement, Sequence[Operation], Split]":
    """What is live under this name; of a folder, what it says, with the split that it would get at first."""
    from outrider.gateway.reading import PRODUCT, find_environment, read_product
    from outrider.gateway.store import State

    folder = Path(product)
    if (folder / PRODUCT).exists():
        read = read_product(folder, find_environment(folder, environment))
        return read.product, read.placement, read.operations, {read.product.versions[0]: 100}
    kept = State(state).product(product)
    live = kept.published()
    release = kept.release(live.release)
    return release.product, release.placement, release.operations, live.split


def _systemd(product: str, state: Path) -> dict[str, str]:
    from outrider.gateway.store import State
    from outrider.gateway.systemd import units

    return units(State(state).product(product))
