"""Where releases and gateways are kept: one folder for each product, and what each file in it means.

    charging/releases/           every release, never changed, with what lies beside it
             live.json           what is live: a release and the split
             journal.json        only while a switch is under way: from what to what
             lock                held by the one command that changes something here
             instances/1/        one gateway: its configuration on disk, its admin socket, its logs, its process
    .retired/           products out of service

A release counts from the moment in which it is live. What a publish that was refused or killed leaves behind is no
release: nothing but `finish` sees it, and its number goes to the next one, so that a list of releases has no holes.
Every file is written whole or not at all, reaches the disk before the next step, and belongs to whoever owns its
folder.
"""

import asyncio
import fcntl
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from outrider.common.processes import Process
from outrider.gateway import files
from outrider.gateway.archive import Archive
from outrider.gateway.envoy import Admin
from outrider.gateway.faults import Refused
from outrider.gateway.release import Kept, Live, Release

NAME = re.compile(r"[a-z]([a-z0-9-]{0,60}[a-z0-9])?")
"""What a product may be called: it is a folder here, and a DNS label elsewhere."""

_CONFIGURATION = re.compile(r"(bootstrap|cds|lds|(routes|secret)-[0-9a-f]+)\.json")
_TOKEN = re.compile(r"token-[0-9a-f]+\.json")
_LOCK_EVERY = 0.05
"""Seconds between two tries to get the lock; polled, for waiting in the kernel would hold up everything else."""


class Busy(Refused):
    """Another command is changing this product."""


