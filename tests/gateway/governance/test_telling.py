"""A refusal says why, where, what to do, and who may let it pass; no more and no less."""

import shlex
from datetime import date
from pathlib import Path

import msgspec
import pytest

from outrider.gateway.governance.governance import UNGOVERNED, Approver, Governance
from outrider.gateway.governance.telling import TOLD, command, refusal, such_as, until_when
from tests.gateway.governance.judged import APPROVAL, PLACE, WAIVER, change, finding, governance, judged

REASON = '--reason "why it can\'t be mended now"'


@pytest.fixture
def by(tmp_path: Path) -> Governance:
    """jane and joe may let something pass."""
    return governance(tmp_path)


def told(by: Governance, *found: object, **said: object) -> list[str]:
    """What is said of a product that is refused, line by line."""
    report = judged(by, *found, **said)  # type: ignore[arg-type]
    return str(refusal(report, by, "products/parking")).splitlines()


def test_a_broken_rule(by: Governance) -> None:
    """File, line and column, the rule, what, what to write instead, the place, and a command to paste."""
    assert told(by, finding()) == [
        "parking may not go live: 1 broken rule",
        "products/parking/openapi.yaml:12:7: array-bounded: is not bounded",
        "    write maxItems",
        f"    at {PLACE}",
        "For a time, it passes with a yes of jane or joe in product.yaml, which this writes:",
        f"    outrider gateway approve products/parking array-bounded '{PLACE}' --as jane --until 2026-12-22 {REASON}",
    ]


def test_a_breaking_change(by: Governance) -> None:
    """With the operation, with what it was compared, and the other way: a new major version."""
    assert told(by, change()) == [
        "parking may not go live: 1 breaking change compared with release 7",
        "products/parking/openapi.yaml:12:7: api-removed-without-deprecation: GET /v1/places: was removed",
        "    the line is that of what was before",
        f"    at {PLACE}",
        "Breaking changes go live with a new major version in info.version, such as 2.0.0; it is 1.2.0 here.",
        "For a time, it passes with a yes of jane or joe in product.yaml, which this writes:",
        f"    outrider gateway approve products/parking api-removed-without-deprecation '{PLACE}' --as jane "
        f"--until 2026-12-22 {REASON}",
    ]


def test_all_of_it_at_once(by: Governance) -> None:
    """Rules, changes, and what does not count."""
    said = told(
        by, finding(), finding("a"), change(new=PLACE), change("b"), waivers=[{**WAIVER, "until": "2026-11-01"}]
    )

    assert said[0] == (
        "parking may not go live: 2 broken rules, 2 breaking changes, 1 exemption that does not count compared with "
        "release 7"
    )
    assert sum("until: is over" in line for line in said) == 1
    assert [shlex.split(line)[4] for line in said if "outrider gateway approve" in line] == [
        "array-bounded",
        change().rule,
    ]


def test_what_nobody_may_let_pass_is_said_to_be_so(tmp_path: Path) -> None:
    """No command is told that would be refused."""
    rules = ["array-bounded", APPROVAL["rule"]]
    said = told(governance(tmp_path, never_waived=rules), finding(), finding("structure"), change())

    assert sum("nobody is exempt" in line for line in said) == 3
    assert not any("approve" in line.split() for line in said)


def test_where_nobody_may_let_anything_pass(tmp_path: Path) -> None:
    """It says why: there is no governance.yaml, or it names nobody."""
    nobody = governance(tmp_path, approvers=[])

    assert told(UNGOVERNED, finding())[-1] == (
        "Nobody may let it pass: there is no governance.yaml beside the products that says who may."
    )
    assert told(nobody, finding())[-1] == f"Nobody may let it pass: {nobody.file} names no approvers."


def test_many_are_not_all_told(by: Governance) -> None:
    """As many as can be read; how many more there are is said."""
    said = told(by, *(finding(at=f"#/x/{number}") for number in range(TOLD + 7)))

    assert said[0] == f"parking may not go live: {TOLD + 7} broken rules"
    assert sum(line.startswith("products/") for line in said) == TOLD
    assert "... and 7 more" in said


def test_the_command_can_be_pasted(by: Governance) -> None:
    """Whatever stands in the place."""
    at = "#/paths/~1v1~1it's~1$HOME/get"
    [command] = [line for line in told(by, finding(at=at)) if "gateway approve" in line]

    assert shlex.split(command)[5] == at


def test_whoever_has_a_key_signs() -> None:
    """The command says so, for without it nothing would count; its reason is long enough to be taken."""
    words = shlex.split(command("products/parking", finding(), Approver(name="jane", key="jane.pem"), "2027-01-01"))

    assert words[-2:] == ["--key", "FILE"]
    assert len(words[words.index("--reason") + 1]) >= 10


def test_no_longer_than_anybody_may_is_suggested(tmp_path: Path) -> None:
    """Where governance.yaml allows but a week, it is a week."""
    assert until_when(governance(tmp_path, longest_waiver=7), date(2026, 12, 28)) == "2027-01-04"


@pytest.mark.parametrize(
    ("version", "such"),
    [("1.2.0", ", such as 2.0.0"), ("0.1.9", ", such as 0.2.0"), ("v3", ", such as 4.0.0"), ("summer", "")],
)
def test_it_says_which_version_suffices(version: str, such: str) -> None:
    """Below 1.0.0 a new minor one does; after what is no version nobody knows."""
    assert such_as(version) == such


def test_a_reason_is_told_where_there_is_nothing_to_mend(by: Governance) -> None:
    """The rule's own description."""
    why = msgspec.structs.replace(finding(), mend="", why="Whoever asks gets all of it.")

    assert "    Whoever asks gets all of it" in told(by, why)
