"""What lies beside releases: the documents that they were made of, and what was found of them."""

from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from outrider.gateway.faults import Refused
from outrider.gateway.findings import Severity
from outrider.gateway.governance.report import Approved, Report, Rulebook, Waived
from outrider.gateway.product import Approval, Waiver
from outrider.gateway.release import Kept, Release
from outrider.gateway.store import Journal, ProductState, State
from tests.gateway.governance.judged import APPROVAL, WAIVER, change, finding
from tests.gateway.test_store import live, release

DOCUMENT = b"openapi: 3.1.0\n"
REPORT = Report(
    product="charging",
    owner="a team",
    version="1.0.0",
    at="2026-11-22T02:14:05+00:00",
    by=Rulebook(ruleset="outrider:openapi", ruleset_sha256="12"),
    ran={"array-bounded": 3},
    findings=(finding(severity=Severity.WARN, at="#/paths/~1v1/get/parameters/0"),),
    waived=(Waived(finding=finding(), waiver=msgspec.convert(WAIVER, Waiver)),),
    changes=(change(severity=Severity.INFO),),
    approved=(Approved(change=change(new="#/paths"), approval=msgspec.convert(APPROVAL, Approval)),),
    outcome="passed",
)


@pytest.fixture
def product(tmp_path: Path) -> ProductState:
    """A product with release 1 live, beside which its document and its report lie."""
    made = State(tmp_path / "gateways").product("charging")
    made.add(documented(1), kept())
    made.set_live(live(1))
    return made


def kept(document: bytes = DOCUMENT, file: str = "openapi.yaml") -> Kept:
    return Kept(file=file, document=document, report=REPORT)


def documented(number: int, document: bytes = DOCUMENT, source: int | None = None) -> Release:
    return msgspec.structs.replace(release(number), document=sha256(document).hexdigest(), source=source)


def test_document_and_report_come_back_as_they_were(product: ProductState) -> None:
    """Under the document's own name, for people to read, and for nobody to change."""
    folder = product.folder / "releases/1"
    found = product.kept(1)

    assert found == Kept(file=str(folder / "openapi.yaml"), document=DOCUMENT, report=REPORT)
    assert (folder / "openapi.yaml").read_bytes() == DOCUMENT
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o444}


def test_a_document_in_json_is_one_too(product: ProductState) -> None:
    """It keeps its name."""
    product.add(documented(2, b"{}"), kept(b"{}", "products/charging/openapi.json"))

    found = product.kept(2)
    assert found is not None
    assert (Path(found.file).name, found.document) == ("openapi.json", b"{}")


def test_a_release_that_takes_up_another_has_its_document(product: ProductState) -> None:
    """Also one that takes up one that took it up; nothing is stored twice."""
    product.add(documented(2, source=1))
    product.add(documented(3, source=2))

    assert product.kept(3) == product.kept(2) == product.kept(1)
    assert not (product.folder / "releases/3").exists()


def test_a_release_of_before_has_none(product: ProductState) -> None:
    """Of one that was made before documents were kept, as it was stored then, there is nothing to say."""
    old = msgspec.to_builtins(release(2))
    del old["document"]
    (product.folder / "releases/2.json").write_bytes(msgspec.json.encode(old))

    assert product.kept(2) is None


@pytest.mark.parametrize("damage", ["document", "other document", "report", "no report", "folder"])
def test_what_was_damaged_is_no_release_of_before(product: ProductState, damage: str) -> None:
    """Whoever takes a document away does not get around the comparison; it is told what to do."""
    folder = product.folder / "releases/1"
    match damage:
        case "document":
            (folder / "openapi.yaml").unlink()
        case "other document":
            (folder / "openapi.yaml").unlink()
            (folder / "openapi.yaml").write_bytes(b"openapi: 3.0.0\n")
        case "report":
            (folder / "report.json").unlink()
            (folder / "report.json").write_text("{")
        case "no report":
            (folder / "report.json").unlink()
        case "folder":
            folder.rename(folder.with_name("elsewhere"))

    with pytest.raises(Refused, match="was damaged"):
        product.kept(1)
    assert product.releases() == [documented(1)]


def test_what_never_came_live_is_forgotten_with_all_that_lies_beside_it(product: ProductState) -> None:
    """Drafts too; what is no release's stays where somebody put it."""
    releases = product.folder / "releases"
    product.begin(live(1), live(2))
    product.add(documented(2), kept())
    (releases / ".2.4711").mkdir()
    (releases / ".2.json.4711").touch()
    (releases / "notes.txt").touch()
    assert product.journal() == Journal(before=live(1), to=live(2))

    product.end()
    assert sorted(entry.name for entry in releases.iterdir()) == ["1", "1.json", "notes.txt"]


def test_a_list_of_releases_opens_no_document(product: ProductState) -> None:
    """However large they are, it is as quick as before."""
    for file in (product.folder / "releases/1").iterdir():
        file.unlink()

    assert product.releases() == [documented(1)]
