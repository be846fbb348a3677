"""`outrider gateway report`: how all products stand, as one page to show and to keep."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from outrider.cli.gateway.asking import STATE, StateFolder, refusals
from outrider.cli.gateway.check import Environments, Folder, environments_of
from outrider.cli.shown import say


def report(
    folder: Folder = Path("products"),
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page; - prints it.", show_default=True)
    ] = Path("report.html"),
    environment: Environments = None,
    state: StateFolder = STATE,
) -> None:
    """Write one HTML page for those who govern: products and their owners, what is live, which rules are broken where,
    what is let pass until when, and what will end. It needs nothing from elsewhere, so that it can be mailed and kept.
    """
    from outrider.gateway import files
    from outrider.gateway.governance.overview import overview
    from outrider.gateway.governance.page import page

    with refusals():
        written = page(overview(folder, environments_of(folder, environment), state, datetime.now(UTC)))
        if str(output) == "-":
            typer.echo(written, nl=False)
            return
        with files.named(output):
            output.write_text(written, encoding="utf-8")
        say(f"{output}: open it in a browser.")
