"""Whatever is handed in, lint and diff say what is wrong with it, soon, in little memory, and ask nobody."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.lint.bad_inputs import ALL

ROOT = Path(__file__).parents[3]
MEMORY = 300 << 20
"""Bytes that the process which tries all of them one after another may ever hold."""


@pytest.fixture(scope="module")
def came_of_it(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What became of each case, and under the empty name of the process that tried them."""
    folder = tmp_path_factory.mktemp("bad")
    words = [sys.executable, "-m", "tests.gateway.lint.bad_inputs", str(folder)]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]

    assert ran.returncode == 0, (f"{lines[-1:]} used up its time or memory, or it hung", ran.stderr)
    return {line["name"]: line for line in lines if "name" in line}


@pytest.mark.parametrize("name", ALL)
def test_it_is_told_what_is_wrong(came_of_it: Mapping[str, Any], name: str) -> None:
    """In a few lines, with exit code 1, and without asking the network for anything."""
    said, bad = came_of_it[name], ALL[name]
    told = said["err"] or said["out"]

    assert said["code"] == 1, (said["code"], told)
    assert bad.says in told
    assert len(said["err"].splitlines()) <= 60
    assert "Traceback" not in told
    assert said["asked"] == []


def test_it_takes_little_memory(came_of_it: Mapping[str, Any]) -> None:
    """All of them together, so each of them, too."""
    assert came_of_it[""]["bytes"] < MEMORY
