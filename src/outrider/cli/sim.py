"""`outrider sim`: simulated vehicles that connect to a platform as real ones do.

Their credentials are kept in the data folder (`sim-credentials.json`, readable for this user only), so that a restart
makes no new ones: a credential that was revoked stays revoked, and none are left behind by a run that was killed.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from outrider.adapters.data_folder import Note, where
from outrider.cli.asking import Json, asks, example
from outrider.cli.client import Platform, path, side_by_side
from outrider.cli.shown import complain, print_json, say
from outrider.cli.vehicle import add_grant
from outrider.common import private_files

if TYPE_CHECKING:
    from outrider.common.ports import Address

app = typer.Typer(no_args_is_help=True, help="Simulated vehicles.")

KEPT_IN = "sim-credentials.json"
BEHAVIOURS = ("normal", "already_done", "refuses", "fails", "silent", "late", "doubles")
"""The simulator's behaviours by name, here so that --help loads no simulator."""
_OWN_FILES = 200
"""Files that are open besides the vehicles' connections, with room."""


@app.command(
    "run",
    epilog=example(
        "sim run --vehicles 25",
        "sim run --vehicles 100 --model falcon-electric --behaviour silent --start 500 --record deeds.jsonl",
    ),
)
@asks
async def run(
    platform: Platform,
    vehicles: Annotated[int, typer.Option("--vehicles", min=1, metavar="N", help="How many.")] = 10,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="MODEL", help="Their model; repeatable. Default: all in turn."),
    ] = None,
    start: Annotated[int, typer.Option("--start", min=0, metavar="K", help="The first serial number in the VINs.")] = 0,
    behaviour: Annotated[
        str, typer.Option("--behaviour", metavar="NAME", help=f"How they behave: {', '.join(BEHAVIOURS)}.")
    ] = "normal",
    pace: Annotated[
        float, typer.Option("--pace", min=0.0, metavar="X", help="How much of a deed's time they take; 0: none.")
    ] = 1.0,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="Append what they received and did, as JSON lines.")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option("--mqtt", metavar="HOST:PORT", help="Where to connect; else the data folder says it.")
    ] = None,
    catalog: Annotated[
        list[Path] | None, typer.Option("--catalog", metavar="DIR", help="The platform's own catalog; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Register vehicles where they are not yet, connect them, and let them answer until Ctrl-C.

    The caller gets a grant for those that are new. They are known again after a restart.
    """
    from outrider.adapters.catalog_files import load
    from outrider.simulator import behaviour as simulated
    from outrider.simulator.fleet import Fleet, vins
    from outrider.simulator.record import Record

    if behaviour not in BEHAVIOURS:
        raise typer.BadParameter(f"{behaviour!r} is none of {', '.join(BEHAVIOURS)}", param_hint="--behaviour")
    address = vehicles_at(where(platform.target.data), mqtt)
    known = load(catalog or ())
    chosen = model or sorted(known.models)
    _check_models(chosen, known.models)
    registered = await registered_cars(platform, dict(zip(vins(vehicles, start), cycle(chosen), strict=False)))
    _check_models([car.model for car in registered], known.models)
    cars = [msgspec.structs.replace(car, behaviour=simulated.BEHAVIOURS[behaviour]) for car in registered]
    written = None if record is None else Record(record)
    _allow_open_files(len(cars))
    fleet = await Fleet.start(address.host, address.port, cars, known, pace=pace, record=written)
    try:
        await _until_stopped(_tell_when_online(fleet, cars, str(address), as_json))
    finally:
        await fleet.stop()
        if written is not None:
            written.close()
        say(f"{len(cars)} vehicles said goodbye.")


def _allow_open_files(cars: int) -> None:
    """Each connection is an open file, and the soft limit is often 1024: raise it as far as we may ourselves."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = cars + _OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _check_models(wanted: Iterable[str], models: Iterable[str]) -> None:
    there = set(models)
    if unknown := set(wanted) - there:
        message = f"no model {', '.join(sorted(unknown))} in the catalog; there are {', '.join(sorted(there))}"
        raise typer.BadParameter(message, param_hint="--model")


def vehicles_at(note: Note | None, mqtt: str | None) -> "Address":
    """Where vehicles connect: as it was said, else as the platform's note has it. Raises a BadParameter."""
    from outrider.common.ports import Address

    text = mqtt or (note.mqtt if note else None)
    if text is None:
        raise typer.BadParameter("say where vehicles connect; no data folder tells it", param_hint="--mqtt")
    try:
        return Address.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--mqtt") from None


async def registered_cars(
    platform: Platform, models: Mapping[str, str], by: Mapping[str, Platform] | None = None
) -> list[Any]:
    """The cars to simulate, each registered, usable by the caller, and with a credential; in the order of `models`.

    by: for each car who registers it and may use it, where that is not the caller.
    """
    from outrider.simulator.driver import Car

    known = {v["vin"]: v["model"] async for v in platform.items("/v1/admin/vehicles")}
    kept = _Kept(platform.target.data / KEPT_IN)

    async def register(vin: str) -> None:
        caller = platform if by is None else by[vin]
        if vin not in known:
            known[vin] = (await caller.post("/v1/admin/vehicles", {"vin": vin, "model": models[vin]}))["model"]
            await add_grant(caller, vin, caller.person, "all")
            kept.secrets.pop(vin, None)  # of a platform that was here before
        if vin not in kept.secrets:
            kept.secrets[vin] = (await caller.post(path("/v1/admin/vehicles/{}/credentials", vin), {}))["secret"]

    try:
        await side_by_side(register, models)
    finally:
        kept.save()
    return [Car(vin=vin, model=known[vin], credential=kept.secrets[vin]) for vin in models]


class _Kept:
    """The secrets of simulated vehicles, by VIN, in a file of their own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.secrets = self._read()

    def _read(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.MsgspecError):
            return {}

    def save(self) -> None:
        secrets = self._read() | self.secrets  # another fleet may have saved its own meanwhile
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private_files.write(self._file, msgspec.json.encode(secrets))


async def _tell_when_online(fleet: Any, cars: list[Any], address: str, as_json: bool) -> None:
    from outrider.simulator.fleet import online_within

    try:
        await fleet.wait_online(online_within(len(cars)))
    except TimeoutError as error:
        complain(str(error), "They go on trying.")
        await fleet.wait_online(float("inf"))
    models = Counter(car.model for car in cars)
    if as_json:
        print_json({"online": len(cars), "mqtt": address, "models": models, "vins": [car.vin for car in cars]})
    else:
        mix = ", ".join(f"{count} {model}" for model, count in sorted(models.items()))
        span = f"{cars[0].vin} to {cars[-1].vin}"
        typer.echo(f"{len(cars)} vehicles are online at {address}: {span}. Ctrl-C ends them.\n{mix}.")


async def _until_stopped(telling: Any) -> None:
    """Until Ctrl-C, or until someone asks the process to end; both are the usual end and no fault."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stopped.set)
    told = asyncio.create_task(telling)
    try:
        await stopped.wait()
    finally:
        told.cancel()
        await asyncio.gather(told, return_exceptions=True)
