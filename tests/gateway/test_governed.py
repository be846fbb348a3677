"""What may become live: it keeps the rules that hold for it, and breaks nobody who calls what is live."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outrider.common.yaml_positions import read_yaml
from outrider.gateway.faults import Refused
from outrider.gateway.governed import governed
from outrider.gateway.reading import Read
from outrider.gateway.release import Kept, Live
from outrider.gateway.store import ProductState, State
from tests.gateway.test_archive import documented
from tests.gateway.test_store import release
from tests.gateway.written import OPENAPI_FILE, PRODUCT_FILE, Change, add, edit, read, remove, write

NOW = datetime(2026, 11, 22, 2, 14, 5, tzinfo=UTC)
GOVERNANCE = write("governance.yaml", "approvers: [{name: jane}]\n")
GONE = edit(OPENAPI_FILE, "  /v1/places/{place}:", "  /v1/spaces/{place}:")
"""A change that breaks whoever calls it by its old path."""
AT = "#/paths/~1v1~1places~1{place}"


class World:
    """A product's folder, written anew with each publish, and what is kept of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.product: ProductState = State(root / "gateways").product("parking")

    def read(self, *changes: Change) -> Read:
        """The folder with these changes, and nothing else that was there before."""
        (self.root / "governance.yaml").unlink(missing_ok=True)
        return read(self.root, *changes)

    def judge(self, *changes: Change, at: datetime = NOW) -> Kept:
        """May it become live? What would lie beside its release."""
        return governed(self.product, self.read(*changes), at)

    def publish(self, *changes: Change) -> Kept:
        """Judge it, and make it live as far as that concerns the store."""
        kept = self.judge(*changes)
        before = self.product.live()
        number = before.release + 1 if before else 1
        self.product.add(documented(number, kept.document), kept)
        self.live(number)
        return kept

    def live(self, number: int) -> None:
        """This release is live."""
        self.product.set_live(Live(release=number, split={"v1": 100}))

    def refusal(self, *changes: Change, at: datetime = NOW) -> str:
        """Why it may not become live."""
        with pytest.raises(Refused) as refused:
            self.judge(*changes, at=at)
        return str(refused.value).replace(f"{self.root}/", "")


@pytest.fixture
def w(tmp_path: Path) -> World:
    """Nothing is published yet."""
    return World(tmp_path)


def version(number: str) -> Change:
    return edit(OPENAPI_FILE, "version: 1.0.0", f"version: {number}")


def waived(**otherwise: Any) -> Change:
    entry = {
        "rule": "owner-named",
        "place": "#/info",
        "owner": "team-parking",
        "approver": "jane",
        "reason": "The address of the new team comes soon.",
        "until": "2026-12-24",
    }
    return add(PRODUCT_FILE, f"waivers: [{msgspec.json.encode({**entry, **otherwise}).decode()}]\n")


def approved(**otherwise: Any) -> Change:
    return add(
        PRODUCT_FILE,
        f"""\
approvals:
  - rule: {otherwise.get("rule", "api-path-removed-without-deprecation")}
    place: '{otherwise.get("place", AT)}'
    owner: team-parking
    approver: jane
    reason: Nobody has called it since May.
    until: 2026-12-24
""",
    )


NO_CONTACT = edit(OPENAPI_FILE, ", contact: {name: Team Parking, email: parking@example.com}", "")


def test_the_first_release_is_judged_by_the_rules_alone(w: World) -> None:
    """It keeps its document letter by letter, and the report: when, by what, and that nothing was there to compare."""
    kept = w.judge(GOVERNANCE)

    assert (kept.file, kept.document) == ("openapi.yaml", (w.root / OPENAPI_FILE).read_bytes())
    report = kept.report
    assert (report.outcome, report.at, report.against) == ("passed", "2026-11-22T02:14:05+00:00", "")
    assert (report.product, report.owner, report.version) == ("parking", "team-parking", "1.0.0")
    assert report.by.governance.endswith("governance.yaml")
    assert (report.by.ruleset, len(report.by.ruleset_sha256)) == ("outrider:openapi", 64)
    assert report.ran["structure"] == 1
    assert report.ran["operation-named"] == 2


def test_a_broken_rule_is_refused(w: World) -> None:
    """With its place and what to write."""
    said = w.refusal(NO_CONTACT)

    assert said.startswith("parking may not go live: 1 broken rule\nproducts/parking/openapi.yaml:2:")
    assert ": owner-named: " in said
    assert "at #/info" in said


def test_what_is_no_sound_document_is_refused(w: World) -> None:
    """Although everything that a gateway needs is in it."""
    said = w.refusal(edit(OPENAPI_FILE, "{description: One.}", "{describe: One.}"))

    assert ": structure: " in said


def test_a_waiver_lets_a_broken_rule_pass_until_it_ends(w: World) -> None:
    """The report keeps it."""
    kept = w.judge(GOVERNANCE, NO_CONTACT, waived())
    over = w.refusal(GOVERNANCE, NO_CONTACT, waived(), at=NOW + timedelta(days=33))

    assert [one.finding.rule for one in kept.report.waived] == ["owner-named"]
    assert over.startswith("parking may not go live: 1 broken rule, 1 exemption that does not count")
    assert "products/parking/product.yaml:5:" in over
    assert "waivers[0].until: is over" in over


def test_callers_of_what_is_live_are_not_broken(w: World) -> None:
    """The document that was published is compared, with the folder as it is now."""
    w.publish(GOVERNANCE)
    said = w.refusal(GOVERNANCE, GONE)

    assert "1 breaking change compared with release 1" in said
    assert "api-path-removed-without-deprecation" in said
    assert "gateways/parking/releases/1/openapi.yaml:" in said


