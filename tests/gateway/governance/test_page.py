"""The page for those who govern."""

from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import msgspec

from outrider.gateway.findings import Severity
from outrider.gateway.governance.overview import Ending, Overview, ProductStanding, Serving, broken_rules, overview
from outrider.gateway.governance.page import page
from outrider.gateway.governance.report import Report
from tests.gateway.governance.judged import TODAY, WAIVER, change, finding, governance, judged
from tests.gateway.written import ENVIRONMENT_FILE, written

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
NASTY = """<script>alert("1")</script>&'"""


class _Read(HTMLParser):
    """The elements of a page, and its text. That all is closed in order is checked on the way."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(written)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def shown(*products: ProductStanding) -> _Read:
    return _Read(page(Overview(at=NOW, products=products)))


def standing(report: Report, **said: object) -> ProductStanding:
    return ProductStanding(product=report.product, owner=report.owner, report=report, **said)  # type: ignore[arg-type]


def test_nothing_from_elsewhere(tmp_path: Path) -> None:
    """The page loads nothing and links to nothing outside, so that it can be mailed and kept."""
    read = shown(standing(judged(governance(tmp_path), finding(), change())))
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(read.elements)
    assert not {"src", "href", "onclick"} & {name for name, _ in read.attributes}
    assert "@import" not in read.text
    assert "url(" not in read.text


def test_what_files_say_is_text(tmp_path: Path) -> None:
    """Whatever a product's files say is shown as text, and is never a part of the page."""
    nasty = msgspec.structs.replace(finding(), message=NASTY, why=NASTY, mend=NASTY, rule=NASTY)
    report = msgspec.structs.replace(judged(governance(tmp_path), nasty), owner=NASTY, version=NASTY)
    serving = Serving(environment="local", release=1, at="2026-11-20T10:00:00Z", by=NASTY, split={"v1": 60, NASTY: 40})
    ending = Ending(product="parking", operation=NASTY, sunset=date(2027, 1, 1))
    read = shown(standing(report, contact=NASTY, serving=serving, endings=(ending,), faults=(NASTY,)))
    assert "script" not in read.elements
    assert read.text.count(NASTY) >= 8


def test_the_first_sentence(tmp_path: Path) -> None:
    """The page begins with what a meeting wants to know."""
    good, bad = (judged(governance(tmp_path), finding(severity=level)) for level in (Severity.WARN, Severity.ERROR))
    assert "Every product follows the rules." in shown(standing(good)).text
    assert "parking breaks rules and can't be published as it is." in shown(standing(bad)).text


def test_without_any_findings() -> None:
    """A page of products of which nothing is known yet, or nothing bad, is whole as well."""
    read = shown(ProductStanding(product="parking"))
    for sentence in ("No rule is broken.", "Nothing is let pass.", "No sunset is announced.", "not live"):
        assert sentence in read.text


def test_what_ends_when(tmp_path: Path) -> None:
    """Waivers and sunsets are shown with the days that are left, and those that are over as such."""
    report = judged(governance(tmp_path), finding(), waivers=[WAIVER])
    endings = (
        Ending(product="parking", operation="GET /v1/places", sunset=date(2026, 11, 23)),
        Ending(product="parking", operation="GET /v1/prices", sunset=date(2026, 11, 2)),
    )
    read = shown(standing(report, endings=endings))
    for words in ("in 32 days", "24 December 2026", "tomorrow", "20 days ago", "The pages come with the new year."):
        assert words in read.text


def test_rules_in_order(tmp_path: Path) -> None:
    """The worst rule comes first, then the one that is broken most often, with the products that break it."""
    by = governance(tmp_path)
    first = judged(by, finding("b", severity=Severity.WARN), finding("c", severity=Severity.WARN))
    second = msgspec.structs.replace(judged(by, finding("c", severity=Severity.WARN), finding("a")), product="tolls")
    rules = broken_rules(Overview(at=NOW, products=(standing(first), standing(second))))
    assert [(rule.rule, len(rule.findings), rule.products) for rule in rules] == [("a", 1, 1), ("c", 2, 2), ("b", 1, 1)]


def test_of_products_on_disk(tmp_path: Path) -> None:
    """All products of a folder are judged as they are now; those never published are not live."""
    written(tmp_path)
    [one] = overview(tmp_path / "products", [tmp_path / ENVIRONMENT_FILE], tmp_path / "gateways", NOW).products
    assert (one.product, one.owner, one.operations, one.serving) == ("parking", "team-parking", 2, None)
    assert one.report
    assert one.report.at == TODAY.isoformat()
    assert not (tmp_path / "gateways").exists()
