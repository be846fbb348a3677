"""May what was read become live? Judged by the rules that hold for it, and against what callers know by now."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from outrider.gateway.documents import Source
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.governance.governance import GOVERNANCE
from outrider.gateway.governance.report import Report, Rulebook
from outrider.gateway.governance.telling import refusal
from outrider.gateway.openapi import read_document
from outrider.gateway.release import Kept
from outrider.gateway.store import ProductState

if TYPE_CHECKING:
    from outrider.gateway.reading import Read


def governed(product: ProductState, read: "Read", now: datetime, *, advisory: bool = False) -> Kept:
    """What lies beside the release that may be made of it. Refused: it may not be made, and why; advisory: that is only
    kept in the report.
    """
    try:
        report = _judged(product, read, now)
    except Refused as refused:
        if not advisory:
            raise
        report = _unjudged(read, refused)
    if report.outcome == "refused" and not advisory:
        raise refusal(report, read.governance, str(Path(read.declared.file).parent))
    report = msgspec.structs.replace(report, at=now.astimezone(UTC).isoformat(timespec="seconds"))
    return Kept(file=Path(read.source.file).name, document=read.source.raw, report=report)


def _judged(product: ProductState, read: "Read", now: datetime) -> Report:
    """The report. Raises `Refused`: it can't be made."""
    from outrider.gateway.governance.examining import examine  # takes a while to load, and only a publish needs it

    number, before = known(product)
    if before and before.report.by.governance and read.governance.source is None:
        raise Refused(
            f"{product.name}: release {number} was judged by {before.report.by.governance}, and now there is no "
            f"{GOVERNANCE} beside {Path(read.declared.file).parent}: put it back, or name it in the environment's "
            "file, `governance: FILE`"
        )
    report = examine(
        read,
        read.governance,
        _document(before, read) if before else None,
        now.astimezone(UTC).date(),
        called=f"release {number}",
    )
    return msgspec.structs.replace(report, remarks=(*report.remarks, *_others_rules(before, number, read)))


def _others_rules(before: Kept | None, number: int, read: "Read") -> Iterator[Fault]:
    """Said where another governance.yaml judges than the last time: those who govern have changed it, or it is not
    theirs. The operator's word, `governance:` in the environment's file, leaves no doubt.
    """
    was, now = before.report.by if before else None, read.governance
    if was and now.source and was.governance_sha256 not in ("", now.sha256):
        yield now.source.fault((), f"differs from the one by which release {number} was judged; is it the right one?")


def _document(before: Kept, read: "Read") -> Source:
    """What callers know; it is often what was read."""
    return read.source if before.document == read.source.raw else read_document(before.document, before.file)


def _unjudged(read: "Read", refused: Refused) -> Report:
    return Report(
        product=read.product.name,
        owner=read.product.owner,
        version="",
        at="",
        by=Rulebook(ruleset=read.governance.rulesets.openapi, ruleset_sha256=""),
        ran={},
        faults=tuple(one if isinstance(one, Fault) else read.source.fault((), one) for one in refused.faults),
        outcome="refused",
    )


def known(product: ProductState) -> tuple[int, Kept | None]:
    """What callers are to go on working with: a release's number, and what lies beside it; None where they know none.

    It is the live release; where that was made before documents were kept, the newest that has one.
    """
    if (live := product.live()) is None:
        return 0, None
    if kept := product.kept(live.release):
        return live.release, kept
    with_document = (one.number for one in reversed(product.releases()) if one.document)
    number = next(with_document, live.release)
    return number, product.kept(number)
