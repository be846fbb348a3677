"""Files as they were at a commit, as git keeps them. Nothing is checked out, and nothing is fetched."""

import os
import subprocess
from pathlib import Path
from posixpath import dirname, join, normpath

import msgspec

from outrider.gateway.documents import absolute
from outrider.gateway.faults import Refused

_WITHIN = 60.0
"""Seconds for git to answer."""
_LINKS = 40
"""So many links are followed, as the system does."""
_LINK, _MODULE = b"120000", b"160000"
"""What git calls them."""
_OR = "say --against none to compare with nothing"
_TRUNKS = tuple(
    f"refs/{name}" for name in ("remotes/origin/HEAD", "remotes/origin/main", "remotes/origin/master", "heads/main")
)
"""Into what a branch is merged, where nobody says so: the first of them that is there. Whole names, for a tag that
somebody called `origin/main` would come before the branch.
"""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """Folders and files at a commit. root: the work tree. files, links, modules (other repositories within this one):
    the names of all that was there then, relative to the root. Links are followed as they led then, for a change may
    have turned them elsewhere. is_head: the commit is the one that is checked out.
    """

    commit: str
    root: str
    files: frozenset[str]
    links: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    is_head: bool = False

    def content(self, path: Path) -> bytes | None:
        """The bytes of a file; None where there was none. Raises `Refused`: git doesn't give it."""
        name = self._then(path)
        return _git(Path(self.root), "cat-file", "blob", f"{self.commit}:{name}") if name in self.files else None

    def name(self, path: Path) -> str:
        """As `git show` takes it."""
        return f"{self.commit[:10]}:{self._then(path)}"

    def names(self, folder: Path) -> list[str]:
        """The names of all that was in a folder."""
        inside = f"{self._then(folder)}/".removeprefix("./")
        entries = (
            name.removeprefix(inside) for name in (*self.files, *self.links, *self.modules) if name.startswith(inside)
        )
        return sorted({entry.partition("/")[0] for entry in entries})

    def _then(self, path: Path) -> str:
        """Where this path led. Raises `Refused`: git doesn't know what was there."""
        here = absolute(path)
        name = here.relative_to(self.root).as_posix() if here.is_relative_to(self.root) else ".."
        for _ in range(_LINKS):
            steps = name.split("/")
            ways = ["/".join(steps[:count]) for count in range(1, len(steps) + 1)]
            if self.modules.intersection(ways):
                raise Refused(
                    f"{path}: was a git submodule at {self.commit[:10]}, and what was in it is not here; {_OR}"
                )
            link = next((way for way in ways if way in self.links), None)
            if link is None:
                return name
            target = os.fsdecode(_git(Path(self.root), "cat-file", "blob", f"{self.commit}:{link}"))
            name = normpath(join(dirname(link), target) + name.removeprefix(link))
        raise Refused(f"{path}: led to itself at {self.commit[:10]}; {_OR}")


def past(folder: Path, ref: str | None = None) -> Past:
    """What was there at `ref`; by default where this branch left the one that it will be merged into.

    That one is the base of the pull request (GITHUB_BASE_REF), or else origin's main branch, or the own one. Raises
    `Refused`: there is no git, no such commit, or its history was not fetched.
    """
    if not folder.is_dir():
        raise Refused(f"{folder}: there is no such folder")
    real = Path(_said(folder, "rev-parse", "--show-toplevel"))
    root = next(around for around in (absolute(folder), *absolute(folder).parents) if around.resolve() == real)
    commit = _commit(real, ref) if ref else _merge_base(real)
    entries = (entry.split(b"\t", 1) for entry in _git(real, "ls-tree", "-r", "-z", commit).split(b"\0") if entry)
    named: dict[bytes, set[str]] = {_LINK: set(), _MODULE: set()}
    files: set[str] = set()
    for kind, name in entries:
        named.get(kind[:6], files).add(os.fsdecode(name))
    return Past(
        commit=commit,
        root=str(root),
        files=frozenset(files),
        links=frozenset(named[_LINK]),
        modules=frozenset(named[_MODULE]),
        is_head=commit == _said(real, "rev-parse", "HEAD"),
    )


def _commit(root: Path, ref: str) -> str:
    try:
        return _said(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except Refused:
        raise Refused(f"git has no commit {ref} here; fetch it, or name another: --against REF") from None


def _merge_base(root: Path) -> str:
    base = os.environ.get("GITHUB_BASE_REF")
    trunks = (f"refs/remotes/origin/{base}",) if base else _TRUNKS
    for trunk in trunks:
        try:
            there = _commit(root, trunk)
        except Refused:
            continue
        try:
            return _said(root, "merge-base", "HEAD", there)
        except Refused:
            raise Refused(
                f"git knows no commit that HEAD and {trunk} have in common; fetch the history (in GitHub's checkout "
                "action: fetch-depth: 0), or say --against REF"
            ) from None
    names = ", ".join(trunk.split("/", 2)[2] for trunk in trunks)
    raise Refused(f"git has none of {names} to compare with; fetch it, or say --against REF, or none")


def _said(folder: Path, *words: str) -> str:
    return os.fsdecode(_git(folder, *words)).rstrip("\n")


def _git(folder: Path, *words: str) -> bytes:
    """What git says; it writes nothing, not even its index. Raises `Refused` with its own words."""
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        said = subprocess.run(["git", *words], cwd=folder, env=env, capture_output=True, timeout=_WITHIN, check=False)
    except FileNotFoundError:
        raise Refused(f"comparing with an earlier commit needs git, and {folder}; or say --against none") from None
    except subprocess.TimeoutExpired:
        raise Refused(f"git does not answer within {_WITHIN:.0f} s in {folder}") from None
    if said.returncode:
        why = said.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(f"git {words[0]}: {why[0] if why else 'says no'}; {_OR}")
    return said.stdout
