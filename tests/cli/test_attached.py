"""A process that ends with whoever started it."""

import signal
import subprocess
import sys
from pathlib import Path


def test_a_program_ends_with_its_input(tmp_path: Path) -> None:
    """Until then it runs as it would by itself, with its own arguments."""
    program = tmp_path / "program.py"
    program.write_text("import sys, time; print(__name__, sys.argv[1:], flush=True); time.sleep(60)")
    argv = [sys.executable, "-m", "outrider.cli.attached", str(program), "--listen", "1"]

    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        said = running.stdout.readline()
        running.stdin.close()

        assert running.wait(20) == -signal.SIGTERM
    assert said == "__main__ ['--listen', '1']\n"
