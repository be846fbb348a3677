"""For each rule a pair of documents that is told by it alone, and one that is much alike and is not told."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from outrider.gateway.diff.rules import JUDGED_NOT, RULES
from outrider.gateway.diff.schema_rules import rule_of
from outrider.gateway.documents import Source
from outrider.gateway.findings import Severity
from tests.gateway.diff.documents import TODAY, changes, document
from tests.gateway.diff.written import REQUESTS, RESPONSES, around, cases

Case = dict[str, Any]


def of_schemas() -> Iterator[tuple[str, str, Case]]:
    """Of the cases in `schemas/`: rule, whose schema it is, case."""
    for file, rule, case in cases("schemas"):
        if file == "members":
            body, other = ("request", "request-parameter") if "request" in rule else ("response", "response-header")
            yield rule, f"{body}-body", case
            yield rule.replace(body, other, 1), other, case
            continue
        subjects = {"requests": REQUESTS, "responses": RESPONSES}.get(file, REQUESTS + RESPONSES)
        for subject in subjects:
            yield rule_of(subject, rule) if rule else JUDGED_NOT, subject, case


SCHEMAS = list(of_schemas())
DOCUMENTS = [(rule, case) for _, rule, case in cases("pairs")]


def schema_in(subject: str, case: Case, which: str) -> Source:
    return around(subject, case[which], case.get("components"), case.get("openapi", "3.1.0"))


def when(case: Case) -> Case:
    """The day of a case, and the notice that is due then."""
    today = date.fromisoformat(case["today"]) if "today" in case else TODAY
    return {"today": today, "notice_days": case.get("notice_days", 0)}


@pytest.mark.parametrize("subject", [*REQUESTS, *RESPONSES])
def test_schemas_are_told_by_their_rules(subject: str) -> None:
    """What breaks somebody is told by the one id that the file says, and nothing else is."""
    for rule, whose, case in SCHEMAS:
        if whose != subject:
            continue
        was = schema_in(subject, case, "was")
        told = {change.rule for change in changes(was, schema_in(subject, case, "breaks"), **when(case))}
        assert told == {rule}, case
        if "near" in case:
            assert not changes(was, schema_in(subject, case, "near"), **when(case)), (rule, case)


@pytest.mark.parametrize(("rule", "case"), DOCUMENTS)
def test_documents_are_told_by_their_rules(rule: str, case: Case) -> None:
    """What breaks somebody is told by the one id that the file says; what is near tells of no break."""
    was, breaks, near = (document(**case[which]) for which in ("was", "breaks", "near"))
    assert {change.rule for change in changes(was, breaks, **when(case))} == {rule}
    told = changes(was, near, **when(case))
    assert not [change for change in told if change.severity <= Severity.WARN]


def test_every_rule_has_a_pair() -> None:
    """No id can be added without one."""
    assert {rule for rule, *_ in (*SCHEMAS, *DOCUMENTS)} == RULES.keys()
