"""What those who govern want to see of all products at once, as values; `page.py` makes a page of them."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path

import msgspec

from outrider.common.times import moment
from outrider.gateway import provenance
from outrider.gateway.faults import Refused
from outrider.gateway.findings import Finding, Severity
from outrider.gateway.governance.checking import Checked, check_one, side_by_side
from outrider.gateway.governance.known import live
from outrider.gateway.governance.report import Exempt, Report
from outrider.gateway.reading import products_in
from outrider.gateway.release import Split
from outrider.gateway.store import ProductState, State


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What is live of a product. at: RFC 3339, UTC."""

    environment: str
    release: int
    at: str
    by: str
    split: Split


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that is announced to end, which will break whoever still calls it. operation: `GET /v1/prices`."""

    product: str
    operation: str
    sunset: date


class ProductStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One product. report: what the checks found; None where they could not be made. faults: what is wrong besides."""

    product: str
    owner: str = ""
    contact: str = ""
    operations: int = 0
    report: Report | None = None
    serving: Serving | None = None
    endings: tuple[Ending, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """How many things keep it from being published."""
        report = self.report
        return len(self.faults) + (len(report.errors) + len(report.breaking) if report else 0)

    @property
    def warnings(self) -> int:
        """How many things should be better."""
        return len(self.report.warnings) if self.report else 0

    @property
    def exempt(self) -> tuple[Exempt, ...]:
        """What is let pass."""
        return self.report.exempt if self.report else ()


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, and where it is broken: product and finding."""

    rule: str
    severity: Severity
    why: str
    mend: str
    findings: tuple[tuple[str, Finding], ...]

    @property
    def products(self) -> int:
        """How many products break it."""
        return len({product for product, _ in self.findings})


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All products at one time. commit: of the products' folder; empty where unknown."""

    at: datetime
    products: tuple[ProductStanding, ...]
    commit: str = ""


def broken_rules(overview: Overview) -> list[Broken]:
    """Every rule that is broken somewhere: the worst first, then the most frequent."""
    by_rule: dict[str, list[tuple[str, Finding]]] = {}
    for standing in overview.products:
        for finding in standing.report.findings if standing.report else ():
            by_rule.setdefault(finding.rule, []).append((standing.product, finding))
    rules = [
        Broken(
            rule=rule,
            severity=min(finding.severity for _, finding in found),
            why=found[0][1].why,
            mend=found[0][1].mend,
            findings=tuple(found),
        )
        for rule, found in by_rule.items()
    ]
    return sorted(rules, key=lambda rule: (rule.severity, -len(rule.findings), rule.rule))


def overview(products: Path, environments: Sequence[Path], state: Path, now: datetime) -> Overview:
    """Judge every product against what is live of it in a state folder. Raises `Refused`: there are none."""
    folders = products_in(products)
    known_of = partial(live, state)
    judged = side_by_side(folders, partial(check_one, environments=environments, known_of=known_of, today=now.date()))
    return Overview(at=now, products=tuple(_standing(one, state) for one in judged), commit=provenance.commit(products))


def _standing(one: Checked, state: Path) -> ProductStanding:
    faults = [*map(str, one.faults), *map(str, one.report.faults if one.report else ())]
    serving = None
    try:
        serving = _serving(State(state).product(one.product))
    except Refused as refused:
        faults += map(str, refused.faults)
    sunsets = ((operation, moment(operation.sunset)) for operation in one.operations)
    endings = (
        Ending(product=one.product, operation=f"{operation.method.upper()} {operation.path}", sunset=ends.date())
        for operation, ends in sunsets
        if ends
    )
    return ProductStanding(
        product=one.product,
        owner=one.declared.owner if one.declared else "",
        contact=one.declared.contact if one.declared else "",
        operations=len(one.operations),
        report=one.report,
        serving=serving,
        endings=tuple(endings),
        faults=tuple(faults),
    )


def _serving(product: ProductState) -> Serving | None:
    now = product.live()
    if now is None:
        return None
    release = product.release(now.release)
    return Serving(
        environment=release.placement.environment, release=release.number, at=release.at, by=release.by, split=now.split
    )
