"""Files for the eyes of their owner."""

import os
import stat
from pathlib import Path

from outrider.common import private_files


def test_a_file_is_written_for_its_owner_only(tmp_path: Path) -> None:
    """Whatever the mode of the one before, and of a draft that a crash left."""
    file = tmp_path / "secret"
    file.write_bytes(b"old and public")
    (tmp_path / f".secret.{os.getpid()}").write_bytes(b"half")

    private_files.write(file, b"new")

    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_whoever_reads_meanwhile_reads_the_old_file_whole(tmp_path: Path) -> None:
    """The new one takes its place at once; nothing is written into the old one."""
    file = tmp_path / "secret"
    private_files.write(file, b"old")

    with file.open("rb") as reading:
        private_files.write(file, b"new and longer")
        assert reading.read() == b"old"

    assert file.read_bytes() == b"new and longer"
