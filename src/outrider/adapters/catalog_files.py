"""The catalog's files: reading them, naming every mistake with file, line and field, and following their changes.

A folder holds `services/*.yaml`, `models/*.yaml`, `vss.yaml` and `vss-overlay.yaml`, each of them optional. The folder
in the package comes first; a file of a later folder adds to what is there, or takes the place of the one of its name.
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog

from outrider.common.json_path import dotted
from outrider.common.json_schema import Fault, Schema
from outrider.common.yaml_positions import SIZE_LIMIT, Document, YamlError, read_yaml
from outrider.domain.catalog import Catalog, Model, Service, Signal
from outrider.domain.catalog_rules import Draft, model_faults, service_faults

SHIPPED = Path(__file__).parents[1] / "catalog"
"""The folder that comes with the package; its `*.schema.json` are the published schemas of the files."""

log = structlog.get_logger()


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong in one place of one file, and what to write there. field may be empty: the file as such."""

    file: Path
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field + ': ' if self.field else ''}{self.message}"


class CatalogError(ValueError):
    """The catalog's files are wrong; nothing was loaded. `mistakes` has every one that was found."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


def load(folders: Sequence[Path] = ()) -> Catalog:
    """The shipped catalog with the operator's own folders over it, in this order. Raises `CatalogError`."""
    reading = _Reading()
    for folder in (SHIPPED, *folders):
        reading.folder(folder)
    return reading.catalog()


class LiveCatalog:
    """The catalog now: `current` is replaced as a whole when the files change, and kept when the change is wrong.

    Ask `current` at each use and keep nothing of it. `refused` has the mistakes of a change that is not in force.
    Raises `CatalogError` where the files are wrong from the start.
    """

    def __init__(self, folders: Sequence[Path] = (), *, look_every: float = 1.0) -> None:
        self._folders = tuple(folders)
        self._look_every = look_every
        self._seen = _signature(self._folders)
        self.current = load(self._folders)
        self.refused: tuple[Mistake, ...] = ()

    async def follow(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(self._look_every)
            try:
                await asyncio.to_thread(self.look)
            except Exception:
                # A fault of ours must not end the following in silence: the next look comes.
                log.exception("catalog_look_failed")

    def look(self) -> None:
        """Look once: where a file changed, put the new catalog in force or report what is wrong with it."""
        # Taken before reading: a file that changes in between looks changed again at the next look.
        signature = _signature(self._folders)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self.current, self.refused = load(self._folders), ()
        except CatalogError as error:
            self.refused = error.mistakes
            log.error("catalog_refused", mistakes=[str(mistake) for mistake in error.mistakes])
        else:
            log.info("catalog_changed", services=len(self.current.services), models=len(self.current.models))


def _signature(folders: Sequence[Path]) -> tuple[tuple[str, int, int, int], ...]:
    """Differs where any file of the catalog was added, changed, replaced or removed."""
    return tuple(seen for folder in (SHIPPED, *folders) for path in _files(folder) for seen in _stat(path))


def _stat(path: Path) -> Iterator[tuple[str, int, int, int]]:
    try:
        stat = path.stat()
    except OSError:
        yield str(path), 0, 0, 0
    else:
        yield str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino


def _files(folder: Path) -> Iterator[Path]:
    for part in _ENTRIES:
        # `.yml` too, so that a file by that name is refused instead of overlooked; hidden ones belong to editors.
        yield from sorted(p for p in (folder / part).glob("*.y*ml") if not p.name.startswith("."))
    yield from (path for path in (folder / name for name in _SIGNAL_FILES) if path.exists())


def _schema(name: str) -> Schema:
    return Schema(msgspec.json.decode((SHIPPED / name).read_bytes()))


_SIGNAL_FILES = {"vss.yaml": False, "vss-overlay.yaml": True}
_ENTRIES: dict[str, tuple[str, type[Any]]] = {
    "services": ("service.schema.json", Service),
    "models": ("model.schema.json", Model),
}


class _Reading:
    """One look at all files: mistakes are collected, and what could be read is checked against the rest at the end."""

    def __init__(self) -> None:
        self._mistakes: list[Mistake] = []
        self._schemas = {part: _schema(file) for part, (file, _) in _ENTRIES.items()}
        self._signal_schema = _schema("signals.schema.json")
        self._entries: dict[str, dict[str, Any]] = {part: {} for part in _ENTRIES}
        self._sources: dict[tuple[str, str], tuple[Path, Document]] = {}
        self._known_services: set[str] = set()
        self._signals: dict[str, Signal] = {}

    def folder(self, folder: Path) -> None:
        if not folder.is_dir():
            self._mistakes.append(Mistake(folder, 1, "", "there is no such folder"))
            return
        if not any((folder / part).exists() for part in (*_ENTRIES, *_SIGNAL_FILES)):
            wanted = "services/, models/, vss.yaml, vss-overlay.yaml"
            self._mistakes.append(Mistake(folder, 1, "", f"has none of {wanted}; is this a catalog?"))
        for path in _files(folder):
            if path.name in _SIGNAL_FILES and path.parent == folder:
                self._signal_file(path)
            else:
                self._entry_file(path.parent.name, path)

    def catalog(self) -> Catalog:
        services, models = self._entries["services"], self._entries["models"]
        draft = Draft(services=services, models=models, signals=self._signals, known_services=self._known_services)
        for name, service in services.items():
            self._note(*self._sources["services", name], service_faults(service, draft))
        for name, model in models.items():
            self._note(*self._sources["models", name], model_faults(model, draft))
        if self._mistakes:
            raise CatalogError(sorted(self._mistakes, key=lambda mistake: (mistake.file, mistake.line)))
        return Catalog(services, models, self._signals)

    def _entry_file(self, part: str, path: Path) -> None:
        name = path.stem
        if path.suffix != ".yaml":
            self._mistakes.append(Mistake(path, 1, "", f"is not read by this name; call it {name}.yaml"))
            return
        self._entries[part].pop(name, None)  # what a later folder replaces is gone, also where the new one is wrong
        if part == "services":
            self._known_services.add(name)
        document = self._document(path)
        if document is None:
            return
        self._sources[part, name] = (path, document)
        faults = self._schemas[part].faults(document.data)
        if not faults and document.data["name"] != name:
            faults = [Fault(("name",), f"differs from the file's name; write {name}, or rename the file")]
        self._note(path, document, faults)
        if not faults:
            self._entries[part][name] = msgspec.convert(document.data, _ENTRIES[part][1])

    def _signal_file(self, path: Path) -> None:
        document = self._document(path)
        if document is None:
            return
        faults = self._signal_schema.faults(document.data)
        self._note(path, document, faults)
        if not faults:
            for name, fields in document.data.items():
                signal = {**fields, "name": name, "overlay": _SIGNAL_FILES[path.name]}
                self._signals[name] = msgspec.convert(signal, Signal)

    def _document(self, path: Path) -> Document | None:
        try:
            return read_yaml(_content(path))
        except OSError as error:
            self._mistakes.append(Mistake(path, 1, "", f"cannot be read: {error.strerror or error}"))
        except YamlError as error:
            self._mistakes += [Mistake(path, slip.position.line, slip.field, slip.message) for slip in error.slips]
        return None

    def _note(self, path: Path, document: Document, faults: Sequence[Fault]) -> None:
        for fault in faults:
            line = document.position(fault.path).line
            self._mistakes.append(Mistake(path, line, dotted(fault.path), fault.message))


def _content(path: Path) -> bytes:
    """The bytes of a file, at most one more than may be. Anything but a plain file would block or never end."""
    if not path.is_file():
        raise OSError("it is no plain file")
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)
