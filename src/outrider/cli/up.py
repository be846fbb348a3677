"""`outrider up` and `outrider run`: the platform, or one of its services, until Ctrl-C."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from outrider.cli.asking import DATA, Data, Exit
from outrider.cli.foreground import run_until_told
from outrider.flow import FLOW

if TYPE_CHECKING:
    from outrider.common.ports import Address
    from outrider.wiring import Running

NatsUrl = Annotated[
    str | None, typer.Option("--nats", metavar="URL", help="An existing NATS (see `outrider nats-config`).")
]
CatalogFolders = Annotated[
    list[Path] | None, typer.Option("--catalog", metavar="DIR", help="Your own services and models; repeatable.")
]
SERVICES = tuple(stop.service for stop in FLOW)


def up(
    data: Data = DATA,
    listen: Annotated[str, typer.Option(help="Where people connect. Port 0: any free one.")] = "127.0.0.1:8080",
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate (chain) of that listener, for HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key.")] = None,
    no_gateway: Annotated[bool, typer.Option("--no-gateway", help="Let the HTTP API listen there by itself.")] = False,
    mqtt_listen: Annotated[str, typer.Option(help="Where vehicles connect.")] = "127.0.0.1:1883",
    mqtt_tls_cert: Annotated[Path | None, typer.Option(help="Certificate (chain) of the MQTT listener.")] = None,
    mqtt_tls_key: Annotated[Path | None, typer.Option(help="Its private key.")] = None,
    nats: NatsUrl = None,
    nats_listen: Annotated[str, typer.Option(help="Where the built-in NATS listens.")] = "127.0.0.1:0",
    catalog: CatalogFolders = None,
    jwks: Annotated[str | None, typer.Option(help="File or URL of your issuer's keys; else the folder's own.")] = None,
    issuer: Annotated[str, typer.Option(help="With --jwks: whose tokens are believed.")] = "outrider",
    audience: Annotated[str, typer.Option(help="With --jwks: for whom tokens must be.")] = "outrider",
    keep_days: Annotated[float, typer.Option(min=0.001, help="Days after which settled commands are purged.")] = 90,
    quiet: Annotated[bool, typer.Option(help="Log only; print no welcome.")] = False,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start the platform and keep it running until Ctrl-C."""
    from outrider.settings import DAY, Settings
    from outrider.wiring import platform

    if (mqtt_tls_cert is None) != (mqtt_tls_key is None):
        raise typer.BadParameter("--mqtt-tls-cert and --mqtt-tls-key go together")
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key go together")
    if no_gateway and tls_cert is not None:
        raise typer.BadParameter("it is the gateway that speaks TLS: --tls-cert and --no-gateway exclude each other")
    if jwks is None and (issuer, audience) != ("outrider", "outrider"):
        raise typer.BadParameter("--issuer and --audience need --jwks: the folder's own key signs for `outrider` only")
    _check_folder(data)
    if jwks is not None and "://" not in jwks:
        _check_jwks(Path(jwks))
    if tls_cert is not None and tls_key is not None:
        _check_certificate(tls_cert, tls_key)
    settings = Settings(
        data=data,
        http_listen=_address(listen),
        gateway=not no_gateway,
        tls_cert=tls_cert,
        tls_key=tls_key,
        nats_url=nats,
        nats_listen=_address(nats_listen),
        mqtt_listen=_address(mqtt_listen),
        mqtt_tls_cert=mqtt_tls_cert,
        mqtt_tls_key=mqtt_tls_key,
        catalog=tuple(catalog or ()),
        issuer=issuer,
        audience=audience,
        jwks=jwks,
        keep_for=keep_days * DAY,
    )
    _run_until_told(lambda: platform(settings), _silence if quiet else _welcome, parent)


