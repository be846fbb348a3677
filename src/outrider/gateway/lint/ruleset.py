"""Rulesets in Spectral's form: which are shipped, how files are read with all that they extend, and what is refused.

    outrider:openapi, outrider:asyncapi      shipped (rules/)
    ./guideline.yaml                         a file; it may extend shipped ones, and files in its own folder or below

Nothing is fetched and no code is run: Spectral's own rulesets, packages, addresses and functions in JavaScript are
refused, and so is every key, function, option, path expression, format and alias that is not fully understood.
"""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.documents import Source, absolute, content, gathering, parse, refuse
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.lint.merging import NoSuchRule, merged, merged_for, overridden
from outrider.gateway.lint.rule import Definition, Rule
from outrider.gateway.lint.ruleset_words import Words

RULES = Path(__file__).parent / "rules"
SHIPPED = {f"outrider:{name}": RULES / f"{name}.yaml" for name in ("openapi", "asyncapi")}
"""The rulesets that come with Outrider."""

FILES_LIMIT = 100
"""So many files may one ruleset extend in all."""

_ENDINGS = (".yaml", ".yml", ".json")


class Ruleset(msgspec.Struct, frozen=True, kw_only=True):
    """name: as it was asked for. digest: SHA-256, in hex, of all files that it was read from. file: absolute.

    formats: all that its rules name.
    """

    name: str
    digest: str
    file: str
    formats: frozenset[str]
    definition: Definition

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All of them, those too that are off; without what is other for some files."""
        return tuple(merged(self.definition).values())

    def rules_for(self, file: str) -> tuple[Rule, ...]:
        """The rules for one document, overrides counted in. Raises `Refused`."""
        relative = _relative(absolute(Path(file)), Path(self.file).parent)
        try:
            return tuple(merged_for(self.definition, relative).values())
        except NoSuchRule as error:
            message = f"what it overrides for {file} names the rule {error.name}, which is in none that it then extends"
            raise Refused(f"{self.name}: {message}") from None


def read_ruleset(name_or_file: str | Path) -> Ruleset:
    """A shipped ruleset by its name, or a file. Raises `Refused` with everything that is wrong in it."""
    name = str(name_or_file)
    file = SHIPPED.get(name, Path(name_or_file))
    if name not in SHIPPED and (fault := _no_file(name)):
        raise Refused(f"{name}: {fault}")
    reading = _Reading(absolute(file).parent)
    definition = reading.read(file)
    refuse(reading.faults)
    assert definition is not None
    return Ruleset(
        name=name,
        digest=reading.digest.hexdigest(),
        file=str(absolute(file)),
        formats=frozenset(reading.formats),
        definition=definition,
    )


class _Reading:
    """One way through a ruleset and what it extends. Faults are collected, so that one look at it mends several."""

    def __init__(self, folder: Path) -> None:
        self.faults: list[Fault | str] = []
        self.digest = sha256()
        self.formats: set[str] = set()
        self._folder = folder
        self._way: list[Path] = []
        self._count = 0

    def read(self, file: Path, reference: str = "") -> Definition | None:
        """What the file says, once there are no faults. reference: as another one names it."""
        with gathering(self.faults):
            return self._parsed(parse(content(file), str(file)), reference)
        return None

    def _parsed(self, source: Source, reference: str) -> Definition:
        before = len(self.faults)
        self.digest.update(f"{reference} {len(source.raw)}\n".encode() + source.raw)
        self._way.append(Path(source.file).resolve())
        words = Words(source, lambda reference, place: self._extended(source, reference, place))
        definition = words.definition()
        self._way.pop()
        self.faults += words.faults
        self.formats |= words.formats
        if len(self.faults) == before:
            self.faults += _unknown_rules(source, definition)
        return definition

    def _extended(self, source: Source, reference: str, place: JsonPath) -> Definition | None:
        """The ruleset that another one extends."""
        if reference in SHIPPED:
            file = SHIPPED[reference]
        elif fault := _no_file(reference) or _no_relative(reference):
            self.faults.append(source.fault(place, fault))
            return None
        else:
            file = Path(source.file).parent / reference
        self._count += 1
        if fault := self._unreadable(file, reference):
            self.faults.append(source.fault(place, fault))
            return None
        return self.read(file, reference)

    def _unreadable(self, file: Path, reference: str) -> str:
        if not os.path.exists(file):  # also where the name is none that a file can have
            return f"there is no file {reference} here; it is looked for from this file's folder on"
        if reference not in SHIPPED and not file.resolve().is_relative_to(self._folder.resolve()):
            return f"{reference} lies outside of the ruleset's folder; put it there, or below"
        if file.resolve() in self._way:
            return f"{reference} extends this ruleset itself; remove one of the two"
        return f"is the one too many: at most {FILES_LIMIT} files are extended in all" * (self._count > FILES_LIMIT)


def _no_file(reference: str) -> str:
    """Why a ruleset's name can be none of a file's."""
    if reference.startswith("spectral:"):
        return (
            "Spectral's own rulesets are no part of Outrider; write outrider:openapi or outrider:asyncapi, and copy "
            "the rules that you need besides into a file of yours"
        )
    if reference.startswith("outrider:"):
        return f"no such ruleset is shipped; there are {' and '.join(SHIPPED)}"
    if "://" in reference:
        return "nothing is fetched; save the ruleset as a file in this folder, and write ./ and its name"
    if reference.endswith((".js", ".mjs", ".cjs", ".ts")):
        return "is a program; rulesets are read from YAML and JSON, so write its rules as YAML"
    return "" if reference.endswith(_ENDINGS) else f"must be {' or '.join(SHIPPED)}, or a file such as ./guideline.yaml"


def _no_relative(reference: str) -> str:
    if reference.startswith(("./", "../", "/")):
        return ""
    return f"would be a package to Spectral; for a file beside this one write ./{reference}"


def _unknown_rules(source: Source, definition: Definition) -> Iterator[Fault]:
    """What is said of rules that are not there."""
    message = "is in none of the rulesets that this one extends; write the rule out, or mend its name"
    try:
        rules = merged(definition)
    except NoSuchRule as error:
        yield source.fault(("rules", error.name), message)
        return
    for index, override in enumerate(definition.overrides):
        place = ("overrides", index, "rules")
        yield from (source.fault((*place, name), message) for name in override.severities if name not in rules)
        try:
            merged(overridden(definition, override.definition or Definition()))
        except NoSuchRule as error:
            yield source.fault((*place, error.name), message)


def _relative(file: Path, folder: Path) -> str:
    return Path(os.path.relpath(file, folder)).as_posix()