class Journal(msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from"}):
    """A switch that began. before: what was live then; None: nothing yet."""

    before: Live | None
    to: Live


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The process that serves for an instance. generation: counts the starts; each has an admin socket of its own.
    at: when it was started, RFC 3339, UTC. envoy: its version. told: changes with what it is told only as it starts.
    """

    process: Process
    generation: int
    at: str
    envoy: str = ""
    told: str = ""


class State:
    """All products that have ever been published here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()  # one name for one folder: its processes are known by it

    def products(self) -> list[str]:
        """The names of those that are live, or that a killed publish left half way."""
        marks = [*self.folder.glob("*/live.json"), *self.folder.glob("*/journal.json")]
        return sorted({mark.parent.name for mark in marks if NAME.fullmatch(mark.parent.name)})

    def product(self, name: str) -> "ProductState":
        """One product, known here or not. Refused where no product can be called so."""
        if not NAME.fullmatch(name):
            raise Refused(f"{name!r} is no product's name: small letters, digits and hyphens, a letter first")
        return ProductState(self.folder / name)


class ProductState:
    """One product's releases, and what of it is live. Whatever changes something does so inside `locked()`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self._archive = Archive(folder / "releases")

    @asynccontextmanager
    async def locked(self, within: float = 60.0) -> AsyncIterator[None]:
        """The only one to change this product, until the block ends. Busy if another is, for so long."""
        ends = time.monotonic() + within
        while (held := self._try_lock()) is None:
            if time.monotonic() > ends:
                raise Busy(f"{self.name}: another command is changing it; try again when that has ended")
            await asyncio.sleep(_LOCK_EVERY)
        try:
            yield
        finally:
            os.close(held)

    def releases(self) -> list[Release]:
        """Every release that is live or has been, the oldest first."""
        live = self.live()
        return [self.release(number) for number in self._archive.numbers() if live and number <= live.release]

    def release(self, number: int) -> Release:
        """One release. Refused if there is none with this number."""
        found = self._archive.release(number)
        if found is None:
            raise Refused(f"{self.name} has no release {number}; `outrider gateway releases {self.name}` lists them")
        return found

    def kept(self, number: int) -> Kept | None:
        """The OpenAPI document and the report of a release; None where it was made before these were kept. Refused
        where they were damaged.
        """
        return self._archive.kept(self.release(number))

    def add(self, release: Release, kept: Kept | None = None) -> None:
        """Store a release, which counts once it is live. kept: what lies beside it; one that takes up another release
        has nothing of its own. FileExistsError if its number is taken.
        """
        self._folder("releases")
        self._archive.add(release, kept)

    def live(self) -> Live | None:
        """What is live; None before the first publish."""
        try:
            return files.decoded(self.folder / "live.json", Live)
        except Refused as error:
            raise Refused(f"{error}; {self._what_to_write()}") from None

    def published(self) -> Live:
        """What is live. Refused before the first publish."""
        live = self.live()
        if live is None:
            raise Refused(f"{self.name} is not published here: outrider gateway publish FOLDER")
        return live

    def set_live(self, live: Live) -> None:
        """From now on this is live."""
        files.replace(self._folder() / "live.json", msgspec.json.encode(live))

    def journal(self) -> Journal | None:
        """The switch that is under way, or that was killed."""
        return files.decoded(self.folder / "journal.json", Journal)

    def begin(self, before: Live | None, to: Live) -> None:
        """A switch is under way."""
        files.replace(self._folder() / "journal.json", msgspec.json.encode(Journal(before=before, to=to)))

    def end(self) -> None:
        """No switch is under way; what was stored for one that did not come live is gone."""
        live = self.live()
        self._archive.forget_after(live.release if live else 0)
        files.remove(self.folder / "journal.json")

    def put_aside(self, name: str) -> Path:
        """Move all that is kept of this product to where no gateway is started from; the folder that has it then."""
        aside = self.folder.parent / ".retired" / name
        if not aside.parent.exists():
            aside.parent.mkdir(mode=0o700)
            files.give(aside.parent, self.folder.parent)
        self.folder.rename(aside)
        files.sync(self.folder.parent)
        return aside

    def instances(self) -> list["Instance"]:
        """The gateways of this product, by number."""
        found = [entry for entry in self.folder.glob("instances/*") if entry.name.isdigit()]
        return [Instance(entry) for entry in sorted(found, key=lambda entry: int(entry.name))]

    def instance(self, number: int = 1) -> "Instance":
        """One gateway of this product; its folder is made if there is none yet."""
        folder = self._folder("instances") / str(number)
        if not folder.exists():
            folder.mkdir(mode=0o700)
            files.give(folder, folder.parent)
            files.sync(folder.parent)
        return Instance(folder)

    def _folder(self, *inside: str) -> Path:
        """A folder of this product. Others may pass through it, for each gateway may be a user of its own."""
        folder = self.folder.joinpath(*inside)
        for made in (self.folder.parent, self.folder, folder):
            if not made.exists():
                made.mkdir(parents=True, exist_ok=True)
                made.chmod(0o711)
                files.give(made, made.parent)
        return folder

    def _what_to_write(self) -> str:
        """Into a `live.json` that was damaged."""
        numbers = self._archive.numbers()
        for number in reversed(numbers):
            with suppress(Refused):
                split = {self.release(number).product.versions[0]: 100}
                example = f'{{"release": {number}, "split": {msgspec.json.encode(split).decode()}}}'
                there = ", ".join(map(str, numbers))
                return f"write {example}, or whatever was live; these releases are there: {there}"
        return "no release is there that can be read: take both from a backup"

    def _try_lock(self) -> int | None:
        file = self._folder() / "lock"
        held = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            files.give(held, file.parent)
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(held), file.stat()):
                return held
        except (BlockingIOError, FileNotFoundError):  # held by another; or retired since, and moved away
            pass
        except BaseException:
            os.close(held)
            raise
        os.close(held)
        return None


class Instance:
    """One gateway of a product: what is in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = int(folder.name)
        self.admin = Admin(folder / "admin.sock")

    def files(self) -> dict[str, bytes]:
        """The configuration on disk: name to content. Keys are no part of it."""
        return self._matching(_CONFIGURATION)

    def tokens(self) -> dict[str, bytes]:
        """The token files on disk, which hold the issuer's keys; more than one only while a switch is under way."""
        return self._matching(_TOKEN)

    def write(self, name: str, content: bytes) -> None:
        """Make or replace a file at once, as a rename: what Envoy watches for."""
        files.replace(self.folder / name, content)

    def remove(self, name: str) -> None:
        """Remove a file, if there is one of that name."""
        files.remove(self.folder / name)

    def tidy(self) -> None:
        """Remove what a killed command was about to write."""
        for draft in self.folder.glob(".*.json.*"):
            draft.unlink(missing_ok=True)

    def process(self) -> Started | None:
        """The process that was started for it last, whether or not it still lives."""
        return files.decoded(self.folder / "process.json", Started)

    def set_process(self, started: Started | None) -> None:
        """From now on this process serves; None: none does."""
        if started is None:
            self.remove("process.json")
        else:
            self.write("process.json", msgspec.json.encode(started))

    def _matching(self, names: re.Pattern[str]) -> dict[str, bytes]:
        return {file.name: files.read(file) for file in sorted(self.folder.iterdir()) if names.fullmatch(file.name)}
