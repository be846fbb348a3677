"""What runs until Ctrl-C."""

import signal
import subprocess
import sys
from contextlib import suppress

import pytest

LIFE = """
from outrider.cli.foreground import run_until_told

async def life(told):
    print("lives", flush=True)
    try:
        await told.wait()
    finally:
        print("puts its things away", flush=True)

run_until_told(life)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_without_a_pause(number: signal.Signals) -> None:
    """However often and however quickly it is told, it puts its things away once, and that was no failure."""
    with subprocess.Popen([sys.executable, "-c", LIFE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "lives\n"
        while process.poll() is None:
            with suppress(ProcessLookupError):
                process.send_signal(number)
        assert process.stdout.read() == "puts its things away\n"
    assert process.returncode == 0
