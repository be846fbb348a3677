"""The rule engine: what it finds and where, and that what cannot be decided is refused."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.common.yaml_positions import Position
from outrider.gateway.documents import parse
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Severity
from outrider.gateway.lint.engine import lint
from outrider.gateway.lint.ruleset import read_ruleset
from tests.gateway.lint.ruled import MISSING, linted, short


def test_a_finding_says_what_where_why_and_how_to_mend_it(tmp_path: Path) -> None:
    """Everything that a person needs, and the place of the field as its file has it."""
    (tmp_path / "ruleset.yaml").write_text(
        "documentationUrl: https://example.com/rules\n"
        "rules:\n"
        "  contact:\n"
        "    description: Somebody must be asked.\n"
        "    message: '{{property}} is missing'\n"
        "    severity: error\n"
        "    x-mend: add contact\n"
        "    given: $.info\n"
        "    then: {field: contact, function: truthy}\n"
    )
    document = b"openapi: 3.1.0\npaths: {}\ninfo:\n  title: A\n"
    (found,) = lint(parse(document, "openapi.yaml"), read_ruleset(tmp_path / "ruleset.yaml")).findings
    assert (found.rule, found.severity, found.message) == ("contact", Severity.ERROR, "info.contact is missing")
    assert (found.why, found.mend) == ("Somebody must be asked.", "add contact")
    assert found.url == "https://example.com/rules#contact"
    assert (found.place.file, found.place.position, found.place.path) == ("openapi.yaml", Position(3, 1), ("info",))


def test_findings_come_in_the_order_of_the_document(tmp_path: Path) -> None:
    """Whatever the order of the rules; the same one is told once."""
    rules = {
        "z": {"given": ["$.info", "$.info"], "then": MISSING},
        "b": {"given": "$.paths[*]", "then": MISSING},
        "a": {"given": "$.paths[*]", "then": MISSING},
    }
    found = linted(tmp_path, rules, {"paths": {"/b": {}, "/a": {}}})
    assert short(found.findings) == ["z #/info", "a #/paths/~1b", "b #/paths/~1b", "a #/paths/~1a", "b #/paths/~1a"]


def test_it_is_told_how_much_each_rule_looked_at(tmp_path: Path) -> None:
    """Also of a rule that found nothing anywhere; those that are off, or for other documents, did not run."""
    rules = {
        "all": {"given": "$.paths[*]", "then": {"function": "truthy"}},
        "none": {"given": "$.paths[*].nothing", "then": {"function": "truthy"}},
        "off": {"given": "$", "severity": "off", "then": MISSING},
        "other": {"given": "$", "formats": ["aas3", "oas3_0"], "then": MISSING},
        "this": {"given": "$", "formats": ["oas3"], "then": {"function": "truthy"}},
    }
    assert linted(tmp_path, rules, {"paths": {"/a": {}, "/b": {}}}).ran == {"all": 2, "none": 0, "this": 1}


def test_what_is_referred_to_is_told_once_where_it_is_written(tmp_path: Path) -> None:
    """However many refer to it, at the definition; a rule for the document as written sees the reference."""
    rules = {
        "resolved": {"given": "$.paths..schema", "then": MISSING},
        "written": {"given": "$.paths..schema", "resolved": False, "then": MISSING},
    }
    schema = {"schema": {"$ref": "#/components/schemas/A"}}
    found = linted(
        tmp_path, rules, {"paths": {"/a": {"get": schema, "put": schema}}, "components": {"schemas": {"A": {}}}}
    )
    assert short(found.findings) == [
        "written #/paths/~1a/get/schema",
        "written #/paths/~1a/put/schema",
        "resolved #/components/schemas/A",
    ]


def test_a_document_whose_references_mean_millions_is_looked_at_once(tmp_path: Path) -> None:
    """Each of 20 schemas has the next one twice: two million ways lead to the last, and one finding is there."""
    schemas: dict[str, Any] = {
        f"S{i}": {"properties": {name: {"$ref": f"#/components/schemas/S{i + 1}"} for name in "ab"}} for i in range(20)
    }
    schemas["S20"] = {"type": "string"}
    rules = {"typed": {"given": "$..type", "then": {"function": "falsy"}}}
    found = linted(tmp_path, rules, {"components": {"schemas": schemas}})
    assert short(found.findings) == ["typed #/components/schemas/S20/type"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"openapi": "3.2.0"}, "this version is not known; 3.0 and 3.1 are read"),
        ({"openapi": "3.1"}, "this version is not known"),
        ({"openapi": 3.1}, "this version is not known"),
        ({"openapi": None}, "says openapi: 3.1.0, or asyncapi: 3.0.0"),
        ({"openapi": None, "asyncapi": "2.6.0"}, "this version is not known; 3.0 is read"),
        ({"asyncapi": "3.0.0"}, "says both openapi and asyncapi"),
        ({"openapi": None, "swagger": "2.0"}, "OpenAPI 2 is not read"),
        ({"x": {"$ref": "#/nothing"}}, "leads nowhere"),
        ({"x": {"$ref": "other.yaml"}}, "leads out of this document"),
    ],
)
def test_a_document_that_is_not_fully_understood_is_refused(
    tmp_path: Path, document: dict[str, Any], message: str
) -> None:
    """Never passed over: were a rule not to see it, nobody would know."""
    with pytest.raises(Refused, match=r"openapi\.yaml:1:") as refused:
        linted(tmp_path, {"a": {"given": "$.info", "then": {"function": "truthy"}}}, document)
    assert message in str(refused.value)


def test_what_is_no_object_is_refused(tmp_path: Path) -> None:
    """A list, a text, or nothing at all is no API's document."""
    (tmp_path / "ruleset.yaml").write_bytes(msgspec.json.encode({"rules": {"a": {"given": "$", "then": MISSING}}}))
    for text in (b"[]", b"text", b""):
        with pytest.raises(Refused, match="is no API's document"):
            lint(parse(text, "openapi.yaml"), read_ruleset(tmp_path / "ruleset.yaml"))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"a": {"given": "$", "severity": "off", "then": MISSING}}, "is on for OpenAPI 3.1.0"),
        ({"a": {"given": "$", "recommended": False, "then": MISSING}}, "is on for OpenAPI 3.1.0"),
        ({"a": {"given": "$", "formats": ["oas3_0"], "then": MISSING}}, "has rules for oas3_0"),
        ({"a": {"given": "$", "formats": ["oas2", "aas3"], "then": MISSING}}, "has rules for aas3, oas2"),
    ],
)
def test_no_rule_at_all_is_refused(tmp_path: Path, rules: dict[str, Any], message: str) -> None:
    """A document that nothing was asked of has passed nothing."""
    with pytest.raises(Refused) as refused:
        linted(tmp_path, rules)
    assert message in str(refused.value)


