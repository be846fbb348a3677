"""Who published which commit."""

import subprocess
from pathlib import Path

import pytest

from outrider.gateway.provenance import author, commit


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with a product in it, of somebody who has told git his name."""
    for name, value in (
        ("HOME", str(tmp_path)),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ):
        monkeypatch.setenv(name, value)
    folder = tmp_path / "products" / "charging"
    folder.mkdir(parents=True)
    (folder / "product.yaml").write_text("owner: a team\n")
    for words in (("init", "-q"), ("config", "user.name", "Ada"), ("config", "user.email", "ada@example.com")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "products"], cwd=tmp_path, check=True)
    subprocess.run(["git", "commit", "-qm", "charging"], cwd=tmp_path, check=True)
    return folder


def test_git_knows_who_and_which_commit(repository: Path) -> None:
    """As long as nothing in the product's folder was changed since; changes elsewhere do not count."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True)
    (repository.parent / "other").write_text("x")

    assert author(repository) == "Ada <ada@example.com>"
    assert commit(repository) == head.stdout.strip()

    (repository / "product.yaml").write_text("owner: another team\n")
    assert commit(repository) == f"{head.stdout.strip()}-dirty"


def test_a_folder_that_git_does_not_keep_has_no_commit(repository: Path) -> None:
    """Also within a repository."""
    folder = repository.parent / "new"
    folder.mkdir()
    (folder / "product.yaml").write_text("owner: a team\n")

    assert commit(folder) == ""


def test_without_git_it_is_the_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And there is no commit."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "ada")

    assert (author(tmp_path), commit(tmp_path)) == ("ada", "")
