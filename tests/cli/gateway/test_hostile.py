"""What strangers wrote into documents, product files and file names reaches a terminal and a workflow as text only."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.outrider import Said, outrider
from tests.gateway.written import OPENAPI, OPENAPI_FILE, PRODUCT_FILE, add, edit, write, written

EVIL = "x\x1b]0;y\x07\x1b[31m\n::stop-commands::z\n##[add-mask]a\r\n::error file=a::b\u2028::debug::c\u202e[red]\x85"
KEY = json.dumps(EVIL)  # which is YAML as well
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]")
OURS = re.compile(r"::(error|warning|notice)( file=[^:]+)?::")


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where there is the product parking, and nothing of git."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(written(tmp_path))
    return tmp_path


def is_text(said: Said, form: str) -> bool:
    """Is nothing in it a command to a terminal or to a workflow, except ours? Is there anything?"""
    whole = said.out + said.err
    lines = [line.strip() for line in whole.splitlines()]
    if form == "github":
        return bool(whole) and said.err == "" and all(map(OURS.match, lines))
    commands = [line for line in lines if line.startswith("::") or "##[" in line]
    return bool(whole) and not UNSEEN.search(whole) and not commands


@pytest.mark.parametrize("form", ["text", "github", "json", "sarif"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("paths:\n", f"{KEY}: 1\npaths:\n"),
        ("paths:\n", f"{KEY}: 1\n{KEY}: 2\npaths:\n"),
        ("openapi: 3.1.0", f"openapi: {KEY}"),
        ("security: [{token", f"security: [{{{KEY}: []}}, {{token"),
        ("/v1/places/{place}:", json.dumps(f"/v1/places/{{place}}/{{{EVIL}}}") + ":"),
        ("operationId: showPlace", f"tags: [{KEY}, {KEY}]\n      operationId: showPlace"),
        ("{description: One.}", f"{{$ref: {json.dumps('https://' + EVIL)}}}"),
        (
            "schema: {type: string}",
            f"schema: {{type: object, discriminator: {{propertyName: a, mapping: {{{KEY}: b}}}}}}",
        ),
    ],
)
def test_a_document(root: Path, form: str, old: str, new: str) -> None:
    """In keys, names and references, whichever check meets them, and however it is told."""
    edit(OPENAPI_FILE, old, new)(root)

    assert is_text(outrider("gateway", "lint", "--format", form), form)
    assert is_text(outrider("gateway", "check", "--against", "none", "--format", form), form)


@pytest.mark.parametrize("form", ["text", "github"])
def test_a_change(root: Path, form: str) -> None:
    """What two documents differ in."""
    content = f"content: {{application/json: {{schema: {{type: object, properties: {{{KEY}: {{type: string}}}}}}}}}}"
    write("old.yaml", OPENAPI.replace("{description: One.}", f"{{description: One., {content}}}"))(root)
    write("new.yaml", OPENAPI.replace("{description: One.}", f"{{description: One., {content.replace(KEY, 'b')}}}"))(
        root
    )

    said = outrider("gateway", "diff", "old.yaml", "new.yaml", "--format", form, "--fail-on", "warn")

    assert said.code == 1
    assert r"\x1b]0;y\x07" in said.out
    assert is_text(said, form)


@pytest.mark.parametrize("form", ["text", "github"])
def test_files_and_products(root: Path, form: str) -> None:
    """Names of files and folders, of those who own a product, and who said yes to what."""
    name = "::stop-commands::z\n##[add-mask]a\x1b[31m"
    write(f"{name}.yaml", OPENAPI)(root)
    write(f"{name}/openapi.yaml", "openapi: [")(root)
    write("governance.yaml", "approvers: [{name: jane}]\n")(root)
    waiver = f"{{rule: server-https, place: '#', owner: {KEY}, approver: jane, reason: {KEY}, until: 2099-01-01}}"
    add(PRODUCT_FILE, f"waivers: [{waiver}]\n")(root)
    edit(PRODUCT_FILE, "owner: team-parking", f"owner: {KEY}")(root)

    for words in (
        ("lint", f"{name}.yaml", f"{name}/openapi.yaml", f"{name}/none.yaml", "products"),
        ("diff", f"{name}.yaml", f"{name}/openapi.yaml"),
        ("check", "--against", "none"),
    ):
        assert is_text(outrider("gateway", *words, "--format", form), form)


def test_the_summary_of_a_job(root: Path) -> None:
    """It is Markdown, in which nothing that is written anywhere is markup."""
    edit(OPENAPI_FILE, "paths:\n", f"{KEY}: 1\n{KEY}: 2\npaths:\n")(root)
    edit(PRODUCT_FILE, "owner: team-parking", f"owner: {KEY}")(root)

    outrider("gateway", "check", "--against", "none", "--format", "github", GITHUB_STEP_SUMMARY="summary.md")

    assert not UNSEEN.search(written_summary := Path("summary.md").read_text())
    assert not re.search(r"^\s*::|##\[|(?<!\\)\[red", written_summary, re.MULTILINE)


def test_markup_of_our_own_is_text(root: Path) -> None:
    """A terminal shows brackets and colons as they are written."""
    name = "[bold red]x[/bold red] :fire:"
    edit(OPENAPI_FILE, "paths:\n", f"{json.dumps(name)}: 1\npaths:\n")(root)

    assert name in outrider("gateway", "lint").out
