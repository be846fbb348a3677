"""A gateway's logs, over all their files."""

import os
from pathlib import Path

import pytest

from outrider.gateway.logs import KEPT, Following, last_lines, rotate


def numbered(first: int, last: int) -> str:
    return "".join(f"{number}\n" for number in range(first, last))


def test_a_log_that_is_large_is_put_aside_and_the_oldest_is_dropped(tmp_path: Path) -> None:
    """So many are kept, and a small one stays."""
    log = tmp_path / "access.log"
    assert not rotate(tmp_path, largest=10)
    log.write_text("small\n")
    assert not rotate(tmp_path, largest=10)

    for number in range(KEPT + 3):
        log.write_text(f"{number} is large enough\n")
        assert rotate(tmp_path, largest=10)
        assert rotate(tmp_path, largest=10)  # it was not opened anew yet
        assert not log.exists()

    assert sorted(os.listdir(tmp_path)) == [f"access.log.{number}" for number in range(1, KEPT + 1)]
    assert (tmp_path / "access.log.1").read_text() == f"{KEPT + 2} is large enough\n"
    assert (tmp_path / f"access.log.{KEPT}").read_text() == "3 is large enough\n"


def test_envoy_s_own_log_is_emptied_while_envoy_writes_to_it(tmp_path: Path) -> None:
    """It can't be told to open it anew, and goes on where the file ends."""
    with (tmp_path / "envoy.log").open("a") as writing:
        writing.write("much was said before\n")
        writing.flush()
        assert not rotate(tmp_path, largest=10)
        writing.write("and more\n")
        writing.flush()

    assert (tmp_path / "envoy.log").read_text() == "and more\n"
    assert (tmp_path / "envoy.log.1").read_text() == "much was said before\n"


def test_the_last_lines_come_from_as_many_files_as_it_takes(tmp_path: Path) -> None:
    """The newest line last; where there are fewer, all of them."""
    log = tmp_path / "access.log"
    assert last_lines(log, 10) == []
    (tmp_path / "access.log.2").write_text(numbered(0, 3))
    (tmp_path / "access.log.1").write_text(numbered(3, 6))
    log.write_text(numbered(6, 9))

    assert last_lines(log, 0) == []
    assert last_lines(log, 2) == ["7", "8"]
    assert last_lines(log, 5) == ["4", "5", "6", "7", "8"]
    assert last_lines(log, 100) == [str(number) for number in range(9)]


def test_a_log_is_followed_through_all_that_is_put_aside(tmp_path: Path) -> None:
    """Not a line is lost or told twice; half a line waits for its other half."""
    log = tmp_path / "access.log"
    following = Following(log)
    assert following.more() == []
    writing = log.open("a")

    def write(text: str) -> None:
        writing.write(text)
        writing.flush()

    write("1\n2\n3")
    assert following.more() == ["1", "2"]
    write("3\n")
    assert following.more() == ["33"]
    assert rotate(tmp_path, largest=1)
    write("4\n")  # Envoy has not opened the new one yet
    assert following.more() == ["4"]
    write("5\n")
    writing.close()
    writing = log.open("a")
    write("6\n")
    assert following.more() == ["5", "6"]
    assert Following(log).more() == []
    writing.close()
    following.close()


@pytest.mark.parametrize("name", ["access.log", "envoy.log"])
def test_a_link_leads_nowhere(tmp_path: Path, name: str) -> None:
    """Whoever owns the folder can't have other files shown or emptied by whoever watches."""
    secret, folder = tmp_path / "secret", tmp_path / "folder"
    secret.write_text("not for everyone")
    folder.mkdir()
    (folder / name).symlink_to(secret)

    with pytest.raises(OSError, match="symbolic links"):
        last_lines(folder / name, 1)
    if name == "envoy.log":
        with pytest.raises(OSError, match="symbolic links"):
            rotate(folder, largest=1)
    assert secret.read_text() == "not for everyone"
