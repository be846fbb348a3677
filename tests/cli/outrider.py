"""`outrider` as a test runs it: in this process, with what it said and how it ended."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from outrider.cli import application


class Said(NamedTuple):
    """How a run ended, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What --json printed."""
        return json.loads(self.out)


def outrider(*words: str | Path, **environment: str) -> Said:
    """Run a command line to its end. A bug's exception is raised, as people would see a traceback."""
    clean = {"OUTRIDER_DATA": None, "OUTRIDER_URL": None, "OUTRIDER_TOKEN": None, **environment}
    result = CliRunner().invoke(application(), list(map(str, words)), env=clean, prog_name="outrider")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)
