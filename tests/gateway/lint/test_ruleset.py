"""Rulesets: what is read of them, what they extend, and what is refused, with its place."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.gateway.faults import Refused
from outrider.gateway.findings import Severity
from outrider.gateway.lint.ruleset import SHIPPED, Ruleset, read_ruleset
from tests.gateway.lint.ruled import MISSING, ruleset

RULE = {"given": "$.info", "then": MISSING}


def severities(found: Ruleset) -> dict[str, Severity | None]:
    """Of the rules that are on."""
    return {rule.name: rule.severity for rule in found.rules if rule.active}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_rulesets_are_read_by_their_names(name: str) -> None:
    """Wherever they lie, and each time the same."""
    found = read_ruleset(name)
    assert found.name == name
    assert found.digest == read_ruleset(name).digest
    assert len(severities(found)) > 10


def test_a_ruleset_extends_a_shipped_one(tmp_path: Path) -> None:
    """And says what it sees differently."""
    shipped = read_ruleset("outrider:openapi")
    name = shipped.rules[0].name
    found = ruleset(tmp_path, {"extends": "outrider:openapi", "rules": {name: "off", "own": RULE}})
    assert set(severities(found)) == {*severities(shipped), "own"} - {name}


@pytest.mark.parametrize(
    ("extends", "on"),
    [
        ("./base.yaml", {"one", "two"}),
        (["./base.yaml"], {"one", "two"}),
        ([["./base.yaml", "recommended"]], {"one", "two"}),
        ([["./base.yaml", "all"]], {"one", "two", "three", "four"}),
        ([["./base.yaml", "off"]], set()),
    ],
)
def test_how_a_ruleset_is_extended_says_what_is_on(tmp_path: Path, extends: Any, on: set[str]) -> None:
    """Alone: what is recommended in it; a severity of off is off even where all is on, for it finds nothing."""
    base = {
        "rules": {
            "one": RULE,
            "two": {**RULE, "severity": "error"},
            "three": {**RULE, "recommended": False},
            "four": {**RULE, "recommended": False, "severity": "hint"},
        }
    }
    assert set(severities(ruleset(tmp_path, {"extends": extends, "rules": {}}, base=base))) == on


def test_rules_of_what_is_extended_are_changed_in_a_word(tmp_path: Path) -> None:
    """A severity switches on, off switches off, true and false leave it; a whole rule replaces what it names."""
    rule = {**RULE, "severity": "hint", "description": "Why", "x-mend": "so"}
    base = {"rules": dict.fromkeys(("a", "b", "c", "d", "e"), rule), "documentationUrl": "https://example.com"}
    base["rules"]["c"] = {**rule, "recommended": False}
    said = {"a": "error", "b": "off", "c": True, "d": False, "e": {"given": "$", "then": MISSING}}
    found = ruleset(tmp_path, {"extends": "./base.yaml", "rules": said}, base=base)
    assert severities(found) == {"a": Severity.ERROR, "c": Severity.HINT, "e": Severity.HINT}
    replaced = next(rule for rule in found.rules if rule.name == "e")
    assert (replaced.given, replaced.description, replaced.mend) == (("$",), "Why", "so")
    assert replaced.url == "https://example.com#e"


def test_the_digest_is_of_all_that_was_read(tmp_path: Path) -> None:
    """Another byte in what is extended is another ruleset; another folder is not."""
    first = ruleset(tmp_path, {"extends": "./base.yaml"}, base={"rules": {"a": RULE}}).digest
    (tmp_path / "other").mkdir()
    assert ruleset(tmp_path / "other", {"extends": "./base.yaml"}, base={"rules": {"a": RULE}}).digest == first
    assert ruleset(tmp_path, {"extends": "./base.yaml"}, base={"rules": {"a": RULE}, "x-a": 1}).digest != first


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("spectral:oas", "Spectral's own rulesets are no part of Outrider; write outrider:openapi"),
        ("spectral:asyncapi", "write outrider:openapi or outrider:asyncapi"),
        ("outrider:oas", "no such ruleset is shipped; there are outrider:openapi and outrider:asyncapi"),
        ("https://example.com/rules.yaml", "nothing is fetched; save the ruleset as a file"),
        ("./rules.js", "is a program"),
        ("@company/rules", "must be outrider:openapi or outrider:asyncapi, or a file such as ./guideline.yaml"),
        ("base.yaml", "write ./base.yaml"),
        ("./missing.yaml", "there is no file ./missing.yaml here"),
        ("../outside.yaml", "lies outside of the ruleset's folder"),
        ("/etc/passwd.yaml", "there is no file"),
        ("./link.yaml", "lies outside of the ruleset's folder"),
        ("./ruleset.yaml", "extends this ruleset itself"),
        ("./base.yaml", "extends this ruleset itself"),
    ],
)
def test_what_cannot_be_extended_is_refused(tmp_path: Path, extends: str, message: str) -> None:
    """With the place of its name, and what to do instead; nothing outside of the folder is opened."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_bytes(msgspec.json.encode({"rules": {"a": RULE}}))
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(Refused, match=r"\.yaml:1:2: extends: ") as refused:
        ruleset(folder, {"extends": extends}, base={"extends": "./ruleset.yaml"})
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["spectral:oas", "outrider:none", "https://example.com/a.yaml", "rules.js", "rules"])
def test_what_is_no_ruleset_by_its_name_is_refused(name: str) -> None:
    """As on the command line."""
    with pytest.raises(Refused, match=f"^{name}: "):
        read_ruleset(name)


