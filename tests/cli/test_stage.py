"""A platform of one's own leaves nothing behind."""

import asyncio
import os
import signal
from pathlib import Path

from outrider.cli.stage import own_platform
from outrider.common.processes import look, ours


async def test_of_a_platform_that_was_killed_nothing_is_left(tmp_path: Path) -> None:
    """Its broker and its gateway outlive it, for the next start; here there is none, so they are ended."""
    async with own_platform(tmp_path) as own:
        os.kill(own.pid, signal.SIGKILL)
        while look(own.pid):
            await asyncio.sleep(0.01)
        left = [process.command for process in ours() if str(tmp_path) in process.command]

    assert all(any(f"/{name} -c " in command for command in left) for name in ("nats-server", "envoy"))
    assert [process.command for process in ours() if str(tmp_path) in process.command] == []
