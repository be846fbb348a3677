"""A platform of one's own: a process of its own on free ports, in a data folder that nothing else uses.

Only this module knows how such a platform is started, when it can be used, and how it is ended so that nothing of it
stays behind.
"""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import IO

import msgspec

from outrider.adapters.data_folder import where
from outrider.cli.client import Target
from outrider.cli.shown import say
from outrider.common.child import last_words
from outrider.common.ports import Address
from outrider.common.processes import end, ours

READY_WITHIN = 60.0
"""Seconds for a platform to answer: a busy machine starts it slowly."""
STOPS_WITHIN = 10.0
"""Seconds for a process to end when it is asked to, before it is killed."""
_LOOK_EVERY = 0.05


class NotStarted(Exception):
    """A process that is needed did not start; the message ends with its last words and names its log."""


class OwnPlatform(msgspec.Struct, frozen=True, kw_only=True):
    """A platform that runs for us. `mqtt`: where vehicles connect."""

    pid: int
    target: Target
    mqtt: Address


class Folder:
    """A temporary folder that is removed, unless someone has reason to look into it: then `keep` it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = False

    def keep(self) -> None:
        """Leave it where it is."""
        self.kept = True


@asynccontextmanager
async def temporary_folder(name: str) -> AsyncIterator[Folder]:
    """A new folder, readable for this user only; stays if it is kept, or if something went wrong."""
    folder = Folder(Path(tempfile.mkdtemp(prefix=f"outrider-{name}-")).resolve())
    try:
        yield folder
    except Exception:
        folder.keep()
        say(f"What was written until then is kept in {folder.path}")
        raise
    finally:
        if not folder.kept:
            rmtree(folder.path, ignore_errors=True)


@asynccontextmanager
async def own_platform(data: Path, *options: str) -> AsyncIterator[OwnPlatform]:
    """A platform on this folder, ready to be asked, until the block ends; `options` of `up`. Raises NotStarted."""
    log, listen = data / "platform.log", ("--listen", "127.0.0.1:0", "--mqtt-listen", "127.0.0.1:0")
    argv = ("-m", "outrider", "up", "--data", str(data), *listen, "--quiet", "--parent", str(os.getpid()), *options)
    try:
        async with child(argv, log) as process:
            yield await _ready(data, log, process)
    finally:
        for left in [one for one in ours() if str(data) in one.command]:  # what a killed platform leaves behind
            await end(left)


async def _ready(data: Path, log: Path, process: Process) -> OwnPlatform:
    """The platform once it says that it is ready."""
    import httpx

    with suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN), httpx.AsyncClient(trust_env=False) as http:
            while process.returncode is None:
                told = where(data)
                if told is not None and told.mqtt is not None and await _says_yes(http.get, f"{told.api}/readyz"):
                    if told.no_gateway:
                        why = told.no_gateway.rstrip(".")
                        say(f"It goes on without its gateway: {why}; `outrider doctor` says more.")
                    target = Target(data=data, url=told.api)
                    return OwnPlatform(pid=process.pid, target=target, mqtt=Address.parse(told.mqtt))
                await asyncio.sleep(_LOOK_EVERY)
    raise NotStarted(f"The platform did not start: {last_words(log) or 'it said nothing'}\nIts log is {log}")


async def _says_yes(get: Callable[[str], object], url: str) -> bool:
    import httpx

    with suppress(httpx.TransportError):
        return bool((await get(url)).is_success)  # type: ignore[misc]
    return False


@asynccontextmanager
async def child(argv: Sequence[str], log: Path, *, talks: bool = False) -> AsyncIterator[Process]:
    """A Python process with these arguments, until the block ends; what it says goes to its log."""
    async with program((sys.executable, *argv), log, talks=talks) as process:
        yield process


@asynccontextmanager
async def program(
    argv: Sequence[str], log: Path, *, talks: bool = False, stops_within: float = STOPS_WITHIN
) -> AsyncIterator[Process]:
    """Any program, until the block ends; what it says goes to its log.

    It leads a session of its own, so that a Ctrl-C reaches only us and we end it in order. `talks`: its input and
    output are pipes, and it is asked to end by the end of its input.
    """
    with _private(log) as written:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE if talks else DEVNULL,
            stdout=asyncio.subprocess.PIPE if talks else written,
            stderr=written,
            start_new_session=True,
            limit=2**20,
        )
    try:
        yield process
    finally:
        await asyncio.shield(_ended(process, stops_within))


async def _ended(process: Process, within: float) -> None:
    """Asked to end, by the end of its input or by SIGTERM; killed when it does not listen."""
    with suppress(ProcessLookupError):
        if process.stdin is not None:
            process.stdin.close()
        else:
            process.terminate()
    try:
        await asyncio.wait_for(process.wait(), within)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _private(log: Path) -> IO[bytes]:
    return open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb")
