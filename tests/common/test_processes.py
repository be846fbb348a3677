import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from outrider.common import processes

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEPER, start_new_session=True) as child:
        yield child
        child.kill()


def test_a_live_process_is_seen_with_its_command(sleeper: subprocess.Popen[bytes]) -> None:
    """A process is known by its id and start, and shows what was called."""
    seen = processes.look(sleeper.pid)

    assert seen is not None
    assert seen.command == " ".join(SLEEPER)
    assert seen.alive()
    assert seen in list(processes.ours())


def test_ps_and_proc_agree_on_who_runs(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no /proc, ps tells the same of a process, and calls its start the same each time."""
    if not any(Path(folder, "ps").exists() for folder in ("/bin", "/usr/bin")):
        pytest.skip("no ps here")
    by_proc = processes.look(sleeper.pid)
    monkeypatch.setattr(processes, "_PROC", Path("/nowhere"))
    by_ps = processes.look(sleeper.pid)

    assert by_proc is not None
    assert by_ps is not None
    assert (by_ps.pid, by_ps.command) == (by_proc.pid, by_proc.command)
    assert by_ps.alive()
    assert sleeper.pid in {process.pid for process in processes.ours()}


def test_a_zombie_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    """A process that ended but was not waited for counts as gone."""
    seen = processes.look(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert seen is not None
    assert not seen.alive()


@pytest.mark.parametrize("told", [True, False], ids=["told by the system", "looked at"])
async def test_the_end_of_a_process_is_seen(
    sleeper: subprocess.Popen[bytes], told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for a process lasts as long as it lives, whoever started it, and not at all once it is gone."""
    if not told:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    seen = processes.look(sleeper.pid)
    assert seen is not None
    waiting = asyncio.create_task(processes.until_gone(seen))
    await asyncio.sleep(0)
    assert not waiting.done()

    sleeper.kill()

    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(processes.until_gone(seen), 5)


async def test_a_process_that_got_an_old_id_is_spared(sleeper: subprocess.Popen[bytes]) -> None:
    """An id that passed to another process is recognised by the start, and that process is not touched."""
    seen = processes.look(sleeper.pid)
    assert seen is not None
    earlier = msgspec.structs.replace(seen, started="0")

    assert not earlier.alive()
    await processes.end(earlier, within=0.2)

    assert seen.alive()


async def test_who_ignores_the_request_to_end_is_killed() -> None:
    """SIGTERM first, SIGKILL when patience is over."""
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=True, stdout=subprocess.PIPE)
    assert child.stdout
    await asyncio.to_thread(child.stdout.readline)
    seen = processes.look(child.pid)
    assert seen is not None

    await processes.end(seen, within=0.2)

    assert child.wait(timeout=1) == -9
    child.stdout.close()