def test_what_extends_too_much_is_refused(tmp_path: Path) -> None:
    """Each of the files has the next one twice; they are counted as often as they are read."""
    files = {f"r{i}": {"extends": [f"./r{i + 1}.yaml", f"./r{i + 1}.yaml"]} for i in range(12)}
    with pytest.raises(Refused, match="at most 100 files are extended in all"):
        ruleset(tmp_path, {"extends": "./r0.yaml"}, **files, r12={"rules": {"a": RULE}})


WRONG: dict[str, tuple[Any, str, str]] = {
    "nothing": ({}, "", "is no ruleset"),
    "a list": ([], "", "is no ruleset"),
    "a key": ({"rule": {}, "rules": {}}, "rule", "is not known; known here: description, documentationUrl, extends"),
    "functions": ({"functions": ["a"], "rules": {}}, "functions", "functions in JavaScript are not run; say the rule"),
    "except": ({"except": {}, "rules": {}}, "except", "write overrides"),
    "parser options": (
        {"parserOptions": {"duplicateKeys": "warn"}, "rules": {}},
        "parserOptions.duplicateKeys",
        "must be error",
    ),
    "a rule's key": ({"rules": {"a": {**RULE, "givn": ""}}}, "rules.a.givn", "known here: description, message"),
    "a rule without then": ({"rules": {"a": {"given": "$"}}}, "rules.a.then", "is required"),
    "a rule that is a number": ({"rules": {"a": 0}}, "rules.a", "must be one of error, warn, info, hint, off"),
    "a rule that is null": ({"rules": {"a": None}}, "rules.a", "must be one of"),
    "a rule that is not there": ({"rules": {"a": "error"}}, "rules.a", "is in none of the rulesets"),
    "a severity": ({"rules": {"a": {**RULE, "severity": "fatal"}}}, "rules.a.severity", "must be one of error"),
    "a truth as severity": ({"rules": {"a": {**RULE, "severity": True}}}, "rules.a.severity", "must be one of error"),
    "a path expression": ({"rules": {"a": {**RULE, "given": "$.info["}}}, "rules.a.given", "(character "),
    "no path expression": ({"rules": {"a": {**RULE, "given": "info"}}}, "rules.a.given", "must begin with $"),
    "no expressions": ({"rules": {"a": {**RULE, "given": []}}}, "rules.a.given", "must have at least 1 items"),
    "a function": (
        {"rules": {"a": {"given": "$", "then": {"function": "reverse"}}}},
        "rules.a.then.function",
        "no function reverse is known here; there are ",
    ),
    "a function's options": (
        {"rules": {"a": {"given": "$", "then": [{"function": "length", "functionOptions": {"minimum": 1}}]}}},
        "rules.a.then[0].functionOptions",
        "",
    ),
    "a then's key": (
        {"rules": {"a": {"given": "$", "then": {"feild": "x", "function": "truthy"}}}},
        "rules.a.then.feild",
        "",
    ),
    "a field": (
        {"rules": {"a": {"given": "$", "then": {"field": "a..b", "function": "truthy"}}}},
        "rules.a.then.field",
        "a field is @key, a path expression, or names",
    ),
    "JavaScript's own": (
        {"rules": {"a": {"given": "$", "then": {"field": "constructor", "function": "truthy"}}}},
        "rules.a.then.field",
        "is what every object of JavaScript has",
    ),
    "a format": (
        {"rules": {"a": {**RULE, "formats": ["oas4"]}}},
        "rules.a.formats[0]",
        "no document here has the format oas4",
    ),
    "no formats": ({"rules": {"a": {**RULE, "formats": []}}}, "rules.a.formats", "must have at least 1 items"),
    "a placeholder": (
        {"rules": {"a": {**RULE, "message": "{{ property }}"}}},
        "rules.a.message",
        "known are {{error}}, {{property}}",
    ),
    "an evaluated message": ({"rules": {"a": {**RULE, "message": "#{{property}}"}}}, "rules.a.message", "is not known"),
    "an alias": ({"rules": {"a": {**RULE, "given": "#No.x"}}}, "rules.a.given", "there is no alias No in this ruleset"),
    "an alias in itself": (
        {"aliases": {"A": ["#B"], "B": ["#A"]}, "rules": {}},
        "aliases.A",
        "leads back to itself: A -> B -> A",
    ),
    "an alias's name": ({"aliases": {"1": ["$"]}, "rules": {}}, 'aliases["1"]', "a letter first"),
    "an alias that is text": ({"aliases": {"A": "$"}, "rules": {}}, "aliases.A", "must be a list"),
    "aliases that mean too much": (
        {"aliases": {f"A{i}": [f"#A{i + 1}"] * 2 for i in range(30)} | {"A30": ["$"]}, "rules": {}},
        "aliases.A0",
        "stands for more than 1000 path expressions",
    ),
    "an override of nothing": (
        {"rules": {}, "overrides": [{"files": ["*"]}]},
        "overrides[0]",
        "changes nothing; it needs rules or extends",
    ),
    "an override's key": (
        {"rules": {}, "overrides": [{"files": ["*"], "rule": {}}]},
        "overrides[0].rule",
        "is not known",
    ),
    "an override of no rule": (
        {"rules": {}, "overrides": [{"files": ["*"], "rules": {"a": "off"}}]},
        "overrides[0].rules.a",
        "is in none of the rulesets",
    ),
    "a place of no rule": (
        {"rules": {}, "overrides": [{"files": ["*#/info"], "rules": {"a": "off"}}]},
        "overrides[0].rules.a",
        "is in none of the rulesets",
    ),
    "more than severities at a place": (
        {"rules": {"a": RULE}, "overrides": [{"files": ["*#/info"], "rules": {"a": RULE}, "aliases": {}}]},
        "overrides[0].aliases",
        "cannot be other for a part of a file",
    ),
    "files and places": (
        {"rules": {"a": RULE}, "overrides": [{"files": ["*", "*#/info"], "rules": {"a": "off"}}]},
        "overrides[0].files",
        "make two overrides of it",
    ),
    "a place that is none": (
        {"rules": {"a": RULE}, "overrides": [{"files": ["*#info"], "rules": {"a": "off"}}]},
        "overrides[0].files[0]",
        "must be a JSON pointer",
    ),
    "a pattern of files": (
        {"rules": {"a": RULE}, "overrides": [{"files": ["!(a).yaml"], "rules": {"a": "off"}}]},
        "overrides[0].files[0]",
        "files are named with *, **, ? and {a,b}",
    ),
}


@pytest.mark.parametrize(("data", "field", "message"), WRONG.values(), ids=WRONG)
def test_what_is_not_understood_is_refused(tmp_path: Path, data: Any, field: str, message: str) -> None:
    """With file, line and field, and what may stand there; a rule that nobody understands is never passed over."""
    with pytest.raises(Refused) as refused:
        ruleset(tmp_path, data)
    told = str(refused.value)
    assert f"ruleset.yaml:1:1: {message}" in told if not field else f": {field}: " in told
    assert message in told


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Also in what is extended, each with its own file."""
    with pytest.raises(Refused) as refused:
        ruleset(
            tmp_path,
            {"extends": ["./a.yaml", "./b.yaml"]},
            a={"rules": {"one": {**RULE, "given": "x"}, "two": {**RULE, "formats": ["x"]}}},
            b={"rules": {"three": "error"}},
        )
    told = [str(fault) for fault in refused.value.faults]
    assert [line.split(": ")[1] for line in told] == ["rules.one.given", "rules.two.formats[0]", "rules.three"]
