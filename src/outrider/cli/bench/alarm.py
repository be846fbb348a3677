"""An alarm that wakes an event loop at its moment, to some ten microseconds.

Event loops count their timers in milliseconds, which is more than what a proxy adds to a request. On Linux a timerfd
does better, and costs less than a timer of the loop; elsewhere the loop's own timers have to do.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

_MONOTONIC, _ABSOLUTE = 1, 1
_SECOND = 1_000_000_000


class _Setting(ctypes.Structure):
    """`struct itimerspec`: the interval, which is not used, and the moment."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("every_s", "every_ns", "at_s", "at_ns"))


class Alarm:
    """Calls `ring` at the moment for which it was set last, until it is closed. Moments are those of `monotonic()`."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._system: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._file = -1
        if self._system is not None:
            self._file = self._system.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file >= 0:
            self._loop.add_reader(self._file, self._rings)

    def set(self, at: float) -> None:
        """Ring then, or at once if that is past."""
        if self._file >= 0:
            setting = _Setting(0, 0, *divmod(max(int(at * _SECOND), 1), _SECOND))
            self._system.timerfd_settime(self._file, _ABSOLUTE, ctypes.byref(setting), None)
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, at - monotonic()), self._ring)

    def close(self) -> None:
        """It rings no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._file >= 0:
            self._loop.remove_reader(self._file)
            os.close(self._file)
            self._file = -1

    def _rings(self) -> None:
        with suppress(BlockingIOError):  # it was set anew in between
            os.read(self._file, 8)
            self._ring()
