"""`outrider gateway check` and `report`: what a reviewer and those who govern get to see."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.outrider import Said, outrider
from tests.gateway.written import ENVIRONMENT_FILE, OPENAPI_FILE, PRODUCT_FILE, add, edit, remove, write, written


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, in which there is the product parking."""
    monkeypatch.delenv("GITHUB_BASE_REF", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    written(tmp_path)
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        settings = ("-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *settings, *words], cwd=tmp_path, check=True, capture_output=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*words: str, **environment: str) -> Said:
    return outrider("gateway", "check", *words, **environment)


def breaks_a_rule(root: Path) -> None:
    edit(OPENAPI_FILE, "security: [{token", "servers: [{url: 'http://parking.example'}]\nsecurity: [{token")(root)


def breaks_callers(root: Path) -> None:
    edit(OPENAPI_FILE, "  /v1/places/{place}:", "  /v1/spaces/{place}:")(root)


def test_all_may_go_live() -> None:
    """Where nothing is wrong, a table and a sentence say so; and it is told that nothing can have changed."""
    said = check()
    assert said.code == 0
    assert "parking" in said.out
    remark, _, verdict = said.err.splitlines()
    assert remark.startswith("Compared with the commit that is checked out")
    assert verdict.startswith("1 product may go live; compared with ")


def test_what_is_wrong_and_where(here: Path) -> None:
    """Each thing that is wrong is told with its place, and the last line says what it comes to."""
    breaks_a_rule(here)
    breaks_callers(here)
    said = check("products/")
    assert said.code == 1
    assert "products/parking/openapi.yaml:" in said.err
    assert "server-https" in said.err
    assert "api-path-removed-without-deprecation" in said.err
    assert "1 of 1 product may not go live (parking); compared with " in said.err.splitlines()[-1]


def test_against_nothing(here: Path) -> None:
    """Without an earlier commit the rules alone are checked, and git is not needed."""
    breaks_callers(here)
    (here / ".git").rename(here / "git")
    assert "compared with nothing" in check("--against", "none").err
    said = check()
    assert said.code == 1
    assert "--against none" in said.err


def test_keys_and_certificates_are_elsewhere(here: Path) -> None:
    """Where products are checked there need not be the keys and certificates of where they run."""
    remove("environments/keys/jwks.json")(here)
    tls = "listen: 127.0.0.1:9001\n    tls: {certificate: cert.pem, key: key.pem}"
    edit(ENVIRONMENT_FILE, "listen: 127.0.0.1:9001", tls)(here)
    assert check().code == 0


def test_for_programs(here: Path) -> None:
    """JSON has everything, also what is wrong apart from rules."""
    breaks_callers(here)
    add(PRODUCT_FILE, "color: red\n")(here)
    said = json.loads(check("--format", "json").out)
    [product] = said["products"]
    assert not said["passed"]
    assert "color" in product["faults"][0]


def test_for_a_pull_request(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """GitHub gets an annotation for each finding, and the summary of the job, in which no file can write markup."""
    summary = tmp_path_factory.mktemp("job") / "summary.md"
    breaks_callers(here)
    said = check("--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert said.code == 1
    assert "::error file=" in said.out
    assert "title=api-path-removed-without-deprecation" in said.out
    assert "| parking | team-parking | no |" in summary.read_text()


def test_what_is_gone_is_told_of_the_file_that_had_it(here: Path) -> None:
    """An annotation is for a file of the change, also where what it tells is not there any more."""
    breaks_callers(here)
    said = check("--format", "github").out
    assert "::error file=products/parking/openapi.yaml,line=1,col=1,title=api-path-removed-without-deprecation" in said


def test_a_new_major_version_is_no_error(here: Path) -> None:
    """What a new major version allows is counted, and is a warning in a pull request."""
    breaks_callers(here)
    edit(OPENAPI_FILE, "version: 1.0.0", "version: 2.0.0")(here)
    assert "1, new major" in check().out
    said = check("--format", "github")
    assert (said.code, "::error" in said.out, "::warning" in said.out) == (0, False, True)


def test_a_yes_that_does_not_count_is_none(here: Path) -> None:
    """Only who may say yes, and has, is told to have said it."""
    write("governance.yaml", "approvers: [{name: jane}]\n")(here)
    breaks_callers(here)
    place = "'#/paths/~1v1~1places~1{place}/get'"
    entry = (
        f"rule: api-path-removed-without-deprecation, place: {place}, owner: team-parking, reason: 'Nobody calls it.'"
    )
    until = (datetime.now(UTC) + timedelta(days=20)).date()
    add(PRODUCT_FILE, f"approvals:\n  - {{{entry}, approver: bob, until: {until}}}\n")(here)
    assert "says yes" not in check().err
    edit(PRODUCT_FILE, "approver: bob", "approver: jane")(here)
    assert "jane says yes (Nobody calls it.)" in check().err


def test_for_code_scanning(here: Path) -> None:
    """SARIF has one result for each thing that is wrong."""
    breaks_callers(here)
    [run] = json.loads(check("--format", "sarif").out)["runs"]
    assert "api-path-removed-without-deprecation" in {each["ruleId"] for each in run["results"]}


def test_every_environment(here: Path) -> None:
    """All environments are checked, unless one is named."""
    broken = (here / ENVIRONMENT_FILE).read_text().replace("127.0.0.1:9001", "0.0.0.0:9001")
    write("environments/prod.yaml", broken)(here)
    assert "environments/prod.yaml:" in check().err
    assert check("-e", "local").code == 0


def test_the_page(here: Path) -> None:
    """The page is written into a file, or printed."""
    breaks_a_rule(here)
    said = outrider("gateway", "report", "-o", "page.html")
    assert (said.code, said.out) == (0, "")
    assert "parking breaks rules" in (here / "page.html").read_text()
    assert outrider("gateway", "report", "-o", "-").out.startswith("<!doctype html>")


def test_a_page_that_cannot_be_written() -> None:
    """Where the page can't be written, the message names it."""
    said = outrider("gateway", "report", "-o", "nowhere/page.html")
    assert said.code == 1
    assert "nowhere/page.html" in said.err
