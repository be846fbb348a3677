"""The verdict: what was found, less what somebody may let pass and does."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.gateway.documents import parse
from outrider.gateway.findings import Change, Finding, Severity
from outrider.gateway.governance.governance import UNGOVERNED, Approver, Governance
from outrider.gateway.governance.report import Report
from outrider.gateway.governance.signatures import signature
from outrider.gateway.product import Approval, Waiver
from tests.gateway.governance.judged import (
    APPROVAL,
    PLACE,
    TODAY,
    WAIVER,
    change,
    finding,
    governance,
    judged,
    keys,
)

BREAKING = change()


@pytest.fixture
def by(tmp_path: Path) -> Governance:
    """jane and joe may let something pass, for 90 days."""
    return governance(tmp_path)


def faults(report: Report) -> list[str]:
    """What is said of waivers and approvals that do not count."""
    assert report.outcome == "refused"
    return [str(fault) for fault in report.faults]


def test_a_product_of_which_nothing_was_found_passes(by: Governance) -> None:
    """The report says by what it was judged, and what looked at how many places."""
    report = judged(by)

    assert (report.outcome, report.product, report.owner, report.version) == (
        "passed",
        "parking",
        "team-parking",
        "1.2.0",
    )
    assert (report.by.governance, report.by.governance_sha256) == (by.file, by.sha256)
    assert (report.by.ruleset, report.by.ruleset_sha256, report.ran) == ("outrider:openapi", "12", {"array-bounded": 3})
    assert report.at == "2026-11-22"


@pytest.mark.parametrize("severity", Severity)
def test_only_an_error_refuses(by: Governance, severity: Severity) -> None:
    """Of rules and of changes; the others are told all the same."""
    found = (finding(severity=severity), change(severity=severity))
    report = judged(by, *found)

    assert report.outcome == ("refused" if severity is Severity.ERROR else "passed")
    assert (report.findings, report.changes) == (found[:1], found[1:])
    assert (report.errors, report.breaking) == ((found[:1], found[1:]) if severity is Severity.ERROR else ((), ()))


def test_a_waiver_lets_a_finding_pass(by: Governance) -> None:
    """The report keeps both, and whoever reads it sees who said yes, why and until when."""
    report = judged(by, finding(), waivers=[WAIVER])

    assert (report.outcome, report.findings, report.remarks) == ("passed", (), ())
    [waived] = report.waived
    assert waived.finding == finding()
    assert waived.waiver == msgspec.convert(WAIVER, Waiver)


def test_an_approval_lets_a_breaking_change_pass(by: Governance) -> None:
    """Likewise."""
    report = judged(by, BREAKING, approvals=[APPROVAL])

    assert (report.outcome, report.changes, report.remarks) == ("passed", (), ())
    [approved] = report.approved
    assert (approved.change, approved.approval) == (BREAKING, msgspec.convert(APPROVAL, Approval))


def test_a_new_major_version_may_break_callers(by: Governance) -> None:
    """What breaks them is told, and nobody has to approve it."""
    report = judged(by, BREAKING, new_major=True)

    assert (report.outcome, report.changes, report.breaking) == ("passed", (BREAKING,), ())


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        ("#", True),
        ("#/paths", True),
        (PLACE, True),
        (f"{PLACE}/parameters", True),
        (f"{PLACE}/parameters/0", True),
        (f"{PLACE}/parameters/01", False),
        (f"{PLACE}/parameters/0/schema/items", False),
        ("#/p%61ths", True),
        ("#/paths/~1v1~1place", False),
        ("#/paths/~1v1/places/get", False),
        ("#/", False),
    ],
)
def test_a_place_means_what_is_below_it_too(by: Governance, at: str, covered: bool) -> None:
    """And nothing beside it, however alike it is written."""
    found = finding(at=f"{PLACE}/parameters/0/schema"), change(old=None, new=f"{PLACE}/parameters/0/schema")
    report = judged(by, *found, waivers=[{**WAIVER, "place": at}], approvals=[{**APPROVAL, "place": at}])

    assert (len(report.waived), len(report.approved)) == (covered, covered)
    assert (report.outcome == "passed") is covered


@pytest.mark.parametrize(("old", "new"), [(PLACE, None), (None, PLACE), (PLACE, "#/elsewhere"), ("#/elsewhere", PLACE)])
def test_an_approval_names_a_place_of_either_document(by: Governance, old: str | None, new: str | None) -> None:
    """What is gone has a place only where it was."""
    assert judged(by, change(old=old, new=new), approvals=[APPROVAL]).outcome == "passed"


@pytest.mark.parametrize(
    "said",
    [{"waivers": [{**WAIVER, "rule": APPROVAL["rule"]}]}, {"approvals": [{**APPROVAL, "rule": "array-bounded"}]}],
)
def test_a_waiver_is_no_approval(by: Governance, said: dict[str, Any]) -> None:
    """Each lets pass what it is for."""
    report = judged(by, finding(), BREAKING, **said)

    assert (report.outcome, report.waived, report.approved, len(report.remarks)) == ("refused", (), (), 1)


def test_what_lets_nothing_pass_is_to_be_removed(by: Governance) -> None:
    """That is a remark with its line, and refuses nothing."""
    elsewhere = {**WAIVER, "place": "#/paths/~1v1~1other"}
    report = judged(by, finding(), waivers=[WAIVER, elsewhere], approvals=[APPROVAL])

    assert report.outcome == "passed"
    assert [str(remark) for remark in report.remarks] == [
        "products/parking/product.yaml:19:5: waivers[1]: lets nothing pass: no array-bounded is found there; remove it",
        "products/parking/product.yaml:29:5: approvals[0]: lets nothing pass: no api-removed-without-deprecation is "
        "found there; remove it",
    ]


UNLAWFUL = {
    "over": ({"until": "2026-11-21"}, "until: is over; mend what it let pass and remove it, or ask for another"),
    "too long": (
        {"until": "2027-02-21"},
        "until: is later than 2027-02-20, 90 days from today; ask for a shorter time",
    ),
    "a stranger": ({"approver": "jim"}, "approver: may let nothing pass by {file}; ask jane, joe"),
    "their own wish, in wide letters": (
        {"approver": "jane", "owner": "\uff2aane "},
        "approver: has said yes to their own wish; ask another one of jane, joe",
    ),
    "their own wish": (
        {"approver": "jane", "owner": "Jane"},
        "approver: has said yes to their own wish; ask another one of jane, joe",
    ),
    "a place of two meanings": (
        {"place": "#/paths%2F~1v1"},
        "place: has %2F, which not everybody reads alike; between names write /, and inside of a name ~1 for / and ~0 "
        "for ~",
    ),
    "signed for nobody to see": (
        {"signature": "e..x"},
        "signature: can't be checked, for governance.yaml has no key of jane; remove it",
    ),
}


@pytest.mark.parametrize(("field", "rule"), [("waivers", "array-bounded"), ("approvals", APPROVAL["rule"])])
@pytest.mark.parametrize(("otherwise", "why"), UNLAWFUL.values(), ids=UNLAWFUL)
def test_what_is_unlawful_is_refused_and_lets_nothing_pass(
    by: Governance, field: str, rule: str, otherwise: dict[str, str], why: str
) -> None:
    """With its line and what to do; what it was meant to let pass is told besides."""
    report = judged(by, finding(), BREAKING, **{field: [{**WAIVER, "rule": rule, **otherwise}]})

    [said] = faults(report)
    assert said.startswith("products/parking/product.yaml:")
    assert said.partition(f"{field}[0].")[2] == why.format(file=by.file)
    assert (len(report.errors), len(report.breaking), report.waived, report.approved) == (1, 1, (), ())


def test_what_is_unlawful_is_refused_although_nothing_was_found(by: Governance) -> None:
    """So an end is noticed on its day, and no dead letter stays in the file."""
    report = judged(by, waivers=[{**WAIVER, "until": "2026-11-21"}])

    assert len(faults(report)) == 1


@pytest.mark.parametrize("until", ["2026-11-22", "2027-02-20"])
def test_the_first_and_the_last_day_count(by: Governance, until: str) -> None:
    """A waiver that ends today holds today; one that ends in 90 days is not too long."""
    assert judged(by, finding(), waivers=[{**WAIVER, "until": until}]).outcome == "passed"


def test_the_owner_of_the_product_approves_nothing_of_it(tmp_path: Path) -> None:
    """Even where another team asks."""
    by = governance(tmp_path, approvers=[{"name": "team-parking"}])
    report = judged(by, finding(), waivers=[{**WAIVER, "approver": "team-parking", "owner": "team-maps"}])

    assert faults(report)[0].partition("approver: ")[2].startswith("has said yes to their own wish")


@pytest.mark.parametrize("rule", ["array-bounded", APPROVAL["rule"]])
def test_some_rules_nobody_waives(tmp_path: Path, rule: str) -> None:
    """Those that governance.yaml names, by waivers and by approvals."""
    by = governance(tmp_path, never_waived=["array-bounded", APPROVAL["rule"]])
    for field in ("waivers", "approvals"):
        report = judged(by, finding(), BREAKING, **{field: [{**WAIVER, "rule": rule}]})
        assert "never_waived" in faults(report)[0]


def test_what_is_no_sound_document_is_never_waived(by: Governance) -> None:
    """Nobody knows what a rule would have found in it."""
    report = judged(by, finding("structure"), waivers=[{**WAIVER, "rule": "structure"}])

    assert "can't be waived" in faults(report)[0]
    assert report.errors == (finding("structure"),)


def test_without_governance_nobody_lets_anything_pass() -> None:
    """The rules hold all the same."""
    report = judged(UNGOVERNED, finding(), waivers=[WAIVER])

    assert "there is no governance.yaml beside the products" in faults(report)[0]
    assert judged(UNGOVERNED).by.governance == judged(UNGOVERNED).by.governance_sha256 == ""


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_with_a_key_only_what_is_signed_counts(by: Governance, kind: str) -> None:
    """By that key, for this product, and for every word as it stands; each field that is changed ends it."""
    key, public = keys(kind)
    by = msgspec.structs.replace(by, approvers=(Approver(name="jane", key=public), Approver(name="joe")))

    def said(product: str = "parking", **otherwise: str) -> Report:
        signed = signature(product, msgspec.convert(WAIVER, Waiver), key)
        return judged(by, finding(), waivers=[{**WAIVER, "signature": signed, **otherwise}])

    assert said().outcome == "passed"
    assert "signature: is not jane's" in faults(said("charging"))[0]
    others = {"reason": "Because I say so.", "until": "2026-12-25", "owner": "team-maps", "place": "#/paths"}
    for field, value in others.items():
        assert "signature: is not jane's" in faults(said(**{field: value}))[0]
    assert "signature: is required: jane signs" in faults(judged(by, finding(), waivers=[WAIVER]))[0]


FINDINGS = st.lists(
    st.builds(finding, st.sampled_from(["a", "b"]), st.sampled_from(["#/x", "#/x/y", "#/z"])), max_size=6
)
CHANGES = st.lists(st.builds(change, st.sampled_from(["a", "b"]), old=st.sampled_from(["#/x", "#/z/0"])), max_size=6)
ENTRIES = st.lists(
    st.builds(
        lambda rule, place, until: {**WAIVER, "rule": rule, "place": place, "until": until},
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["#", "#/x", "#/x/y", "#/z/0"]),
        st.sampled_from(["2026-11-21", "2026-11-22", "2027-06-01"]),
    ),
    max_size=4,
)


@given(FINDINGS, CHANGES, ENTRIES, ENTRIES, st.booleans())
def test_nothing_that_was_found_is_lost(
    found: list[Finding], changes: list[Change], waivers: list[Any], approvals: list[Any], new_major: bool
) -> None:
    """Each is in the report once, let pass or not; and only a report without errors and faults has passed."""
    by = msgspec.structs.replace(UNGOVERNED, approvers=(Approver(name="jane"),), source=parse(b"{}", "governance.yaml"))
    report = judged(by, *found, *changes, waivers=waivers, approvals=approvals, new_major=new_major)

    assert sorted(map(repr, (*report.findings, *(one.finding for one in report.waived)))) == sorted(map(repr, found))
    assert sorted(map(repr, (*report.changes, *(one.change for one in report.approved)))) == sorted(map(repr, changes))
    assert (report.outcome == "passed") == (not (report.errors or report.breaking or report.faults))
    assert all(one.waiver.until >= TODAY for one in report.waived)
    assert len(report.faults) + len(report.remarks) <= len(waivers) + len(approvals)


def test_a_place_that_is_not_printable_can_be_waived(by: Governance) -> None:
    """By the pointer that the finding tells, in which it is encoded."""
    found = finding(at="#/paths/a%0A%E2%80%AE/50%25")

    report = judged(by, found, waivers=[{**WAIVER, "place": found.place.pointer}])

    assert found.place.path == ("paths", "a\n\u202e", "50%")
    assert [one.finding for one in report.waived] == [found]
