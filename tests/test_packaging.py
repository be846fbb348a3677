"""What a bare machine installs: locked by hash, from no particular place, and accounted for."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("build", "run", "dev")


def locked(name: str) -> dict[str, set[str]]:
    """The requirements of a lock file (`name==version ; marker`), each with its hashes."""
    text = re.sub(r"^#.*\n", "", (ROOT / "requirements" / f"{name}.txt").read_text(), flags=re.M)
    entries = [entry.split() for entry in text.replace("\\\n", " ").splitlines() if entry]
    return {
        " ".join(word for word in entry if not word.startswith("--hash=")): {
            word for word in entry if word.startswith("--hash=sha256:")
        }
        for entry in entries
    }


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_everything_by_hash_and_names_no_place(name: str) -> None:
    """A lock holds exact versions with hashes and nothing else: no index, no host, no path."""
    assert all(re.match(r"[a-z0-9._-]+==\S+( ; .*)?$", requirement) for requirement in locked(name))
    assert all(locked(name).values())
    assert not re.search(r"://|file:|^-", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M)


def test_the_developers_lock_contains_the_others() -> None:
    """What is tested is what runs: the same versions with the same hashes."""
    dev = locked("dev").items()

    assert dev >= locked("run").items()
    assert dev >= locked("build").items()


def test_every_locked_package_has_its_licence_named() -> None:
    """THIRD_PARTY.md names what we install, and nothing that we do not."""
    table = re.compile(r"^\| (?!licence)[^|]+ \| ([^|]+) \|$", re.M)
    rows = table.findall((ROOT / "THIRD_PARTY.md").read_text())
    named = {re.sub(r" \(.*\)", "", package) for row in rows for package in row.split(", ")}

    assert named == {requirement.split("==")[0] for requirement in locked("dev")}
