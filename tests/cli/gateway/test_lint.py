"""`outrider gateway lint`, as people and pipelines call it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.outrider import outrider
from tests.gateway.lawful import document

PRODUCT = "name: parking\nowner: team-parking\nversions: [v1]\naudiences: [parking]\n"
UNTIL = datetime.now(UTC).date() + timedelta(days=30)
WAIVER = f"""\
waivers:
  - rule: server-https
    place: '#/servers'
    owner: team-parking
    approver: jane.doe
    reason: Old cars speak no TLS.
    until: {UNTIL}
"""
GOVERNANCE = "approvers: [{name: jane.doe}]\n"


@pytest.fixture(autouse=True)
def parking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A product that breaks one rule, an error, in a folder where the person stands."""
    folder = tmp_path / "products" / "parking"
    folder.mkdir(parents=True)
    raw = document([], name="parking").raw.replace(b"https://parking.example", b"http://parking.example")
    (folder / "openapi.json").write_bytes(raw)
    (folder / "product.yaml").write_text(PRODUCT)
    monkeypatch.chdir(tmp_path)
    return folder


def test_it_says_where_what_and_how_to_mend_it() -> None:
    """By product and rule, and the last line counts."""
    said = outrider("gateway", "lint")

    assert said.code == 1
    first, rule, place, *_, last = said.out.splitlines()
    assert first == "products/parking  1 error"
    assert rule.split() == ["error", "server-https"]
    assert place.split()[0].startswith("products/parking/openapi.json:1:")
    assert "Mend: " in said.out
    assert last.startswith("1 error; ")
    assert last.endswith(" of 1 document.")


@pytest.mark.parametrize("path", ["products", "products/parking", "products/parking/openapi.json"])
def test_products_and_files_are_looked_at_alike(path: str) -> None:
    """A folder of products, a product, and a document by itself."""
    said = outrider("gateway", "lint", path, "--format", "json")

    assert [each["rule"] for each in said.data] == ["server-https"]
    assert said.data[0]["file"] == "products/parking/openapi.json"


def test_what_is_named_twice_is_looked_at_once() -> None:
    """A shell's pattern and a name may mean the same."""
    assert len(outrider("gateway", "lint", "products", "products/parking", "--format", "json").data) == 1


def test_a_waived_finding_is_shown_and_does_not_count(parking: Path) -> None:
    """With who said yes, until when, and why."""
    (parking / "product.yaml").write_text(PRODUCT + WAIVER)
    Path("governance.yaml").write_text(GOVERNANCE)

    said = outrider("gateway", "lint")

    assert (said.code, said.err) == (0, "")
    assert f"by jane.doe until {UNTIL}: Old cars speak no TLS." in said.out
    assert said.out.splitlines()[-1].startswith("1 waived; ")
    assert outrider("gateway", "lint", "--format", "json").data[0]["exempt"]["approver"] == "jane.doe"
    assert outrider("gateway", "lint", "--format", "github").out == ""


def test_nobody_waives_for_themselves(parking: Path) -> None:
    """Without a governance.yaml that names approvers, a waiver lets nothing pass, and is told itself."""
    (parking / "product.yaml").write_text(PRODUCT + WAIVER)

    for form in ("text", "json"):
        said = outrider("gateway", "lint", "--format", form)

        assert said.code == 1
        assert "waivers[0].approver: " in said.out + said.err
        assert "server-https" in said.out


def test_warnings_count_if_one_wants_them_to() -> None:
    """As a team that begins strictly does."""
    Path("rules.yaml").write_text("rules: {a: {severity: warn, given: $.info, then: {field: x-a, function: truthy}}}")
    words = ("gateway", "lint", "products/parking/openapi.json", "--ruleset", "rules.yaml")

    assert outrider(*words).code == 0
    assert outrider(*words, "--fail-on", "warn").code == 1


def test_one_that_cannot_be_checked_hides_no_other(parking: Path) -> None:
    """What was found of the others is told, and the exit code says that it is not all."""
    broken = parking.parent / "broken"
    broken.mkdir()
    (broken / "product.yaml").write_text("name: [broken\n")

    said = outrider("gateway", "lint")

    assert said.code == 1
    assert "server-https" in said.out
    assert said.out.splitlines()[-1].endswith("Some could not be checked.")
    assert "products/broken/product.yaml:2:1: is not YAML" in said.err


def test_a_product_cannot_be_given_other_rules() -> None:
    """They are those of governance.yaml; a pipeline that names others is mistaken, and told so."""
    said = outrider("gateway", "lint", "products", "--ruleset", "outrider:asyncapi")

    assert said.code == 2
    assert "governance.yaml" in said.err


def test_nothing_is_told_from_nothing_looked_at(parking: Path) -> None:
    """Where all is well, it says how many rules looked at how many places."""
    (parking / "openapi.json").write_bytes(document([], name="parking").raw)

    said = outrider("gateway", "lint")

    assert said.code == 0
    assert said.out.startswith("Nothing found; ")
    assert json.loads(outrider("gateway", "lint", "--format", "json").out) == []


def test_programs_see_what_could_not_be_checked() -> None:
    """A version that nobody knows is no clean document."""
    Path("new.yaml").write_text("openapi: 3.9.0\ninfo: {title: a, version: 1.0.0}\npaths: {}\n")

    said = outrider("gateway", "lint", "new.yaml", "--format", "json")
    [run] = outrider("gateway", "lint", "new.yaml", "--format", "sarif").data["runs"]

    assert said.code == 1
    assert [(one["rule"], one["file"], one["line"]) for one in said.data] == [("check-failed", "new.yaml", 1)]
    assert "3.9.0" in said.err or "version" in said.err
    assert [each["ruleId"] for each in run["results"]] == ["check-failed"]


def test_programs_see_that_there_was_nothing_to_check() -> None:
    """A folder that is not there is told to them, too, though it has no place."""
    [one] = outrider("gateway", "lint", "nowhere", "--format", "json").data

    assert (one["rule"], one["severity"]) == ("check-failed", "error")
