"""Spectral, asked about many documents at once, and our own engine about the same: what each finds, in one form."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from outrider.gateway.documents import parse
from outrider.gateway.faults import Refused
from outrider.gateway.lint.engine import lint
from outrider.gateway.lint.ruleset import Ruleset, read_ruleset

ROOT = Path(__file__).parents[3]
PACKAGES = ROOT / ".venv/spectral"
PROGRAM = Path(__file__).parent / "spectral/run.js"
INSTALL = "Spectral is not here; install Node 20 or newer with npm, then: sh scripts/spectral.sh"

_NOT_READ = {"invalid-ref", "parser", "unrecognized-format"}
"""What Spectral tells as findings when it could not read the document as its rules need it."""


def is_here() -> bool:
    """Can Spectral be asked?"""
    return shutil.which("node") is not None and (PACKAGES / "node_modules").is_dir()


class Case(NamedTuple):
    """about: one sentence. ruleset, document: files; the document's text goes along."""

    about: str
    ruleset: Path
    document: Path
    text: str


class Found(NamedTuple):
    """One finding. line, column: from 1, as each tells it."""

    rule: str
    severity: int
    path: tuple[str, ...]
    message: str
    line: int
    column: int


class Answer(NamedTuple):
    """What one of the two says of a case. refused: why nothing was decided; empty: it was."""

    found: tuple[Found, ...]
    refused: str

    def told(self) -> list[tuple[Any, ...]]:
        """Each finding once, less its column: Spectral points behind a key's colon, we point at the key."""
        return sorted({each[:5] for each in self.found})


def by_spectral(cases: Sequence[Case]) -> list[Answer]:
    """In the order of the cases. One process for all of them."""
    lines = "".join(
        json.dumps({"ruleset": str(case.ruleset), "document": case.text, "file": str(case.document)}) + "\n"
        for case in cases
    )
    command = ["node", str(PROGRAM), str(PACKAGES)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120, check=True)
    return [_answer(json.loads(line)) for line in done.stdout.splitlines()]


_ruleset = cache(read_ruleset)


def by_us(case: Case) -> Answer:
    """What our engine finds."""
    try:
        findings = lint(parse(case.text.encode(), str(case.document)), _ruleset(case.ruleset)).findings
    except Refused as refused:
        return Answer((), str(refused))
    return Answer(
        tuple(
            Found(
                each.rule,
                int(each.severity),
                tuple(map(str, each.place.path)),
                each.message,
                each.place.position.line,
                each.place.position.column,
            )
            for each in findings
        ),
        "",
    )


@cache
def _ruleset(file: Path) -> Ruleset:
    return read_ruleset(file)


def written(folder: Path, case: dict[str, Any]) -> Case:
    """The files of one case. Its `rules` are a ruleset in short; its document has what every document has."""
    rules = folder / "rules"
    for name, data in {
        "ruleset.yaml": case.get("ruleset") or {"rules": case["rules"]},
        **case.get("files", {}),
    }.items():
        (rules / name).parent.mkdir(parents=True, exist_ok=True)
        (rules / name).write_text(as_yaml(data))
    document = {"openapi": "3.1.0", "info": {"title": "A"}, "paths": {}, **case["document"]}
    text = as_yaml(
        {key: value for key, value in document.items() if key not in ("openapi", "paths") or value is not None}
    )
    return Case(case["about"], rules / "ruleset.yaml", (rules / case.get("file", "openapi.yaml")).resolve(), text)


def as_yaml(data: Any) -> str:
    """Each value on a line of its own, and nothing folded."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=10**9, allow_unicode=True))


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Without anchors, which our reader refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _answer(said: dict[str, Any]) -> Answer:
    if "refused" in said:
        return Answer((), said["refused"])
    refused = [each["message"] for each in said["findings"] if each["code"] in _NOT_READ]
    return Answer(
        tuple(
            Found(
                each["code"],
                each["severity"],
                tuple(each["path"]),
                each["message"],
                each["line"] + 1,
                each["column"] + 1,
            )
            for each in said["findings"]
        ),
        "; ".join(refused),
    )