@pytest.mark.parametrize("new", [version("2.0.0"), approved()], ids=["a new major version", "an approval"])
def test_callers_are_broken_with_leave(w: World, new: Change) -> None:
    """By a new major version, or by somebody who may say so."""
    w.publish(GOVERNANCE)
    kept = w.publish(GOVERNANCE, GONE, new)

    assert (kept.report.outcome, kept.report.against) == ("passed", "release 1")
    assert len(kept.report.changes) + len(kept.report.approved) == 1
    assert not w.judge(GOVERNANCE, GONE, version("2.0.0")).report.changes


def test_what_is_taken_up_again_is_what_callers_know(w: World) -> None:
    """After a rollback its document is compared, not that of what was live in between."""
    w.publish(GOVERNANCE)
    w.publish(GOVERNANCE, GONE, version("2.0.0"))
    w.product.add(msgspec.structs.replace(w.product.release(1), number=3, source=1))
    w.live(3)

    assert "compared with release 3" in w.refusal(GOVERNANCE, GONE)
    assert w.judge(GOVERNANCE).report.against == "release 3"


def test_a_release_of_before_documents_were_kept(w: World) -> None:
    """Where nothing can be compared the report says so; where an earlier one has a document, that is taken."""
    w.product.add(release(1))
    w.live(1)
    assert w.publish(GOVERNANCE).report.against == ""

    w.product.add(msgspec.structs.replace(release(3), source=1))
    w.live(3)
    assert "compared with release 2" in w.refusal(GOVERNANCE, GONE)


def test_governance_that_is_gone_is_missed(w: World) -> None:
    """No publish without one where the live release was judged by one; it is put back, or the operator names it."""
    w.publish(GOVERNANCE)

    assert w.refusal() == (
        "parking: release 1 was judged by governance.yaml, and now there is no governance.yaml beside "
        "products/parking: put it back, or name it in the environment's file, `governance: FILE`"
    )
    kept = w.judge(write("governance.yaml", "notice: 1\n"))
    assert kept.report.by.governance.endswith("governance.yaml")
    assert "differs from the one by which release 1 was judged" in str(kept.report.remarks[0])


def test_what_was_damaged_is_not_passed_by(w: World) -> None:
    """A document that is gone is no reason to compare with nothing."""
    w.publish()
    (w.product.folder / "releases/1/openapi.yaml").unlink()

    assert "was damaged" in w.refusal()


def test_a_rule_with_a_typing_error_is_not_left_unprotected(w: World) -> None:
    """Whatever governance.yaml protects is a rule of its rulesets or a breaking change."""
    known = "never_waived: [owner-named, api-removed-without-deprecation, structure, {}]\n"
    w.judge(write("governance.yaml", known.format("operation-named")))
    said = w.refusal(write("governance.yaml", known.format("operation-nmaed")))

    assert said.startswith("governance.yaml:1:")
    assert "never_waived[3]: is no rule of these rulesets" in said


def test_a_company_has_rules_of_its_own(w: World) -> None:
    """As a file beside governance.yaml; what can't be read there is refused and not passed by."""
    ours = "extends: outrider:openapi\nrules:\n  owner-named: warn\n"
    by = write("governance.yaml", "rulesets: {openapi: rules/ours.yaml}\n")

    report = w.judge(by, write("rules/ours.yaml", ours), NO_CONTACT).report
    assert (report.outcome, report.by.ruleset.rpartition("/")[2]) == ("passed", "ours.yaml")
    assert "owner-named" in {finding.rule for finding in report.findings}
    assert "rules/ours.yaml" in w.refusal(by, write("rules/ours.yaml", "rules: {a: {given: $, then: {function: x}}}"))
    assert "rules/ours.yaml" in w.refusal(by, write("rules/ours.yaml", "rules: {}"))


def test_a_deprecation_is_announced_in_time(w: World) -> None:
    """The days of notice are those of governance.yaml."""
    by = write("governance.yaml", "notice: 180\n")
    ends = edit(
        OPENAPI_FILE,
        "      operationId: listPlaces",
        "      operationId: listPlaces\n      deprecated: true\n      x-sunset: '2027-01-31'",
    )
    w.publish(by)

    assert "api-sunset-date-too-small" in w.refusal(by, ends)
    assert w.judge(write("governance.yaml", "notice: 30\n"), ends).report.outcome == "passed"


def test_a_document_may_change_its_form(w: World) -> None:
    """From YAML to JSON; nothing that callers know has changed."""
    kept = w.publish()
    raw = msgspec.json.encode(read_yaml(kept.document).data)
    again = w.publish(remove(OPENAPI_FILE), write("products/parking/openapi.json", raw))
    (w.root / "products/parking/openapi.json").unlink()

    assert (again.file, again.report.changes) == ("openapi.json", ())
    assert w.judge().report.changes == ()


@pytest.mark.parametrize("wrong", [GONE, NO_CONTACT, write("governance.yaml", "never_waived: [no-such-rule]\n")])
def test_where_nobody_can_say_yes_it_is_only_kept(w: World, wrong: Change) -> None:
    """What the platform publishes of itself: it holds up nothing, and the report says that it would have."""
    w.publish()
    kept = governed(w.product, w.read(wrong), NOW, advisory=True)

    assert kept.report.outcome == "refused"
    assert kept.report.errors or kept.report.breaking or kept.report.faults
    assert (kept.report.at, kept.document) == ("2026-11-22T02:14:05+00:00", (w.root / OPENAPI_FILE).read_bytes())
