"""Files for the eyes of their owner: readable for this user only, and written whole or not at all."""

import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Make or replace the file at once; a crash leaves the old one or the new one, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)  # left by a process of the same number that crashed; its mode may be any
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(path)
