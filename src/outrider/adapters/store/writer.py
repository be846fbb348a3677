"""Group commit: one connection, one transaction for all the work that is there now.

A lonely piece of work goes straight through; under load the pieces that gather while the disk is busy share the next
commit. Each runs in a savepoint, so that one that fails takes no other with it.

The statements run on the event loop and only the commit, which waits for the disk, in a thread: a statement is
shorter than handing the interpreter lock to and fro, and nobody has to be woken up in another thread.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
Job = tuple[Work, asyncio.Future[Any]]

MOST_PER_COMMIT = 500
PRAGMAS = (
    "pragma journal_mode = wal",
    "pragma synchronous = full",  # a 202 survives power loss (law 3)
    "pragma foreign_keys = on",
    "pragma busy_timeout = 0",
    "pragma cache_size = -65536",
    "pragma journal_size_limit = 67108864",
)


class Writer:
    """The one that writes. `patience`: seconds to wait for someone else's lock, a person's with a database tool."""

    def __init__(self, path: Path, patience: float = 5.0) -> None:
        self.patience = patience
        self._jobs: deque[Job] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._disk = ThreadPoolExecutor(1, "store-commit")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        self._db.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            self._db.execute(pragma)

    def close(self) -> None:
        """Let a commit that is under way finish, then close; what was not begun is not done."""
        self._disk.shutdown(wait=True)
        self._db.close()

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction; what it did is on disk when this returns. What it raises is raised here."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append((work, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        """Commit after commit, while there is work."""
        try:
            while self._jobs:
                jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), MOST_PER_COMMIT))]
                _resolve(jobs, await self._commit([work for work, _ in jobs]))
        finally:
            self._writing = None

    async def _commit(self, work: list[Work]) -> list[Any]:
        """What each piece returned, or the exception it raised; where the commit itself fails, that for all."""
        try:
            await self._begin()
            outcomes = [self._attempt(piece) for piece in work]
            await self._aside(self._db.execute, "commit")
        except Exception as error:
            with suppress(sqlite3.ProgrammingError):  # closed meanwhile: then there is nothing to undo
                self._db.rollback()
            return [error] * len(work)
        return outcomes

    async def _begin(self) -> None:
        """Take the lock; if someone else holds it, wait for it where nobody else has to wait too."""
        try:
            self._db.execute("begin immediate")
        except sqlite3.OperationalError:
            await self._aside(self._begin_patiently)

    def _begin_patiently(self) -> None:
        self._db.execute(f"pragma busy_timeout = {int(self.patience * 1000)}")
        try:
            self._db.execute("begin immediate")
        finally:
            self._db.execute("pragma busy_timeout = 0")

    async def _aside(self, work: Callable[..., Any], *args: Any) -> None:
        """Do what waits for the disk or for others in the thread."""
        await asyncio.get_running_loop().run_in_executor(self._disk, work, *args)

    def _attempt(self, piece: Work) -> Any:
        self._db.execute("savepoint piece")
        try:
            outcome = piece(self._db)
        except Exception as error:
            self._db.execute("rollback to piece")
            outcome = error
        self._db.execute("release piece")
        return outcome


def _resolve(jobs: list[Job], outcomes: list[Any]) -> None:
    for (_, future), outcome in zip(jobs, outcomes, strict=True):
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