def run(
    service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")],
    data: Data = DATA,
    nats: NatsUrl = None,
    listen: Annotated[str, typer.Option(help="Where creation listens.")] = "127.0.0.1:8080",
    catalog: CatalogFolders = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run one service alone, beside a platform or on an existing NATS.

    On SQLite, creation and processing can't run beside `up`, for it has one writer; outgoing, incoming and admission
    can, and share the work.
    """
    from outrider import wiring
    from outrider.settings import Settings

    if service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service!r}; choose from {', '.join(SERVICES)}")
    _check_folder(data)
    settings = Settings(data=data, nats_url=nats, http_listen=_address(listen), catalog=tuple(catalog or ()))
    context = wiring.admission if service == "admission" else partial(wiring.service, name=service)
    _run_until_told(lambda: context(settings), _silence, parent)


def _address(text: str) -> "Address":
    from outrider.common.ports import Address

    try:
        return Address.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _check_folder(data: Path) -> None:
    if data.exists() and not data.is_dir():
        _refuse(f"{data} is a file and can't be the data folder: name a folder with --data")


def _check_jwks(file: Path) -> None:
    """A file is there or not, and a mistake in it would only show when everybody is refused; a URL may come later."""
    from outrider.adapters.tokens import read_jwks

    try:
        keys = read_jwks(file.read_bytes())
    except (OSError, ValueError) as error:
        _refuse(f"--jwks: {file} can't be read as a JWKS: {getattr(error, 'strerror', None) or error}")
    if not keys:
        _refuse(f"--jwks: {file} has no key that can sign tokens: ES256 or RS256 of 2048 bits, public, with a `kid`")


def _check_certificate(cert: Path, key: Path) -> None:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")  # asks for no passphrase
    except OSError as error:
        _refuse(f"--tls-cert {cert}, --tls-key {key}: no certificate with its key: {error.strerror or error}")


def _refuse(why: object) -> NoReturn:
    typer.echo(f"outrider: {why}", err=True)
    raise typer.Exit(Exit.NO)


Context = Callable[[], "AbstractAsyncContextManager[Running]"]


def _run_until_told(context: Context, tell: "Callable[[Running], None]", parent: int | None = None) -> None:
    """Run until SIGINT, SIGTERM, or the death of `parent`; then stop cleanly. What fails to start says why (exit 1)."""
    from outrider.adapters.catalog_files import CatalogError
    from outrider.adapters.data_folder import DataFolderInUse
    from outrider.adapters.nats_config import KeysUnusable
    from outrider.adapters.nats_server import NatsServerError
    from outrider.adapters.store.sqlite import DatabaseUnusable
    from outrider.front import NoGateway
    from outrider.gateway.faults import Refused
    from outrider.wiring import NoPlatform

    os.umask(0o077)  # what is made here is ours to read, also in a data folder that others made and may look into
    try:
        run_until_told(lambda told: _live(context, tell, told), parent)
    except (
        CatalogError,
        DatabaseUnusable,
        DataFolderInUse,
        KeysUnusable,
        NatsServerError,
        NoGateway,
        NoPlatform,
        Refused,
        OSError,
    ) as error:
        _refuse(error)


async def _live(context: Context, tell: "Callable[[Running], None]", told: asyncio.Event) -> None:
    """Start, and run until cancelled or a part fails, which is raised here."""
    async with context() as running:
        if told.is_set():  # nats-py swallows a cancellation here and there; then the start went on to its end
            return
        # What was built stays; and messages make little garbage in cycles, so looking for it seldom is enough
        # (measured: a twelfth of the CPU at 400 commands/s).
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        tell(running)
        await running.failed


def _silence(running: "Running") -> None:
    pass


def _welcome(running: "Running") -> None:
    """What someone needs to go on: where it is, a token, and a line that works when pasted."""
    from outrider.adapters.dev_key import mint

    settings = running.settings
    address = running.url
    lines = [f"Outrider is up at {address}" + (", behind its gateway" if running.behind else "")]
    if running.mqtt is not None:
        lines.append(f"Vehicles connect by MQTT 3.1.1 at {running.mqtt}")
    if settings.jwks is None:
        token = mint(settings.keys, "operator", "commands admin", 86_400, settings.issuer, settings.audience)
        lines += ["", "A token for `operator`, for a day:", token, "", "Try it:"]
        lines.append(f"curl -s {address}/v1/vehicles -H 'Authorization: Bearer {token}'")
    program = sys.argv[0] if Path(sys.argv[0]).name == "outrider" else "outrider"
    at = "" if settings.data == DATA else f" --data {settings.data}"
    lines += ["", f"Simulated cars, from another terminal: {program} sim run --vehicles 5{at}", "Ctrl-C stops it."]
    typer.echo("\n".join(lines))
