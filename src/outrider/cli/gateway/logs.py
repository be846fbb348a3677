"""`outrider gateway logs`: what a gateway wrote."""

import time
from typing import Annotated

import typer

from outrider.cli.gateway.asking import STATE, ProductName, StateFolder, refusals
from outrider.cli.shown import say

_LOOK_EVERY = 0.2


def logs(
    product: ProductName,
    number: Annotated[int, typer.Option("-n", min=0, metavar="N", help="The last so many lines.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    own: Annotated[bool, typer.Option("--own", help="What Envoy says of itself, not of requests.")] = False,
    state: StateFolder = STATE,
) -> None:
    """Print the access log, one line of JSON for each request, with what was put aside of it; the newest line last.

    Lines appear up to a second after their request. No path, no query, no token and no person's name is in them.
    """
    from outrider.gateway.logs import ACCESS, OWN, Following, last_lines
    from outrider.gateway.store import State

    with refusals():
        kept = State(state).product(product)
        kept.published()
        file = kept.instance().folder / (OWN if own else ACCESS)
        following = Following(file)
        for line in last_lines(file, number):
            typer.echo(line)
        if not (follow or file.exists()):
            say(f"{product} has written nothing yet.")
        while follow:
            time.sleep(_LOOK_EVERY)
            for line in following.more():
                typer.echo(line)
