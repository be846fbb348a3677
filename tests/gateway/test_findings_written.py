"""What was found reaches programs whole: whatever is in a message, and wherever it is."""

import json
from datetime import date

import pytest

from outrider.common.yaml_positions import Position
from outrider.gateway.faults import Fault
from outrider.gateway.findings import Change, Finding, Place, Severity
from outrider.gateway.findings_written import as_github, as_json, as_sarif, faults_as_github
from outrider.gateway.product import Waiver


def place(file: str = "products/charging/openapi.yaml", line: int = 12) -> Place:
    return Place(file, Position(line, 5), ("paths", "/v1/stations", "get"))


OPEN = Finding(
    rule="operation-secured",
    severity=Severity.ERROR,
    message="Nothing says who may call this operation.",
    place=place(),
    why="What says nothing is open.",
    mend="write who may",
    url="https://example.com/rules",
)
GONE = Change(
    rule="api-path-removed",
    severity=Severity.WARN,
    message="is gone",
    operation="GET /v1/prices",
    old=place("old.yaml", 3),
    new=None,
)
MOVED = Change(rule="moved", severity=Severity.INFO, message="moved", old=place("old.yaml"), new=place("new.yaml", 7))
WAIVER = Waiver(
    rule="operation-secured",
    place="#/paths",
    owner="team-charging",
    approver="jane.doe",
    reason="until the new portal is there",
    until=date(2027, 2, 1),
)


def test_json_has_all_that_is_known() -> None:
    """One object for each, with the place as waivers name it."""
    found, change, exempt = json.loads(as_json([OPEN, GONE], [(OPEN, WAIVER)]))

    assert found == {
        "rule": "operation-secured",
        "severity": "error",
        "message": "Nothing says who may call this operation.",
        "file": "products/charging/openapi.yaml",
        "line": 12,
        "column": 5,
        "pointer": "#/paths/~1v1~1stations/get",
        "why": "What says nothing is open.",
        "mend": "write who may",
        "url": "https://example.com/rules",
    }
    assert (change["operation"], change["old"]["line"], change["new"]) == ("GET /v1/prices", 3, None)
    assert (exempt["exempt"]["approver"], exempt["exempt"]["until"]) == ("jane.doe", "2027-02-01")


def test_sarif_says_each_rule_once_and_names_each_place() -> None:
    """A viewer shows the rule's text beside each result, and follows one result over changes of lines."""
    run = json.loads(as_sarif([OPEN, OPEN, GONE, MOVED]))["runs"][0]

    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["operation-secured", "api-path-removed", "moved"]
    assert [(each["ruleIndex"], each["level"]) for each in run["results"]] == [
        (0, "error"),
        (0, "error"),
        (1, "warning"),
        (2, "note"),
    ]
    [location] = run["results"][0]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "products/charging/openapi.yaml"},
        "region": {"startLine": 12, "startColumn": 5},
    }
    assert run["results"][2]["message"]["text"] == "GET /v1/prices: is gone"
    assert run["results"][3]["relatedLocations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "old.yaml"}


def test_sarif_keeps_what_is_waived_as_suppressed() -> None:
    """Those who govern see it there, with who said yes, why, and until when."""
    [result] = json.loads(as_sarif([], [(OPEN, WAIVER)]))["runs"][0]["results"]

    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "until the new portal is there (jane.doe, until 2027-02-01)",
        }
    ]


@pytest.mark.parametrize(
    ("file", "uri"),
    [("my api/50%.yaml", "my%20api/50%25.yaml"), ("/abs/api.yaml", "file:///abs/api.yaml"), ("ä.yaml", "%C3%A4.yaml")],
)
def test_a_file_is_a_uri_in_sarif(file: str, uri: str) -> None:
    """Whatever is in its name."""
    [result] = json.loads(as_sarif([Finding(rule="r", severity=Severity.HINT, message="x", place=place(file))]))[
        "runs"
    ][0]["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_finding_has_the_same_fingerprint_on_another_line() -> None:
    """So that what is known is not told as new because something was written above it."""
    one, other = (Finding(rule="r", severity=Severity.WARN, message="x", place=place(line=line)) for line in (3, 30))

    results = json.loads(as_sarif([one, other]))["runs"][0]["results"]

    assert results[0]["partialFingerprints"] == results[1]["partialFingerprints"]


def test_github_is_given_one_line_for_each() -> None:
    """With what to do in the second line of the annotation; what is let pass is not shown."""
    assert as_github([OPEN, GONE], [(OPEN, WAIVER)]).splitlines() == [
        "::error file=products/charging/openapi.yaml,line=12,col=5,title=operation-secured"
        "::Nothing says who may call this operation.%0Awrite who may",
        "::warning file=old.yaml,line=3,col=5,title=api-path-removed::GET /v1/prices: is gone",
    ]


def test_nothing_that_is_found_can_be_a_command_of_its_own() -> None:
    """A document's author writes parts of messages, and the workflow would obey."""
    hostile = Finding(
        rule="a,b:c%",
        severity=Severity.INFO,
        message="100%\r\n::set-env name=PATH::/tmp",
        place=place("a,b:c%\n::stop-commands::x.yaml"),
        mend="write less",
    )

    [line] = as_github([hostile]).split("\n")

    assert line == (
        r"::notice file=a%2Cb%3Ac%25\n%3A%3Astop-commands%3A%3Ax.yaml,line=12,col=5,title=a%2Cb%3Ac%25"
        r"::100%25\r\n::set-env name=PATH::/tmp%0Awrite less"
    )


def test_github_is_told_of_what_could_not_be_checked() -> None:
    """Beside the line where there is one, and never as a command of its own."""
    fault = Fault(file="a.yaml", position=Position(2, 3), field="x\n::debug::", message="is 5%\r\n::stop-commands::x")

    assert faults_as_github([fault, "a\n::b: is no folder"]).split("\n") == [
        r"::error file=a.yaml,line=2,col=3,title=x\n%3A%3Adebug%3A%3A::is 5%25\r\n::stop-commands::x",
        "::error::a%0A::b: is no folder",
    ]


def test_what_could_not_be_checked_is_never_clean() -> None:
    """As results, which viewers show, and as a run that failed; with the place where there is one."""
    fault = Fault(file="a.yaml", position=Position(2, 3), field="openapi", message="is not known")

    run = json.loads(as_sarif([OPEN], failed=[fault, "products: is no folder"]))["runs"][0]

    [_, placed, unplaced] = run["results"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["operation-secured", "check-failed"]
    assert (placed["ruleId"], placed["ruleIndex"], placed["level"]) == ("check-failed", 1, "error")
    assert placed["message"]["text"] == "openapi: is not known"
    assert placed["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a.yaml"},
        "region": {"startLine": 2, "startColumn": 3},
    }
    assert "locations" not in unplaced
    [invocation] = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert [each["message"]["text"] for each in invocation["toolExecutionNotifications"]] == [
        "openapi: is not known",
        "products: is no folder",
    ]
    assert json.loads(as_sarif([OPEN]))["runs"][0]["invocations"][0]["executionSuccessful"]


def test_json_has_what_could_not_be_checked() -> None:
    """With the same members as a finding, the place empty where nobody knows it."""
    fault = Fault(file="a.yaml", position=Position(2, 3), field="openapi", message="is not known")
    same = {"rule": "check-failed", "severity": "error"}

    assert json.loads(as_json([], failed=[fault, "products: is no folder"])) == [
        {**same, "message": "openapi: is not known", "file": "a.yaml", "line": 2, "column": 3},
        {**same, "message": "products: is no folder", "file": None, "line": None, "column": None},
    ]
