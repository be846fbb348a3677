"""The Envoys of one gateway. Usually it is one; while one hands over to the next there are two, each a generation.

They are known by their command line and their user, so that no record is needed to find them, nor believed: whoever
breaks into a gateway may write to its folder, but can't make another process look like one of its Envoys. The record
`process.json` says which of them serves.
"""

import asyncio
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from outrider.common.child import Child, ChildError
from outrider.common.processes import Process, end, of_users
from outrider.common.times import rfc3339
from outrider.gateway import certificates, envoy
from outrider.gateway.draining import drain
from outrider.gateway.envoy import Admin, NotAnswering, NotRunning
from outrider.gateway.faults import Refused
from outrider.gateway.steering import steer_to
from outrider.gateway.store import Instance, Started

log = structlog.get_logger(__name__)

LIVE, DRAINING, INITIALIZING = "LIVE", "DRAINING", "INITIALIZING"
"""What an Envoy says of itself; there is a PRE_INITIALIZING, too."""
READY_WITHIN = 20.0
"""Seconds for an Envoy to serve; it takes 0.1 s, and longer where the machine is busy or a name is hard to resolve."""
_SPEAKS_WITHIN = 5.0
"""Seconds for one that was found to serve, if it is about to."""
_ANSWERS_WITHIN = 3.0
"""Seconds for one that is there to answer a question; it takes a millisecond."""
_ENDS_WITHIN = 1.0
"""Seconds for one that hangs to end when it is asked to."""
_LOOK_EVERY = 0.05
_NUMBER = re.compile(r"/admin-(\d+)\.sock")
_LISTENING = ("total_listeners_active", "total_listeners_warming", "workers_started")


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One Envoy of a gateway that was found running, and the user as whom it runs."""

    process: Process
    number: int
    user: int


def find(instances: Iterable[Instance]) -> dict[Path, list[Generation]]:
    """All that run for these gateways, by the gateway's folder (if there is one), the oldest generation first."""
    owners = {one.folder: one.folder.stat().st_uid for one in instances if one.folder.exists()}
    found: dict[Path, list[Generation]] = {folder: [] for folder in owners}
    for user, process in of_users({*owners.values(), os.geteuid()}):
        folder, number = _told(process)
        if folder in owners and number is not None and user in (owners[folder], os.geteuid()):
            found[folder].append(Generation(process=process, number=number, user=user))
    for generations in found.values():
        generations.sort(key=lambda one: one.number)
    return found


async def serving(instance: Instance, found: Iterable[Generation]) -> Generation | None:
    """The newest that serves; one that is about to is waited for. None: all are ending, or hang, or can't listen."""
    ends, there = time.monotonic() + _SPEAKS_WITHIN, sorted(found, key=lambda one: one.number, reverse=True)
    while there:
        states = {}
        for one in there:
            states[one.number] = await state(admin(instance, one.number))
            if states[one.number] == LIVE and await _listens(admin(instance, one.number)):
                return one
        if set(states.values()) == {DRAINING}:
            return None
        if time.monotonic() > ends:
            return next((one for one in there if states[one.number].endswith(INITIALIZING)), None)
        await asyncio.sleep(_LOOK_EVERY)
    return None


def is_current(instance: Instance, generation: Generation) -> bool:
    """Was it told what one that starts now would be told? Of one that is not recorded, this is taken for granted."""
    started = recorded(instance)
    return started is None or not started.process.is_same(generation.process) or started.told == told(instance)


def told(instance: Instance) -> str:
    """Changes with everything that an Envoy is told only as it starts: version, command line, bootstrap file."""
    bootstrap = instance.folder / "bootstrap.json"
    words = " ".join([envoy.version(), *envoy.argv(instance.folder, 0)[1:]])
    content = bootstrap.read_bytes() if bootstrap.exists() else b""
    return hashlib.sha256(words.encode() + content).hexdigest()[:16]


def recorded(instance: Instance) -> Started | None:
    """What the record says serves; None: nothing does, or the record was damaged."""
    try:
        return instance.process()
    except Refused:
        return None


def is_damaged(instance: Instance) -> bool:
    """Is there a record that can't be read? It tells nothing then: whoever breaks into a gateway may write there."""
    try:
        instance.process()
    except Refused:
        return True
    return False


def when_recorded(instance: Instance) -> tuple[int, int] | None:
    """Changes with the record; None: there is none."""
    try:
        found = instance.folder.joinpath("process.json").stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def admin(instance: Instance, number: int, within: float | None = None) -> Admin:
    """The admin interface of one generation."""
    return Admin(instance.folder / envoy.admin_socket(number), _ANSWERS_WITHIN if within is None else within)


async def state(its: Admin) -> str:
    """LIVE, DRAINING, or some kind of INITIALIZING; empty while it does not answer."""
    try:
        return (await its.get("/ready")).strip()
    except (NotRunning, NotAnswering):
        return ""


async def take_over(instance: Instance, generation: Generation, again: Callable[[], bool]) -> Child:
    """Watch one that runs already. ChildError if it ends, or does not serve in time."""
    child = _child(instance, generation.number, generation.user, again)
    await child.start(adopt=generation.process)
    return child


