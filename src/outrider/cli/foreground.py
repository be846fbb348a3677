"""What commands have in common that run until Ctrl-C: signals, the log, the event loop, and limits."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
_TOLD_BY = (signal.SIGINT, signal.SIGTERM)
Life = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""What runs; it is handed the event that is set as soon as it was told to end."""


async def unless_told(work: Coroutine[Any, Any, T]) -> T:
    """Do it, unless SIGTERM comes; then everything is stopped, as with Ctrl-C."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def run_until_told(life: Life, parent: int | None = None) -> None:
    """Run it to its end, or until SIGINT, SIGTERM or the death of `parent`; then it is cancelled, and puts its things
    away. What it raises is raised here.
    """
    log_to_stderr()
    open_as_many_files_as_allowed()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_until_told(life, parent))


async def _until_told(life: Life, parent: int | None) -> None:
    """Live until told, be it while still starting. Told twice is told once: putting things away is not cut short."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in _TOLD_BY:
        loop.add_signal_handler(number, told.set)
    orphaned = asyncio.create_task(_when_orphaned(parent, told))
    living, waiting = asyncio.create_task(life(told)), asyncio.create_task(told.wait())
    await asyncio.wait((living, waiting), return_when=asyncio.FIRST_COMPLETED)
    _stop_listening(loop)
    orphaned.cancel()
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living


def _stop_listening(loop: asyncio.AbstractEventLoop) -> None:
    """To signals, to the end of this process. They are held back meanwhile, for between the loop's handler and none is
    Python's own, and it would end us in the middle.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD_BY)
    for number in _TOLD_BY:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _TOLD_BY)


async def _when_orphaned(parent: int | None, told: asyncio.Event) -> None:
    """Stop when the process that started this one is gone, however it went."""
    while parent is not None and os.getppid() == parent:
        await asyncio.sleep(0.5)
    if parent is not None:
        told.set()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loops where there is uvloop; None: Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def open_as_many_files_as_allowed() -> None:
    """Every vehicle and every client is an open file of ours or of a program that we start, which inherits this."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit; some allow less than they say
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def log_to_stderr(*, to_the_end: bool = True) -> None:
    """Events as JSON, or for people where there is a terminal; to the end of this process, which is faster, or not."""
    import structlog

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=to_the_end,
    )
