"""The rulesets that are shipped: what each rule finds, and what it lets be.

The examples are tables in `rules/`, which the comparison with Spectral reads, too.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from outrider.common.yaml_positions import read_yaml
from outrider.gateway.documents import parse
from outrider.gateway.lint.engine import lint
from outrider.gateway.lint.ruleset import Ruleset, read_ruleset

FOLDER = Path(__file__).parent / "rules"
AREAS = [
    *("security", "versioning", "naming", "errors", "pagination", "limits", "deprecation", "documentation"),
    "ownership",
]
KINDS = {"openapi": ("3.0.3", "3.1.0"), "asyncapi": ("3.0.0",)}
"""What the documents are called, and the versions in which each example is tried."""


class Example(NamedTuple):
    """A document, and where it breaks the rule; nowhere: it just does not."""

    kind: str
    rule: str
    document: Any
    places: list[str]


def merged(document: Any, change: Any) -> Any:
    """The document after a JSON merge patch (RFC 7396)."""
    if not isinstance(change, dict):
        return change
    kept = dict(document) if isinstance(document, dict) else {}
    for name, value in change.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = merged(kept.get(name), value)
    return kept


def table(kind: str) -> Mapping[str, Any]:
    """The examples of one ruleset."""
    read: Mapping[str, Any] = read_yaml((FOLDER / f"{kind}.yaml").read_bytes()).data
    return read


@cache
def ruleset(kind: str) -> Ruleset:
    """As it is shipped."""
    return read_ruleset(f"outrider:{kind}")


def examples() -> Iterator[Any]:
    """All of them, in all versions."""
    for kind, versions in KINDS.items():
        read = table(kind)
        for version in versions:
            clean = read["clean"] | {kind: version}
            yield pytest.param(Example(kind, "", clean, []), id=f"{kind}-{version}-clean")
            for rule, cases in read["rules"].items():
                for number, case in enumerate(cases):
                    name = f"{kind}-{version}-{rule}-{number}"
                    wrong, right = (merged(clean, case[each]) for each in ("wrong", "right"))
                    yield pytest.param(Example(kind, rule, wrong, case["at"]), id=f"{name}-wrong")
                    yield pytest.param(Example(kind, rule, right, []), id=f"{name}-right")


def found(example: Example) -> list[tuple[str, str]]:
    """Rule and place of each finding."""
    source = parse(msgspec.json.encode(example.document), f"{example.kind}.json")
    return [(one.rule, one.place.pointer) for one in lint(source, ruleset(example.kind)).findings]


@pytest.mark.parametrize("example", list(examples()))
def test_a_rule_finds_what_is_planted_and_nothing_that_only_looks_like_it(example: Example) -> None:
    """Each violation at its exact place, and no other of that rule; a clean document breaks none at all."""
    places = [place for rule, place in found(example) if rule == example.rule or not example.rule]

    assert sorted(places) == sorted(example.places)


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_has_an_example(kind: str) -> None:
    """No rule is shipped that nobody has seen at work."""
    assert table(kind)["rules"].keys() == {rule.name for rule in ruleset(kind).rules}


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_says_what_why_and_what_to_write_instead(kind: str) -> None:
    """And how bad it is, where it belongs, and where it comes from."""
    written = read_yaml(Path(_file(kind)).read_bytes()).data["rules"]

    for name, rule in written.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name), name
        assert re.fullmatch(r"[A-Z`].{20,200}[.]", rule["description"]), name
        assert re.fullmatch(r"[A-Z{].{10,150}[.]", rule["message"]), name
        assert re.fullmatch(r"[a-z][^\n]{10,160}[^.]", rule["x-mend"]), name
        assert rule["severity"] in ("error", "warn"), name
        assert rule["x-area"] in AREAS, name
        assert isinstance(rule["x-source"], list), name


def test_what_both_rulesets_have_reads_alike() -> None:
    """The same name is the same rule, as far as a document of the other kind can break it."""
    openapi, asyncapi = (read_yaml(Path(_file(kind)).read_bytes()).data["rules"] for kind in KINDS)
    told = ("description", "message", "x-mend", "x-area", "x-source", "severity")

    for name in openapi.keys() & asyncapi.keys():
        assert {key: openapi[name][key] for key in told} == {key: asyncapi[name][key] for key in told}


def _file(kind: str) -> str:
    return str(Path(__file__).parents[3] / f"src/outrider/gateway/lint/rules/{kind}.yaml")