async def begin(
    instance: Instance,
    after: Iterable[Generation],
    user: int,
    again: Callable[[], bool] = lambda: True,
    *,
    succeeds: bool = False,
) -> tuple[Child, int]:
    """Start the next generation, as this user, and watch it. ChildError if it ends, or does not serve in time.

    From when it serves on it is the one that others talk to. succeeds: another serves, which has its certificates.
    """
    started = recorded(instance)
    number = 1 + max([*(one.number for one in after), started.generation if started else 0])
    child = _child(instance, number, user, again, succeeds=succeeds)
    await child.start()
    return child, number


async def succeed(instance: Instance, old: Generation, again: Callable[[], bool] = lambda: True) -> tuple[Child, int]:
    """Start the next generation beside the present one, which is to be dismissed then: new connections are the new
    one's already. ChildError: it does not serve, and nothing has changed.
    """
    child, number = await begin(instance, [old], old.user, again, succeeds=True)
    if child.process:
        await asyncio.to_thread(steer_to, child.process.pid)
    return child, number


async def end_silent(instance: Instance, found: Iterable[Generation]) -> None:
    """End those that do not answer: they serve nobody, and take what others should get."""
    for one in found:
        if not await state(admin(instance, one.number)):
            log.warning("gateway_hangs", folder=str(instance.folder), pid=one.process.pid)
            await _end(instance, one, _ENDS_WITHIN)


async def dismiss(instance: Instance, generation: Generation, *, grace: float, succeeded: bool = False) -> None:
    """Let one finish, and end it."""
    left = await drain(admin(instance, generation.number), grace=grace, succeeded=succeeded)
    if left.requests:
        log.warning("requests_cut", folder=str(instance.folder), pid=generation.process.pid, requests=left.requests)
    await _end(instance, generation)


async def _end(instance: Instance, generation: Generation, within: float = 5.0) -> None:
    await end(generation.process, within)
    with suppress(OSError):
        instance.folder.joinpath(envoy.admin_socket(generation.number)).unlink()


def _child(instance: Instance, number: int, user: int, again: Callable[[], bool], *, succeeds: bool = False) -> Child:
    first = True

    async def serves() -> bool:
        its = admin(instance, number)
        if await state(its) != LIVE or not await _listens(its):
            return False
        if files := await certificates.missing(instance, its):
            if succeeds and first:
                raise ChildError(f"a new Envoy can't load {' or '.join(files)}; mend that first")
            # There is no better one, and it loads them as soon as they are mended.
            log.error("gateway_without_certificate", folder=str(instance.folder), files=files)
        return True

    async def on_ready(process: Process) -> None:
        nonlocal first
        first = False
        _point(instance, envoy.admin_socket(number))
        record(instance, process, number)

    return Child(
        envoy.argv(instance.folder, number),
        output=instance.folder / "envoy.log",
        ready=serves,
        on_ready=on_ready,
        ready_within=READY_WITHIN,
        cwd=instance.folder,
        user=None if user == os.geteuid() else user,
        again=again,
    )


def record(instance: Instance, process: Process, number: int) -> None:
    """From now on it serves."""
    before = recorded(instance)
    if before and before.process.is_same(process):
        return  # adopted: what it was told when it started is known, and may not be what it would be told now
    shutil.rmtree(instance.folder / "process.json", ignore_errors=True)  # nothing can replace a folder
    now = rfc3339(time.time())
    started = Started(process=process, generation=number, at=now, envoy=envoy.version(), told=told(instance))
    instance.set_process(started)


def _point(instance: Instance, name: str) -> None:
    """Make `admin.sock` lead to the socket of the generation that serves."""
    link, draft = instance.folder / "admin.sock", instance.folder / f".admin.sock.{os.getpid()}"
    if link.is_symlink() and os.readlink(link) == name:
        return
    draft.unlink(missing_ok=True)
    draft.symlink_to(name)
    if os.geteuid() == 0:
        owner = instance.folder.stat()
        os.chown(draft, owner.st_uid, owner.st_gid, follow_symlinks=False)
    draft.replace(link)


def tidy(instance: Instance, living: Iterable[Generation]) -> None:
    """Remove the admin sockets of those that are gone."""
    kept = {envoy.admin_socket(one.number) for one in living}
    for file in instance.folder.glob("admin-*.sock"):
        if file.name not in kept:
            file.unlink(missing_ok=True)


async def _listens(its: Admin) -> bool:
    """Are its listeners open? One whose configuration was refused is there as well, and listens nowhere."""
    try:
        figures = await its.stats(rf"^listener_manager\.({'|'.join(_LISTENING)})$")
    except (NotRunning, NotAnswering):
        return False
    active, warming, started = (int(figures.get(f"listener_manager.{name}", 0)) for name in _LISTENING)
    return active > 0 and warming == 0 and started > 0


def _told(process: Process) -> tuple[Path, int | None]:
    """Folder and generation, from the command line of an Envoy as we start it."""
    program, _, rest = process.command.partition(" -c ")
    file, own, options = rest.partition("/bootstrap.json --config-yaml ")
    number = _NUMBER.search(options)
    if not (own and number and Path(program).name.startswith("envoy")):
        return Path(), None
    return Path(file), int(number[1])
