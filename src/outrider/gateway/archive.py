"""The releases of one product on disk, and what lies beside each.

    releases/7.json              one release, never changed
             7/openapi.yaml      the document that it was made of
               report.json       what the checks found of the product then

So that a list of releases is read quickly, however large the documents are. A release that takes up another one has no
folder: its own is that of the other.
"""

import os
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

import msgspec

from outrider.gateway import files
from outrider.gateway.faults import Refused
from outrider.gateway.governance.report import Report
from outrider.gateway.release import Kept, Release

DOCUMENTS, REPORT = ("openapi.yaml", "openapi.json"), "report.json"

_OURS = re.compile(r"(\d+)(\.json)?")
_DRAFT = re.compile(r"\.\d+(\.json)?\.\d+")


class Archive:
    """All that was ever stored of releases, also what never came live."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def numbers(self) -> list[int]:
        """Those of the releases that are there, in order."""
        return sorted(int(file.stem) for file in self.folder.glob("*.json") if file.stem.isdigit())

    def release(self, number: int) -> Release | None:
        """One of them; None where there is none. Refused where it was damaged."""
        return files.decoded(self.folder / f"{number}.json", Release)

    def kept(self, release: Release) -> Kept | None:
        """What lies beside a release; None where it was made before documents were kept. Refused where it was
        damaged.
        """
        if not release.document:
            return None
        folder = self.folder / str(self._made(release))
        for file in (folder / name for name in DOCUMENTS):
            with suppress(FileNotFoundError):
                document = files.read(file)
                report = files.decoded(folder / REPORT, Report)
                if report and sha256(document).hexdigest() == release.document:
                    return Kept(file=str(file), document=document, report=report)
        raise Refused(
            f"{folder} was damaged: it has not {REPORT} and the document of release {release.number} any more; take "
            f"them from a backup, or go back to another release: outrider gateway rollback {release.product.name} N"
        )

    def add(self, release: Release, kept: Kept | None) -> None:
        """Store a release. The folder is there. FileExistsError if its number is taken."""
        file = self.folder / f"{release.number}.json"
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        if kept is not None:
            self._put_beside(release.number, kept)
        try:
            with files.named(file):
                files.put(draft, msgspec.json.format(msgspec.json.encode(release), indent=1), mode=0o444)
            os.link(draft, file)  # unlike a rename, it never replaces
        finally:
            draft.unlink(missing_ok=True)
        files.sync(self.folder)

    def forget_after(self, live: int) -> None:
        """Remove what was stored for a release that never came live, and what was only half stored."""
        for entry in list(self.folder.glob("*")):
            ours = _OURS.fullmatch(entry.name)
            if (ours and int(ours[1]) > live) or _DRAFT.fullmatch(entry.name):
                rmtree(entry) if entry.is_dir() else files.remove(entry)
        if self.folder.exists():
            files.sync(self.folder)

    def _made(self, release: Release) -> int:
        """The release that this one takes up, or takes up at last."""
        while release.source is not None and (source := self.release(release.source)):
            release = source
        return release.number

    def _put_beside(self, number: int, kept: Kept) -> None:
        """As one folder, which is there whole or not at all."""
        folder, draft = self.folder / str(number), self.folder / f".{number}.{os.getpid()}"
        report = msgspec.json.format(msgspec.json.encode(kept.report), indent=1)
        draft.mkdir(mode=0o711)
        try:
            files.give(draft, self.folder)
            files.put(draft / Path(kept.file).name, kept.document, mode=0o444)
            files.put(draft / REPORT, report, mode=0o444)
            files.sync(draft)
            with files.named(folder):
                draft.rename(folder)
        except BaseException:
            rmtree(draft, ignore_errors=True)
            raise
        files.sync(self.folder)
