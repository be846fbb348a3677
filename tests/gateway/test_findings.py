"""What findings, changes and faults say, and how they name a place."""

from hypothesis import given
from hypothesis import strategies as st

from outrider.common.json_path import steps
from outrider.common.words import printable
from outrider.common.yaml_positions import Position
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.findings import Change, Finding, Place, Severity, tally

HOSTILE = "x\x1b]0;y\x07\n::stop-commands::z\u202e\u2028##[add-mask]a"
SAID = printable(HOSTILE)
KEYS = st.text(st.sampled_from("ab/~%#2F \n\x1b\u202e") | st.characters(exclude_categories=["Cs"]))


def place(*path: str | int, file: str = "openapi.yaml") -> Place:
    return Place(file, Position(3, 5), path)


def test_all_that_is_said_is_printable() -> None:
    """Names, messages and files are parts of one line, whoever wrote them."""
    finding = Finding(rule=HOSTILE, severity=Severity.WARN, message=HOSTILE, place=place(file=HOSTILE), url=HOSTILE)
    change = Change(rule="r", severity=Severity.WARN, message=HOSTILE, operation=HOSTILE, old=None, new=place())
    fault = Fault(file=HOSTILE, position=Position(1, 2), field=HOSTILE, message=HOSTILE)

    assert (finding.rule, finding.sentence, str(finding.place), finding.url) == (SAID, SAID, f"{SAID}:3:5", SAID)
    assert change.sentence == f"{SAID}: {SAID}"
    assert str(fault) == f"{SAID}:1:2: {SAID}: {SAID}"
    assert "\\" in SAID


def test_a_refusal_may_have_lines_and_nothing_else() -> None:
    """Where a text of its own has several, none of them is a command."""
    refused = Refused("first\n  ::debug::x\x07", Fault(file="a", position=Position(1, 1), field="", message="b\n"))

    assert str(refused).split("\n") == ["first", r"  \x3a:debug::x\x07", r"a:1:1: b\n"]


def test_prose_is_one_line() -> None:
    """Authors of rules break theirs, and mean nothing by it."""
    finding = Finding(
        rule="r", severity=Severity.INFO, message="m", place=place(), why="Why\nso.\n", mend="\n do\n this"
    )

    assert (finding.why, finding.mend) == ("Why so.", "do this")


def test_a_pointer_is_as_people_know_it() -> None:
    """Encoded is only what would be misread."""
    at = place("paths", "/v1/{id}~", "für 100 %", "a\nb\x1b", "##[x]", 0)

    assert at.pointer == "#/paths/~1v1~1{id}~0/für 100 %25/a%0Ab%1B/%23%23[x]/0"


@given(st.lists(KEYS | st.integers(0, 9)))
def test_a_pointer_leads_back(path: list[str | int]) -> None:
    """Whatever the keys are, a waiver that names the place means just it, and the pointer is printable."""
    pointer = place(*path).pointer

    assert steps(pointer) == tuple(map(str, path))
    assert printable(pointer) == pointer


def test_levels_are_counted() -> None:
    """The worst first, and none that there is not."""
    found = [Finding(rule="r", severity=Severity(n), message="m", place=place()) for n in (3, 0, 2, 0)]

    assert tally(found) == ["2 errors", "1 note", "1 hint"]
    assert [each.word for each in Severity] == ["error", "warn", "info", "hint"]
