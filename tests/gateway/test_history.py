"""Files as they were at a commit."""

import subprocess
from pathlib import Path

import pytest

from outrider.gateway.faults import Refused
from outrider.gateway.history import past


def git(folder: Path, *words: str) -> str:
    settings = ("-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    said = subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True, text=True)
    return said.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One commit on main with products/parking, and a branch on which that has changed."""
    monkeypatch.delenv("GITHUB_BASE_REF", raising=False)
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "products/parking").mkdir(parents=True)
    (tmp_path / "products/parking/openapi.yaml").write_text("before")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "checkout", "-qb", "change")
    (tmp_path / "products/parking/openapi.yaml").write_text("after")
    (tmp_path / "products/charging").mkdir()
    (tmp_path / "products/charging/openapi.yaml").write_text("new")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "second")
    return tmp_path


def test_where_the_branch_began(repository: Path) -> None:
    """By default a folder is seen as it was where the branch left main, whatever main has become since."""
    git(repository, "checkout", "-q", "main")
    (repository / "products/parking/openapi.yaml").write_text("meanwhile")
    git(repository, "commit", "-qam", "meanwhile")
    git(repository, "checkout", "-q", "change")
    then = past(repository / "products")
    assert then.content(repository / "products/parking/openapi.yaml") == b"before"
    assert then.names(repository / "products") == ["parking"]


def test_what_was_not_there(repository: Path) -> None:
    """A file that was not there has no content."""
    then = past(repository / "products", "main")
    assert then.content(repository / "products/charging/openapi.yaml") is None


def test_through_a_link(repository: Path) -> None:
    """A folder may be named by a link to it, as long as that led there before."""
    (repository / "elsewhere").symlink_to("products")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "a link")
    then = past(repository / "elsewhere", "HEAD")
    assert then.content(repository / "elsewhere/parking/openapi.yaml") == b"after"
    assert then.names(repository / "elsewhere") == ["charging", "parking"]


def test_a_link_in_place_of_a_folder(repository: Path) -> None:
    """What is a link now is seen as the folder that it was; and a link that was turned elsewhere, as it led then."""
    (repository / "products").rename(repository / "others")
    (repository / "products").symlink_to("others")
    assert past(repository / "products", "main").names(repository / "products") == ["parking"]
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "a link")
    (repository / "products").unlink()
    (repository / "empty").mkdir()
    (repository / "products").symlink_to("empty")
    assert past(repository / "products", "HEAD").names(repository / "products") == ["charging", "parking"]


def test_a_repository_of_products_alone(repository: Path) -> None:
    """The folder may be all of the repository; what lies outside of that was not there."""
    then = past(repository, "main")
    assert then.names(repository) == ["products"]
    assert then.content(repository.parent / "governance.yaml") is None


def test_a_submodule(repository: Path) -> None:
    """What another repository had there, git can't say here."""
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{commit},products/tolls")
    git(repository, "commit", "-qm", "a submodule")
    then = past(repository / "products", "HEAD")
    with pytest.raises(Refused, match="was a git submodule"):
        then.content(repository / "products/tolls/openapi.yaml")
    assert then.is_head


def test_the_base_of_a_pull_request(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base of a pull request has to be there; another branch is not taken instead."""
    monkeypatch.setenv("GITHUB_BASE_REF", "release")
    with pytest.raises(Refused, match="origin/release"):
        past(repository / "products")
    git(repository, "update-ref", "refs/remotes/origin/release", "main")
    assert past(repository / "products").commit == git(repository, "rev-parse", "main")


def test_a_tag_called_like_the_base(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag or a branch that is called like the base is not taken for it: nothing would seem to have changed."""
    git(repository, "update-ref", "refs/remotes/origin/main", "main")
    git(repository, "tag", "origin/main", "change")
    git(repository, "branch", "origin/main", "change")
    for base in ("", "main"):
        monkeypatch.setenv("GITHUB_BASE_REF", base)
        assert past(repository / "products").commit == git(repository, "rev-parse", "refs/heads/main")


@pytest.mark.parametrize("ref", ["nothing", "--output=x", "main:products"])
def test_no_such_commit(repository: Path, ref: str) -> None:
    """What is no commit is refused, and the message says what to do."""
    with pytest.raises(Refused, match="--against REF"):
        past(repository / "products", ref)


def test_a_shallow_clone(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the history was not fetched, the message says how to."""
    shallow = tmp_path_factory.mktemp("shallow") / "clone"
    git(repository, "checkout", "-q", "main")
    git(repository, "clone", "-q", "-b", "change", "--depth=1", "--no-single-branch", repository.as_uri(), str(shallow))
    with pytest.raises(Refused, match="fetch-depth: 0"):
        past(shallow / "products")


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that no git keeps can be compared with nothing, which has to be said."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(Refused, match="--against none"):
        past(tmp_path)
