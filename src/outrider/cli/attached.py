"""A process that ends with whoever started it, however that ended: the end of its input ends it.

python -m outrider.cli.attached PROGRAM.py [ARGUMENT]...
"""

import os
import runpy
import signal
import sys
import threading


def end_with_input() -> None:
    """From now on the end of standard input is a SIGTERM."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="end with input", daemon=True).start()


if __name__ == "__main__":
    end_with_input()
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
