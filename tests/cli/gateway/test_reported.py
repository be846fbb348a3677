"""A release's report counts all that was found, also what somebody let pass."""

from pathlib import Path

import pytest

from outrider.cli.gateway.reported import show_report
from outrider.gateway.governance.report import Report
from tests.gateway.governance.judged import WAIVER, change, finding, governance, judged


class Kept:
    """A product with one release, and its report."""

    name = "parking"

    def __init__(self, report: Report) -> None:
        self.report = report

    def kept(self, _number: int) -> "Kept":
        """What was kept beside the release."""
        return self


def test_what_is_let_pass_was_found_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report of one waived finding does not say that there was none; and one is no plural."""
    report = judged(governance(tmp_path), finding(), change(), waivers=[WAIVER])

    show_report(Kept(report), 1, as_json=False)  # type: ignore[arg-type]

    said = " ".join(capsys.readouterr().out.split())
    assert "found 1 finding, 1 change that callers may notice" in said
    assert "let pass 1 finding, 0 breaking changes" in said
