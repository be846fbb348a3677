"""Bad inputs, all of them tried one after another in a process that may use little time and memory.

It writes what came of each, a line of JSON: `python -m tests.gateway.lint.bad_inputs FOLDER [NAME]...`.
"""

import io
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from typer.main import get_command

from outrider.cli.gateway import app
from tests.gateway.lint.bad import API, GOOD, LAWFUL, Bad
from tests.gateway.lint.bad_documents import documents
from tests.gateway.lint.bad_rules import governance, rulesets

CPU_SECONDS = 5
HANG_SECONDS = 60
MEMORY = 2 << 30
"""Bytes of address space, of which most is libraries that are mapped."""

_FORBIDDEN = frozenset(("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "urllib.Request"))


def missing() -> dict[str, Bad]:
    """What is not there, for each command."""
    return {
        "lint a file that is not there": Bad({}, ("lint", "none.yaml"), "none.yaml:1:1: there is no such file"),
        "diff a file that is not there": Bad(
            {GOOD: LAWFUL}, ("diff", GOOD, "none.yaml"), "none.yaml:1:1: there is no such file"
        ),
        "lint a folder without products": Bad({"products": Path.mkdir}, ("lint",), "products: has no product"),
        "diff of a folder without a product": Bad({API: Path.mkdir}, ("diff", API, API), "there is no such file"),
        "lint where no products are": Bad({}, ("lint",), "products: there is no such folder"),
    }


ALL: dict[str, Bad] = {**documents(), **rulesets(), **governance(), **missing()}


def put(folder: Path, bad: Bad) -> None:
    """The files of one case."""
    for name, content in bad.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.unlink(missing_ok=True)
            content(file)


def main(folder: Path, names: Sequence[str]) -> None:
    """Every case, each with as much time as one may take; who takes more, ends the process."""
    command = get_command(app)
    asked: list[str] = []
    sys.addaudithook(lambda event, args: asked.append(f"{event} {args}") if event in _FORBIDDEN else None)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number, name in enumerate(names):
        here = folder / str(number)
        here.mkdir()
        put(here, ALL[name])
        os.chdir(here)
        print(json.dumps({"begun": name}), flush=True)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        signal.alarm(HANG_SECONDS)
        said = _tried(command, ALL[name].words)
        print(json.dumps({"name": name, "asked": asked, **said}), flush=True)
        asked.clear()
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.alarm(0)
    print(json.dumps({"name": "", "bytes": _most()}), flush=True)


def _most() -> int:
    """Bytes of memory, at most so far. On Linux, what getrusage says begins with the most of whoever started us."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def _tried(command: Callable[..., Any], words: Sequence[str]) -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            command(list(words), prog_name="outrider gateway")
    except SystemExit as end:
        code = end.code
    except Exception as error:  # people would see a traceback
        code = f"{type(error).__name__}: {error}"[:2000]
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(ALL))
