"""Something that is refused is let pass for a time, as a team and an approver go about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outrider.common.yaml_positions import read_yaml
from tests.cli.outrider import Said, outrider
from tests.gateway.governance.judged import keys, pem
from tests.gateway.signer import Signer
from tests.gateway.written import OPENAPI_FILE, PRODUCT_FILE, add, edit, write, written

SIGNER = Signer("idp", "parking", "first")
Gateway = Callable[..., Said]
NO_CONTACT = edit(OPENAPI_FILE, ", contact: {name: Team Parking, email: parking@example.com}", "")
IN_A_MONTH = str(datetime.now(UTC).date() + timedelta(days=30))
REASON = "The address of the new team comes soon."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A product that breaks a rule; jane signs, joe need not."""
    key, public = keys()
    written(
        tmp_path,
        NO_CONTACT,
        write("jane.pem", pem(key)),
        write("jane.pub.pem", public),
        write("governance.yaml", "approvers: [{name: jane, key: jane.pub.pem}, {name: joe}]\n"),
    )
    SIGNER.publish(tmp_path / "environments/keys/jwks.json", "first")
    return tmp_path


@pytest.fixture
def gateway(root: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """Run `outrider gateway` where the products are, with a state folder of its own."""
    monkeypatch.chdir(root)
    return lambda *words: outrider("gateway", *words, OUTRIDER_GATEWAYS="state", LOGNAME="ada", OUTRIDER_ENVIRONMENT="")


def approve(gateway: Gateway, *words: str, rule: str = "owner-named", place: str = "#/info", **otherwise: str) -> Said:
    options = {"as": "jane", "until": IN_A_MONTH, "reason": REASON, "key": "jane.pem", **otherwise}
    given = [word for name, value in options.items() if value for word in (f"--{name}", value)]
    return gateway("approve", "products/parking", rule, place, *given, *words)


def test_from_a_refusal_to_a_release(root: Path, gateway: Gateway) -> None:
    """The refusal tells the command; what it prints goes into product.yaml, and then the release tells who said yes."""
    refused = gateway("publish", "products/parking", "-e", "local")
    assert refused.code == 1
    assert "products/parking/openapi.yaml:2:" in refused.err
    assert "gateway approve products/parking owner-named '#/info' --as jane" in refused.err
    assert not (root / "state/parking/live.json").exists()

    said = approve(gateway)
    assert said.code == 0
    assert "belongs into products/parking/product.yaml" in said.err
    add(PRODUCT_FILE, said.out)(root)

    published = gateway("publish", "products/parking", "-e", "local")
    assert (published.code, published.out) == (0, "parking: release 1 is live (v1=100)\n")
    assert "1 that would have been refused passed: outrider gateway releases parking --report 1" in published.err
    shown = gateway("releases", "parking", "--report", "1").out
    assert f"(jane until {IN_A_MONTH}, for team-parking: {REASON})" in shown
    [waived] = gateway("releases", "parking", "--report", "1", "--json").data["waived"]
    assert (waived["rule"], waived["pointer"], waived["severity"]) == ("owner-named", "#/info", "error")
    assert (waived["exempt"]["approver"], waived["exempt"]["until"]) == ("jane", IN_A_MONTH)


def test_what_is_printed_is_what_was_said(gateway: Gateway) -> None:
    """Whatever stands in the reason, YAML reads it back; without a key there is no signature."""
    for reason in ("yes: no # 'or' \"so\"", "null and true", "2027-02-01 it ends", "Schön ist: das 🙂 nicht"):
        [entry] = read_yaml(approve(gateway, key="", reason=reason, **{"as": "joe"}).out.encode()).data["waivers"]
        assert entry == {
            "rule": "owner-named",
            "place": "#/info",
            "owner": "team-parking",
            "approver": "joe",
            "reason": reason,
            "until": IN_A_MONTH,
        }


def test_a_breaking_change_gets_an_approval(root: Path, gateway: Gateway) -> None:
    """By the id of the change; where there are approvals already, the head line is left out."""
    said = approve(gateway, rule="api-removed-without-deprecation", place="#/paths/~1v1~1places/get")
    assert said.out.startswith("approvals:\n  - rule: api-removed-without-deprecation\n    place: ")
    add(PRODUCT_FILE, said.out)(root)

    again = approve(gateway, rule="api-removed-without-deprecation", place="#/paths/~1v1~1other/get")
    assert again.out.startswith("  - rule: ")
    add(PRODUCT_FILE, again.out)(root)
    edit(OPENAPI_FILE, "version: 1.0.0", "version: 1.0.0, contact: {name: Team, email: team@example.com}")(root)
    assert gateway("publish", "products/parking", "-e", "local").code == 0


@pytest.mark.parametrize(
    ("otherwise", "why"),
    [
        ({"rule": "owner-nmaed"}, "owner-nmaed is no rule and no breaking change; is owner-named meant?"),
        ({"rule": "structure"}, "rule: can't be waived"),
        ({"place": "info"}, "place: must be a place such as #/paths/~1v1~1stations/get"),
        ({"until": "soon"}, "until: must be a date such as 2027-02-01"),
        ({"until": "2026-02-30"}, "until: must be a valid date"),
        ({"until": "2020-01-01"}, "until: is over"),
        ({"until": "2999-01-01"}, "until: is later than"),
        ({"reason": "because"}, "reason: must have at least 10 characters"),
        ({"as": "jim", "key": ""}, "approver: may let nothing pass by governance.yaml; ask jane, joe"),
        ({"as": "joe"}, "signature: can't be checked, for governance.yaml has no key of joe"),
        ({"key": ""}, "signature: is required: jane signs"),
        ({"owner": "jane"}, "approver: has said yes to their own wish"),
        ({"key": "jane.pub.pem"}, "jane.pub.pem is no private key in PEM"),
        ({"key": "none.pem"}, "none.pem:1:1: there is no such file"),
    ],
)
def test_what_would_not_count_is_refused(gateway: Gateway, otherwise: dict[str, str], why: str) -> None:
    """With the reason, and nothing to paste."""
    said = approve(gateway, **otherwise)

    assert (said.code, said.out) == (1, "")
    assert why in said.err


def test_a_key_of_somebody_else_signs_nothing(root: Path, gateway: Gateway) -> None:
    """The signature is looked at as a publish would."""
    write("other.pem", pem(keys()[0]))(root)

    said = approve(gateway, key="other.pem")
    assert (said.code, said.out) == (1, "")
    assert "signature: is not jane's" in said.err


def test_a_waiver_of_nothing_is_noticed(gateway: Gateway) -> None:
    """It is printed all the same: the document may be about to change."""
    said = approve(gateway, place="#/paths")

    assert said.code == 0
    assert "Nothing there breaks owner-named now" in said.err
    assert "Nothing there" not in approve(gateway).err


def test_an_environment_may_name_who_says_yes(root: Path, gateway: Gateway) -> None:
    """The operator's file counts there, and not the one beside the products."""
    write("environments/strict.yaml", "governance: ../strict/governance.yaml\nproducts: {}\n")(root)
    write("strict/governance.yaml", "never_waived: [owner-named]\napprovers: [{name: joe}]\n")(root)

    assert approve(gateway, key="", **{"as": "joe"}).code == 0
    said = approve(gateway, "-e", "strict", key="", **{"as": "joe"})
    assert "strict/governance.yaml has it in never_waived" in said.err
