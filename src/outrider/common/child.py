"""Keeping one program running: start it, wait until it is ready, start it again when it dies, end it.

It knows nothing of what the program is for. The child leads a session of its own, so a Ctrl-C in the terminal
does not reach it and it outlives a platform that was killed; the next platform can take it over.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog

from outrider.common.processes import Process, end, look, until_gone

log = structlog.get_logger(__name__)

_LOOK_EVERY = 0.05
"""Seconds between two questions whether it is ready."""
_STEADY_AFTER = 10.0
"""Seconds of life after which a death is the first again, not one more in a row."""
_OUTPUT_LIMIT = 1_000_000
"""Bytes of output above which the next start puts the old output aside as `*.1`."""


class ChildError(Exception):
    """A program that was started ended, or did not get ready in time; the message ends with its last words."""


def backoff(deaths: int) -> float:
    """Seconds to wait before the next start, after so many deaths in a row (at least one): none after the first."""
    return min(0.2 * 2.0 ** min(deaths - 2, 10), 5.0) if deaths > 1 else 0.0


class Child:
    """One program, kept running from `start` to `stop`.

    `ready` is asked until it says yes. `on_ready` is told each process that got ready, the first, the adopted
    and the restarted. Standard output and error go to the file `output`. It runs in the folder `cwd`, as the user (and
    the group) of the number `user`, which only root may ask for. `again` is asked at each death: False, and the watch
    is over.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        output: Path,
        ready: Callable[[], Awaitable[bool]],
        on_ready: Callable[[Process], Awaitable[None]],
        ready_within: float = 60.0,
        stop_within: float = 5.0,
        cwd: Path | None = None,
        user: int | None = None,
        again: Callable[[], bool] = lambda: True,
    ) -> None:
        self.process: Process | None = None
        self.restarts = 0
        self._argv = tuple(argv)
        self._output = output
        self._ready = ready
        self._on_ready = on_ready
        self._ready_within = ready_within
        self._stop_within = stop_within
        self._cwd = cwd
        self._user = user
        self._again = again
        self._own: subprocess.Popen[bytes] | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, adopt: Process | None = None) -> None:
        """Start the program, or take over the running process `adopt`; return when it is ready. ChildError."""
        try:
            if adopt:
                self.process = adopt
            else:
                self._spawn()
            async with asyncio.timeout(self._ready_within):
                if not await self._until_ready():
                    raise ChildError(f"{self._name} ended while it was starting: {self._last_words()}")
            await self._on_ready(self._running)
        except TimeoutError:
            await self._end()
            within = f"{self._ready_within:g} s"
            raise ChildError(f"{self._name} was not ready within {within}: {self._last_words()}") from None
        except BaseException:
            await self._end()
            raise
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self._name}")

    async def stop(self) -> None:
        """End it: SIGTERM, then SIGKILL. Nothing is left behind. Stopping twice does no harm."""
        await self.unwatch()
        await self._end()

    async def unwatch(self) -> None:
        """From now on it may end by itself; it lives on until then, or until `stop`."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None

    @property
    def watched(self) -> bool:
        """Would a death be followed by a start?"""
        return self._keeper is not None and not self._keeper.done()

    @property
    def _name(self) -> str:
        return Path(self._argv[0]).name

    @property
    def _running(self) -> Process:
        assert self.process is not None
        return self.process

    async def _keep(self) -> None:
        deaths, born = 0, time.monotonic()
        while True:
            await self._until_dead()
            if not self._again():
                return
            deaths = 1 if time.monotonic() - born > _STEADY_AFTER else deaths + 1
            log.warning("child_died", program=self._name, pid=self._running.pid, again_in=backoff(deaths))
            await asyncio.sleep(backoff(deaths))
            born = time.monotonic()
            try:
                self._spawn()
                self.restarts += 1
                # No limit here: a large store may take minutes to open, and killing it would begin that anew.
                if await self._until_ready():
                    log.info("child_restarted", program=self._name, pid=self._running.pid, restarts=self.restarts)
                    await self._on_ready(self._running)
            except Exception:  # the keeper outlives whatever befalls one start: no binary, no memory, no disk
                log.exception("child_not_restarted", program=self._name)

    def _spawn(self) -> None:
        if self._output.exists() and self._output.stat().st_size > _OUTPUT_LIMIT:
            self._output.replace(f"{self._output}.1")
        # The folder may be another user's, who must not lead us to a file elsewhere.
        descriptor = os.open(self._output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if self._user is not None:
                os.fchown(descriptor, self._user, self._user)
            self._own = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
                cwd=self._cwd,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else (),
            )
        finally:
            os.close(descriptor)
        # It is our child and not waited for yet, so its id cannot have passed to another; it may have ended.
        self.process = look(self._own.pid) or Process(pid=self._own.pid, started="", command="")

    def _alive(self) -> bool:
        if self._own:
            return self._own.poll() is None
        return self.process is not None and self.process.alive()

    async def _until_ready(self) -> bool:
        """True when it is ready, False when it is dead."""
        while self._alive():
            if await self._ready():
                return True
            await asyncio.sleep(_LOOK_EVERY)
        return False

    async def _until_dead(self) -> None:
        while self._alive():
            await until_gone(self._running)

    async def _end(self) -> None:
        if self.process:
            await end(self.process, self._stop_within)
        if self._own:
            self._own.wait()  # no zombie stays; it is dead already, so this takes no time
        self.process = self._own = None

    def _last_words(self) -> str:
        return last_words(self._output) or "it said nothing"


def last_words(file: Path, lines: int = 5) -> str:
    """The last lines of a text file, empty if there is none."""
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - 4096))
            return "\n".join(opened.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""