def test_a_new_version_does_not_leave_a_rule_behind(tmp_path: Path) -> None:
    """Rules without formats would run, but those of the ruleset for this kind of document would not."""
    rules = {"a": {"given": "$", "then": MISSING}, "b": {"given": "$", "formats": ["oas3_0"], "then": MISSING}}
    assert len(linted(tmp_path, rules, {"openapi": "3.0.3"}).findings) == 2
    with pytest.raises(Refused, match=r"no format that .*ruleset\.yaml names fits OpenAPI 3\.1\.0"):
        linted(tmp_path, rules)


def test_an_alias_without_a_target_does_not_take_its_rule_along(tmp_path: Path) -> None:
    """It would look at nothing, and seem to be fulfilled."""
    rules = {
        "formats": ["oas3"],
        "aliases": {"Info": {"targets": [{"formats": ["oas3_0"], "given": ["$.info"]}]}},
        "rules": {"a": {"given": "#Info", "then": MISSING}, "b": {"given": "$", "then": MISSING}},
    }
    with pytest.raises(Refused, match=r"the rule a: names only aliases that have no target for OpenAPI 3\.1\.0"):
        linted(tmp_path, rules)


def test_a_rule_that_fails_fails_the_document(tmp_path: Path) -> None:
    """With its name, the place where it was looking, and why; other rules are heard too."""
    rules = {
        "letters": {"given": "$.x", "then": {"function": "alphabetical"}},
        "types": {"given": "$.info[?(@.length > 0)]", "then": {"function": "truthy"}},
    }
    with pytest.raises(Refused, match=r"x\[?.*the rule letters cannot be decided here: alphabetical compares"):
        linted(tmp_path, rules, {"x": ["é", "a"]})


def test_an_override_is_other_for_its_files_and_places(tmp_path: Path) -> None:
    """By the path of the document from the ruleset's folder on; the nearest place counts."""
    rules = {
        "rules": {
            "a": {"given": "$.paths[*]", "severity": "error", "then": MISSING},
            "b": {"given": "$.info", "then": MISSING},
        },
        "overrides": [
            {"files": ["open*.yaml"], "rules": {"b": "off"}},
            {"files": ["other.yaml"], "rules": {"a": "off"}},
            {"files": ["**/*.yaml#/paths"], "rules": {"a": "hint"}},
            {"files": ["openapi.yaml#/paths/~1a"], "rules": {"a": "off"}},
        ],
    }
    found = linted(tmp_path, rules, {"paths": {"/a": {}, "/b": {}}})
    assert [(each.severity, each.place.pointer) for each in found.findings] == [(Severity.HINT, "#/paths/~1b")]
