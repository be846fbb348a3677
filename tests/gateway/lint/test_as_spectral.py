"""Our rule engine against Spectral itself: the same findings, as severe, with the same text, at the same place.

`spectral/cases/` holds miniature documents with miniature rulesets, a file for each part of the language;
`spectral_documents.py` makes some hundred more, and `rules/` has the examples of the rulesets that are shipped, which
Spectral takes unchanged. One process of Node answers for all of them, beside the other tests.

Where we differ, we mean to: `spectral/differences.yaml` is the table of it, each with its reason and both answers.
Besides, we point at a key where Spectral points behind its colon; that is compared too, see `_pointed_at`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from outrider.gateway.lint.ruleset import SHIPPED
from tests.beside import beside
from tests.gateway.lint import spectral_documents
from tests.gateway.lint.spectral_itself import (
    INSTALL,
    Answer,
    Case,
    Found,
    as_yaml,
    by_spectral,
    by_us,
    is_here,
    written,
)
from tests.gateway.lint.test_rules import KINDS, examples

pytestmark = pytest.mark.skipif(not is_here(), reason=INSTALL)

_HERE = Path(__file__).parent / "spectral"


def _read(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load(file.read_text()))


Said: TypeAlias = dict[str, tuple[Case, Answer]]
"""Cases with what Spectral says of them, by what they are about."""

CASES = [(f"{file.stem}: {each['about']}", each) for file in sorted(_HERE.glob("cases/*.yaml")) for each in _read(file)]
DIFFERENCES = [(each["about"], each) for each in _read(_HERE / "differences.yaml")]


def spectral_says(folder: Path) -> Said:
    """All cases with Spectral's answers."""
    if not is_here():
        return {}
    by_hand = [
        written(folder / str(number), {**case, "about": about}) for number, (about, case) in enumerate(_by_hand())
    ]
    cases = [*by_hand, *_generated(folder), *_shipped()]
    return {case.about: (case, answer) for case, answer in zip(cases, by_spectral(cases), strict=True)}


asked = beside(spectral_says)


def _by_hand() -> list[tuple[str, dict[str, Any]]]:
    return [*CASES, *DIFFERENCES]


def _generated(folder: Path) -> Iterator[Case]:
    """Each document with one of the rulesets, which are loaded once."""
    rulesets = [
        written(folder / f"ruleset-{number}", {"about": "", "document": {}, "ruleset": each})
        for number, each in enumerate(spectral_documents.rulesets())
    ]
    for number, document in enumerate(spectral_documents.documents()):
        ruleset = rulesets[number % len(rulesets)].ruleset
        text = json.dumps(document, indent=1)
        yield Case(f"generated {number}", ruleset, ruleset.parent / "openapi.yaml", text)


def _shipped() -> Iterator[Case]:
    """The examples of all rules that are shipped, in the newest version of each kind of document."""
    for each in examples():
        for kind, _, document, _ in each.values:
            if document[kind] == KINDS[kind][-1]:
                text = as_yaml(document)
                yield Case(f"shipped {each.id}", SHIPPED[f"outrider:{kind}"], Path(f"{kind}.yaml"), text)


@pytest.mark.parametrize(("about", "case"), CASES, ids=[about for about, _ in CASES])
def test_finds_what_spectral_finds(about: str, case: dict[str, Any], spectral_says: Said) -> None:
    """Each part of the language, on its own; and what Spectral refuses, we refuse."""
    case_, theirs = spectral_says[about]
    ours = by_us(case_)
    if case.get("refused"):
        assert theirs.refused
        assert ours.refused
    else:
        _compare(case_, ours, theirs)


def test_finds_the_same_in_documents_that_nobody_wrote(spectral_says: Said) -> None:
    """With every path expression, field and function at once, references and circles of them included."""
    generated = [each for about, each in spectral_says.items() if about.startswith("generated")]
    assert len(generated) >= spectral_documents.COUNT
    found = 0
    for case, theirs in generated:
        ours = by_us(case)
        _compare(case, ours, theirs)
        found += len(ours.found)
    assert found > 5 * len(generated)


def test_finds_the_same_in_the_examples_of_the_rules_that_are_shipped(spectral_says: Said) -> None:
    """The same rules, severities, messages and places; the rulesets are Spectral's as they are."""
    shipped = [each for about, each in spectral_says.items() if about.startswith("shipped")]
    assert len(shipped) > 100
    for case, theirs in shipped:
        assert (theirs.refused, by_us(case).told()) == ("", theirs.told()), case.about


@pytest.mark.parametrize(("about", "case"), DIFFERENCES, ids=[about for about, _ in DIFFERENCES])
def test_differs_where_it_means_to(about: str, case: dict[str, Any], spectral_says: Said) -> None:
    """The table of differences is true, of both."""
    case_, theirs = spectral_says[about]
    assert _short(by_us(case_)) == case["ours"]
    assert _short(theirs) == case["theirs"]


def _compare(case: Case, ours: Answer, theirs: Answer) -> None:
    assert (ours.refused, theirs.refused) == ("", ""), case.text
    assert ours.told() == theirs.told(), case.text
    places = {each[:5]: each for each in ours.found}
    lines = case.text.splitlines()
    assert [each for each in theirs.found if not _pointed_at(lines, places[each[:5]], each)] == []


def _pointed_at(lines: list[str], ours: Found, theirs: Found) -> bool:
    """Is what lies between the two columns nothing, or a key with its colon?"""
    between = lines[ours.line - 1][ours.column - 1 : theirs.column - 1]
    return bool(re.fullmatch(r"(.*: ?)?", between))


def _short(answer: Answer) -> str | list[str]:
    """As the table of differences has it."""
    if answer.refused:
        return "refused"
    return sorted({f"{each.rule} {_pointer(each.path)}" for each in answer.found})


def _pointer(path: tuple[str, ...]) -> str:
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path)
