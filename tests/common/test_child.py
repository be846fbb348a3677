import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from outrider.common import child as child_module
from outrider.common.child import Child, ChildError, backoff
from outrider.common.processes import Process, look


class Watched:
    """A child under test with what it reported."""

    def __init__(self, folder: Path, script: str, **settings: Any) -> None:
        self.told: asyncio.Queue[Process] = asyncio.Queue()
        self.output = folder / "out"
        self.argv = [sys.executable, "-c", script]
        self.child = Child(self.argv, output=self.output, ready=self.ready, on_ready=self.told.put, **settings)

    async def ready(self) -> bool:
        return "ready" in self.output.read_text()

    async def next(self) -> Process:
        return await asyncio.wait_for(self.told.get(), 5)


Watch = Callable[..., Watched]


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    """Makes children under test; whatever a test leaves running is stopped."""
    made: list[Watched] = []

    def make(script: str, **settings: Any) -> Watched:
        made.append(Watched(tmp_path, script, **settings))
        return made[-1]

    yield make
    for watched in made:
        await watched.child.stop()


SERVE = "import time; print('ready', flush=True); time.sleep(60)"


async def test_it_runs_until_it_is_stopped(watch: Watch) -> None:
    """Start returns when the program is ready, stop when it is gone."""
    watched = watch(SERVE)

    await watched.child.start()
    process = await watched.next()
    assert process.alive()

    await watched.child.stop()
    assert look(process.pid) is None


async def test_ctrl_c_in_the_terminal_does_not_reach_it(watch: Watch) -> None:
    """It leads a session of its own, outside the terminal's foreground group."""
    watched = watch(SERVE)
    await watched.child.start()
    process = await watched.next()

    assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid


async def test_when_it_dies_it_is_started_again_and_that_is_told(watch: Watch) -> None:
    """A death is followed by a start, each reported; two deaths by two."""
    watched = watch(SERVE)
    await watched.child.start()
    first = await watched.next()

    os.kill(first.pid, signal.SIGKILL)
    second = await watched.next()
    os.kill(second.pid, signal.SIGKILL)
    third = await watched.next()

    assert len({first.pid, second.pid, third.pid}) == 3
    assert third.alive()
    assert watched.child.restarts == 2
    await watched.child.stop()
    assert not third.alive()


async def test_a_listener_that_fails_does_not_end_the_watch(watch: Watch) -> None:
    """Whatever the report causes, the next death is followed by a start as well."""
    watched = watch(SERVE)
    await watched.child.start()
    first = await watched.next()

    async def fail(process: Process) -> None:
        watched.told.put_nowait(process)
        raise RuntimeError("the listener is broken")

    watched.child._on_ready = fail
    os.kill(first.pid, signal.SIGKILL)
    second = await watched.next()
    os.kill(second.pid, signal.SIGKILL)

    assert (await watched.next()).alive()


async def test_a_program_that_ends_at_once_is_an_error_with_its_last_words(watch: Watch) -> None:
    """What the program complained of is in the message."""
    watched = watch("import sys; sys.exit('the configuration is wrong')")

    with pytest.raises(ChildError, match="the configuration is wrong"):
        await watched.child.start()
    assert watched.child.process is None


async def test_a_program_that_never_gets_ready_is_an_error_and_is_ended(watch: Watch) -> None:
    """Nothing half-started stays behind."""
    watched = watch("import os, time; print(os.getpid(), flush=True); time.sleep(60)", ready_within=0.5)

    with pytest.raises(ChildError, match="not ready within"):
        await watched.child.start()
    assert look(int(watched.output.read_text())) is None


async def test_a_running_process_is_adopted_watched_and_stopped(watch: Watch) -> None:
    """A process that another platform started is ours from then on: its death is seen, its successor is our child."""
    watched = watch(SERVE)
    watched.output.write_text("ready")
    left = subprocess.Popen(watched.argv, start_new_session=True)
    process = look(left.pid)
    assert process is not None

    await watched.child.start(adopt=process)
    assert await watched.next() == process
    left.kill()
    left.wait()
    successor = await watched.next()

    assert successor.pid != process.pid
    await watched.child.stop()
    assert not successor.alive()


async def test_stopping_an_adopted_process_ends_it(watch: Watch) -> None:
    """Stop means gone, whoever the parent is."""
    watched = watch(SERVE)
    watched.output.write_text("ready")
    left = subprocess.Popen(watched.argv, start_new_session=True)
    await watched.child.start(adopt=look(left.pid))

    await watched.child.stop()

    assert left.wait(timeout=1) == -signal.SIGTERM


async def test_it_runs_in_the_folder_that_it_is_given(watch: Watch, tmp_path: Path) -> None:
    """Relative names in its configuration are of that folder."""
    folder = tmp_path / "own"
    folder.mkdir()
    watched = watch("open('here', 'w').close(); " + SERVE, cwd=folder)

    await watched.child.start()

    assert folder.joinpath("here").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start a program as another user")
async def test_it_runs_as_the_user_that_it_is_given(watch: Watch) -> None:
    """It has that user's and that group's rights and no others, and its output is that user's."""
    watched = watch("", user=61000, cwd=Path("/"))
    # Not this Python, which may be for root's eyes only.
    watched.child._argv = ("/bin/sh", "-c", "id -u; id -G; echo ready; exec sleep 60")

    await watched.child.start()

    assert watched.output.read_text() == "61000\n61000\nready\n"
    assert watched.output.stat().st_uid == watched.output.stat().st_gid == 61000


async def test_output_never_goes_where_a_link_leads(watch: Watch, tmp_path: Path) -> None:
    """Whoever may write to the folder can't make us write to a file elsewhere."""
    watched = watch(SERVE)
    watched.output.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        await watched.child.start()
    assert not tmp_path.joinpath("elsewhere").exists()


async def test_a_death_after_which_it_is_not_wanted_again_ends_the_watch(watch: Watch) -> None:
    """Who ended it on purpose does not find it back a moment later."""
    asked: asyncio.Queue[None] = asyncio.Queue()
    watched = watch(SERVE, again=lambda: asked.put_nowait(None))
    await watched.child.start()
    process = await watched.next()

    os.kill(process.pid, signal.SIGKILL)
    await asyncio.wait_for(asked.get(), 5)
    await asyncio.sleep(0)

    assert watched.child._keeper is not None
    assert watched.child._keeper.done()
    assert watched.child.restarts == 0


async def test_what_is_watched_no_more_lives_on_until_it_is_stopped(watch: Watch) -> None:
    """It may finish what it has to do; its end is then no death to mend."""
    watched = watch(SERVE)
    await watched.child.start()
    process = await watched.next()

    await watched.child.unwatch()
    assert process.alive()

    await watched.child.stop()
    assert not process.alive()


async def test_old_output_is_put_aside_when_it_has_grown(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output of a program that dies again and again does not fill the disk."""
    monkeypatch.setattr(child_module, "_OUTPUT_LIMIT", 10)
    watched = watch(SERVE)
    watched.output.write_text("much that was said before")

    await watched.child.start()

    assert watched.output.read_text() == "ready\n"
    assert tmp_path.joinpath("out.1").read_text() == "much that was said before"


def test_the_waits_between_starts_double_up_to_five_seconds() -> None:
    """A first death costs no wait, a row of them at most five seconds each."""
    assert [backoff(deaths) for deaths in (1, 2, 3, 4, 5, 6, 7, 1000)] == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
