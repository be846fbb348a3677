"""Long things that mostly wait begin before the first test and go on beside the tests; who asks for one waits for it.

They run in processes of their own, so what a test does to its process (environment, folder, logging) is not done to
them; a few at a time, in the order in which tests will ask.
"""

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

AT_ONCE = 2
"""As many as leave the tests themselves a part of two processors."""

Way = tuple[str, str]
"""A module and the name of a function in it."""
_WAYS: dict[Way, Callable[[Path], Any]] = {}


def beside(do: Callable[[Path], Any]) -> Any:
    """A fixture for the tests of the function's module: what it returned, given a folder of its own.

    It has been begun when the session was; what it returns must be picklable, and what it raises is raised for each
    test that asks.
    """
    way = do.__module__, do.__name__
    _WAYS[way] = do

    @pytest.fixture(scope="session", name=do.__name__)
    def result(under_way: Mapping[Way, "Future[Any]"]) -> Any:
        return under_way[way].result(timeout=300)

    return result


@contextmanager
def begun(items: Iterable[pytest.Item], new_folder: Callable[[str], Path]) -> Iterator[Mapping[Way, "Future[Any]"]]:
    """All that these tests will ask for, under way; until the block ends, and with it what nobody asked for."""
    wanted = dict.fromkeys(
        (item.module.__name__, name)
        for item in items
        if isinstance(item, pytest.Function)
        for name in item.fixturenames
        if (item.module.__name__, name) in _WAYS
    )
    folder, apart = new_folder("beside"), multiprocessing.get_context("spawn")
    over = folder / "over"
    with ProcessPoolExecutor(AT_ONCE, apart, _begin, (folder / "said.txt",)) as pool:
        results = {way: pool.submit(_go, way, new_folder(way[1]), over) for way in wanted}
        try:
            yield results
        finally:
            if not all(one.done() for one in results.values()) and not over.exists():
                over.touch()
                for process in multiprocessing.active_children():
                    assert process.pid
                    os.kill(process.pid, signal.SIGINT)
            pool.shutdown(cancel_futures=True)


def _go(way: Way, folder: Path, over: Path) -> Any:
    """over: is there once somebody gave up, and some are on their way here already."""
    if over.exists():
        return None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        importlib.import_module(way[0])
        return _WAYS[way](folder)
    except KeyboardInterrupt:
        over.touch()
        raise
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _begin(file: Path) -> None:
    """What they print is not the output of whichever test runs meanwhile. Only what goes on can be interrupted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with file.open("ab") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
