"""`outrider gateway diff`: for people and for programs, and how it ends."""

from pathlib import Path

import pytest
import yaml

from tests.cli.outrider import Said, outrider

OLD = """\
openapi: 3.1.0
info: {title: Parking, version: 1.4.0}
paths:
  /spaces:
    get: {operationId: list, responses: {'200': {description: All of them.}}}
  /spaces/{id}:
    parameters: [{in: path, name: id, required: true, schema: {type: string}}]
    get: {operationId: read, responses: {'200': {description: One., headers: {ETag: {schema: {type: string}}}}}}
    delete: {operationId: remove, responses: {'204': {description: Gone.}}}
"""
WARNS = OLD.replace(", headers: {ETag: {schema: {type: string}}}", "")
BREAKS = "".join(line for line in WARNS.splitlines(keepends=True) if "delete" not in line)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the documents are, which is where the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.yaml").write_text(OLD)
    return tmp_path


def diff(new: str, *words: str) -> Said:
    """The document against the old one."""
    Path("new.yaml").write_text(new)
    return outrider("gateway", "diff", "old.yaml", "new.yaml", *words)


@pytest.mark.usefixtures("folder")
def test_it_tells_people_what_breaks_and_what_to_do() -> None:
    """By operation, with both places as far as there are two, and the place as an approval names it."""
    said = diff(BREAKS)

    assert said.code == 1
    assert said.out == (
        "GET /spaces/{id}\n"
        "  warn   optional-response-header-removed: the answer 200 no longer has the header etag, not even at times\n"
        "    old  old.yaml:8:79  #/paths/~1spaces~1{id}/get/responses/200/headers/ETag\n"
        "    new  new.yaml:8:42  #/paths/~1spaces~1{id}/get/responses/200\n"
        "DELETE /spaces/{id}\n"
        "  error  api-removed-without-deprecation: the operation was removed, and was not deprecated before\n"
        "    old  old.yaml:9:5  #/paths/~1spaces~1{id}/delete\n"
    )
    assert said.err.splitlines()[0] == "1 error, 1 warning"
    assert "new major version in info.version, such as 2.0.0, or each with an approval:" in said.err
    assert "approve PRODUCT api-removed-without-deprecation '#/paths/~1spaces~1{id}/delete' --as NAME" in said.err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("new", "words", "code"),
    [
        (OLD, (), 0),
        (WARNS, (), 0),
        (WARNS, ("--fail-on", "warn"), 1),
        (BREAKS, (), 1),
        (BREAKS.replace("1.4.0", "1.5.0"), (), 1),
        (BREAKS.replace("1.4.0", "2.0.0"), (), 0),
        (WARNS.replace("1.4.0", "2.0.0"), ("--fail-on", "warn"), 0),
    ],
)
def test_the_exit_code_tells_whether_it_breaks(new: str, words: tuple[str, ...], code: int) -> None:
    """Warnings only where they are asked for; nothing breaks in a new major version."""
    assert diff(new, *words).code == code


@pytest.mark.usefixtures("folder")
def test_nothing_is_said_too() -> None:
    """To people; programs get an empty list."""
    assert diff(OLD.replace("All of them.", "All.")) == (0, "", "Nothing breaks callers.\n")
    assert diff(OLD, "--format", "json").data == []
    assert diff(OLD, "--format", "github") == (0, "", "")


@pytest.mark.usefixtures("folder")
def test_programs_get_the_same() -> None:
    """As JSON, as SARIF and as annotations, with the same exit code and nothing for people."""
    said = diff(BREAKS, "--format", "json")

    assert (said.code, said.err) == (1, "")
    assert [(one["rule"], one["operation"], one["severity"]) for one in said.data] == [
        ("optional-response-header-removed", "GET /spaces/{id}", "warn"),
        ("api-removed-without-deprecation", "DELETE /spaces/{id}", "error"),
    ]
    assert said.data[1]["new"] is None
    assert said.data[1]["old"]["line"] == 9
    assert len(diff(BREAKS, "--format", "sarif").data["runs"][0]["results"]) == 2
    assert diff(BREAKS, "--format", "github").out.count("api-removed-without-deprecation") == 1


@pytest.mark.usefixtures("folder")
def test_what_a_new_major_version_breaks_is_no_error_of_a_workflow() -> None:
    """It warns, as the step does not fail; for other programs a change stays what it is."""
    new = BREAKS.replace("1.4.0", "2.0.0")

    said = diff(new, "--format", "github")

    assert (said.code, said.err) == (0, "")
    assert [line.split()[0] for line in said.out.splitlines()] == ["::warning", "::warning"]
    assert [one["severity"] for one in diff(new, "--format", "json").data] == ["warn", "error"]


@pytest.mark.usefixtures("folder")
def test_programs_see_that_nothing_was_compared() -> None:
    """An empty list would say that nothing breaks."""
    [one] = diff("openapi: [", "--format", "json").data
    [run] = diff("openapi: [", "--format", "sarif").data["runs"]

    assert (one["rule"], one["severity"], one["file"], one["line"]) == ("check-failed", "error", "new.yaml", 2)
    assert [each["ruleId"] for each in run["results"]] == ["check-failed"]
    assert not run["invocations"][0]["executionSuccessful"]


def test_products_are_compared_by_their_folders(folder: Path) -> None:
    """A deprecation with the notice that governance.yaml asks for; the folder is what an approval is written into."""
    product = folder / "products" / "parking"
    product.mkdir(parents=True)
    deprecated = yaml.safe_load(OLD)
    deprecated["paths"]["/spaces"]["get"]["deprecated"] = True
    (product / "openapi.yaml").write_text(yaml.safe_dump(deprecated))
    (product / "product.yaml").touch()

    assert outrider("gateway", "diff", "old.yaml", product).code == 0
    (folder / "governance.yaml").write_text("notice: 90\n")
    assert "approve" not in outrider("gateway", "diff", "old.yaml", product).err
    (folder / "governance.yaml").write_text("notice: 90\napprovers: [{name: jane.doe}]\n")
    said = outrider("gateway", "diff", "old.yaml", product)

    assert said.code == 1
    assert "api-deprecated-sunset-missing" in said.out
    assert f"approve {product} api-deprecated-sunset-missing" in said.err
    assert "--as jane.doe --until 20" in said.err
    assert outrider("gateway", "diff", "old.yaml", product, "--notice", "0").code == 0


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("openapi: [", "new.yaml:2:1: is not YAML"),
        (OLD.replace("3.1.0", "3.9.0"), "new.yaml:1:1: openapi: this version is not known"),
        (OLD.replace("in: path", "in: somewhere"), "new.yaml:7:"),
        (OLD.replace("{type: string}", "{$ref: 'https://example.com/a'}"), "new.yaml:7:"),
    ],
)
def test_what_is_no_sound_document_is_refused(new: str, message: str) -> None:
    """With its place, on either side, and before anything is compared."""
    said = diff(new)

    assert (said.code, said.out) == (1, "")
    assert message in said.err
    assert message in outrider("gateway", "diff", "new.yaml", "old.yaml").err


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_not_there_is_named() -> None:
    """Instead of being taken for an empty one."""
    said = outrider("gateway", "diff", "old.yaml", "nowhere.yaml")

    assert (said.code, said.out) == (1, "")
    assert "nowhere.yaml" in said.err
