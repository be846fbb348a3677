"""A real platform with simulated vehicles, one for all tests of the command line."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from outrider.adapters.data_folder import where

ANY_PORT = "127.0.0.1:0"
OUTRIDER = (sys.executable, "-c", "from outrider.cli import main; main()")


class Child:
    """A command line that runs beside the test, with its output in a file, until the block ends."""

    def __init__(self, log: Path, *words: str | Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen([*OUTRIDER, *map(str, words)], stdout=out, stderr=subprocess.STDOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def says(self, words: str, within: float = 20.0) -> str:
        """What it has said so far, once these words are among it."""
        ends = time.monotonic() + within
        while words not in (said := self.log.read_text()):
            assert self.process.poll() is None, said
            assert time.monotonic() < ends, said
            time.sleep(0.02)
        return said

    def stop(self) -> int:
        """Press Ctrl-C, if it has not ended yet, and say with which code it did."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()


class Running:
    """A platform that runs: its data folder, and the VINs of a vehicle that obeys and of one that refuses."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.obeys, self.refuses = "0UTR1DERS00000000", "0UTR1DERS00000100"

    @property
    def api(self) -> str:
        """The API's address."""
        note = where(self.data)
        assert note is not None
        return note.api


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`outrider up` with two fleets, ended with Ctrl-C."""
    folder = tmp_path_factory.mktemp("cli")
    data = folder / "data"
    fleet = ("sim", "run", "--data", data, "--model", "falcon-electric", "--pace", "0", "--vehicles")
    with Child(folder / "up.log", "up", "--data", data, "--listen", ANY_PORT, "--mqtt-listen", ANY_PORT) as up:
        up.says("Outrider is up")
        with (
            Child(folder / "obeys.log", *fleet, "3") as obeys,
            Child(folder / "refuses.log", *fleet, "1", "--start", "100", "--behaviour", "refuses") as refuses,
        ):
            obeys.says("online")
            refuses.says("online")
            yield Running(data)
    assert [child.stop() for child in (up, obeys, refuses)] == [0, 0, 0]
