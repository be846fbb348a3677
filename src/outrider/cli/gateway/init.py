"""`outrider gateway init`: a new product, whose files compile at once."""

import os
import subprocess
from contextlib import suppress
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from outrider.cli.asking import DATA, Data, Exit
from outrider.cli.gateway.asking import Environment
from outrider.cli.shown import complain, say


def init(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The product: a DNS label such as map-updates.", show_default=False)
    ],
    document: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Your OpenAPI document; else an example is written.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="TEAM", help="Who owns it; else git's user.name, else you.")
    ] = None,
    products: Annotated[
        Path, typer.Option("--products", metavar="DIR", help="The folder in which products are.")
    ] = Path("products"),
    environment: Environment = "local",
    data: Data = DATA,
) -> None:
    """Make a product: a folder with openapi.yaml and product.yaml, and its place in an environment.

    Nothing is overwritten. Where there is no such environment yet, its file is written too, and development keys are
    made in the data folder, unless they are there; where there is one, what to add to it is printed.
    """
    from outrider.gateway.faults import Refused
    from outrider.gateway.store import NAME

    if not NAME.fullmatch(name):
        hint = "a letter, then letters, digits and hyphens, lower case, at most 62"
        raise typer.BadParameter(f"{name!r} is no DNS label: {hint}", param_hint="NAME")
    try:
        scopes = _make_product(products / name, name, owner or _somebody(), document)
        _make_place(products / name, name, environment, data)
    except (Refused, OSError, ValueError) as error:
        complain(*str(error).splitlines())
        raise typer.Exit(Exit.NO) from None
    say(
        "Next: write where your service listens beside `upstreams`, then",
        f"  outrider gateway compile {products / name}",
        f"  outrider gateway up {products}",
        f"  outrider token ada --audience {name}{''.join(f' --scope {scope}' for scope in scopes)}",
    )


def _make_product(folder: Path, name: str, owner: str, document: Path | None) -> tuple[str, ...]:
    """The product's folder with its two files; gives the scopes that open one of its operations.

    Raises `Refused` before anything is written.
    """
    from outrider.gateway import beginnings
    from outrider.gateway.documents import content
    from outrider.gateway.faults import Refused
    from outrider.gateway.openapi import SIZE_LIMIT, read_operations

    if os.path.lexists(folder):
        raise Refused(f"{folder} is there already; nothing was changed")
    raw = beginnings.openapi(name, owner).encode() if document is None else content(document, SIZE_LIMIT)
    operations = read_operations(raw, str(document))
    folder.mkdir(parents=True)
    _write(folder / ("openapi.json" if raw.lstrip().startswith(b"{") else "openapi.yaml"), raw)
    _write(folder / "product.yaml", beginnings.product(name, owner).encode())
    return next((operation.scopes[0] for operation in operations if operation.scopes), ())


def _make_place(folder: Path, name: str, environment: str, data: Path) -> None:
    """The environment's file, or what to add to it."""
    from outrider.adapters.dev_key import JWKS_FILE, make_dev_key
    from outrider.gateway import beginnings
    from outrider.gateway.documents import absolute
    from outrider.gateway.faults import Refused
    from outrider.gateway.reading import environment_file, find_environment

    with suppress(Refused):
        file = find_environment(folder, environment)
        if file.exists():
            say(f"{file} is there already; add to its products:")
            typer.echo(beginnings.place(name, file.read_text("utf-8")), nl=False)
            return
    file = environment_file(folder, environment)
    keys = data / "keys"
    if not (keys / JWKS_FILE).exists():
        make_dev_key(keys)
        say(f"Made {keys / JWKS_FILE} and the key to it")
    jwks = os.path.relpath(absolute(keys / JWKS_FILE), absolute(file.parent))
    file.parent.mkdir(parents=True, exist_ok=True)
    _write(file, beginnings.environment(name, jwks).encode())


def _somebody() -> str:
    """Whoever is at the keyboard."""
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, timeout=5, check=False)
        if said.stdout.strip():
            return said.stdout.strip()[:100]
    try:
        return getuser()
    except (KeyError, OSError):
        raise typer.BadParameter("nobody knows who you are; say whose product it is", param_hint="--owner") from None


def _write(file: Path, content: bytes) -> None:
    with file.open("xb") as new:
        new.write(content)
    say(f"Made {file}")
