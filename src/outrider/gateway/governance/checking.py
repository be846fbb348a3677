"""Every check of every product at once, as a pull request changes them. Nothing is written, nothing is started.

Products are judged side by side, one process for each core; what shows only between two of them is looked at last.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from outrider.common.times import moment
from outrider.common.words import keep_printable, printable
from outrider.gateway.compile import compile_product
from outrider.gateway.documents import Source, gathering, parse
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.governance.examining import examine
from outrider.gateway.governance.governance import UNGOVERNED, Governance, governance_files
from outrider.gateway.governance.known import Known, at_commit
from outrider.gateway.governance.report import Report
from outrider.gateway.history import Past
from outrider.gateway.openapi import SIZE_LIMIT, operations_of, read_document
from outrider.gateway.placing import read_environment
from outrider.gateway.product import Exemption, Operation, Product
from outrider.gateway.reading import (
    PRODUCT,
    Declaration,
    declaration,
    folder_of_products,
    governance_of,
    placed,
    products_in,
)
from outrider.gateway.templates import pattern

T = TypeVar("T")
KnownOf: TypeAlias = Callable[[Path], Known]

EXEMPTIONS = ("waivers", "approvals")
"""The fields of product.yaml in which they stand."""
_FEW = 3
"""Products that are judged sooner than other processes have begun."""


class PathClaim(msgspec.Struct, frozen=True):
    """A product answers for a path of a host in an environment. template: the path without its parameters' names."""

    environment: str
    host: str
    template: str
    path: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One product. folder, document: as the caller named them. declared: None where its files can't be read, and
    report, where the checks could not be made; `faults` has why, and what is wrong besides. governance: by which it was
    judged.

    new_exemptions: waivers and approvals that the change brings, which whoever approves it should know.
    """

    product: str
    folder: str
    document: str = ""
    declared: Product | None = None
    operations: tuple[Operation, ...] = ()
    governance: Governance = UNGOVERNED
    report: Report | None = None
    faults: tuple[Fault | str, ...] = ()
    remarks: tuple[str, ...] = ()
    claims: tuple[PathClaim, ...] = ()
    new_exemptions: tuple[Exemption, ...] = ()

    def __post_init__(self) -> None:
        keep_printable(self, "product", "folder", "document")

    @property
    def passed(self) -> bool:
        """May it go live?"""
        return not self.faults and self.report is not None and self.report.outcome == "passed"


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """All products. between: what is wrong with two of them together. against: the commit; empty: with nothing.

    against_head: that is the one that is checked out. gone: products that were there at that commit and are not now.
    governance_changed: the change touches governance.yaml, or what it names.
    """

    products: tuple[Checked, ...]
    between: tuple[str, ...] = ()
    gone: tuple[Checked, ...] = ()
    against: str = ""
    against_head: bool = False
    governance_changed: bool = False

    @property
    def passed(self) -> bool:
        """May all of it go live?"""
        return (
            not self.between and all(one.passed for one in self.products) and not any(one.faults for one in self.gone)
        )


def check(products: Path, environments: Sequence[Path], past: Past | None, today: date) -> Checks:
    """Check all products of a folder in all these environments; against nothing where there is no past.

    Raises `Refused`: there are no products, or what holds for all of them can't be read.
    """
    folders = products_in(products)
    governance = governance_of(products)
    for environment in environments:
        read_environment(environment)
    known_of = partial(at_commit, past) if past else None
    checked = side_by_side(folders, partial(check_one, environments=environments, known_of=known_of, today=today))
    return Checks(
        products=tuple(checked),
        between=tuple(map(printable, (*_claimed_twice(checked), *_ungoverned(products, governance, past)))),
        gone=tuple(_gone(products, folders, governance, past, today)) if past and products not in folders else (),
        against=past.commit if past else "",
        against_head=bool(past and past.is_head),
        governance_changed=bool(past and governance.source and _changed(governance, past)),
    )


def check_one(folder: Path, environments: Sequence[Path], known_of: KnownOf | None, today: date) -> Checked:
    """Check one product by itself. known_of: what its callers know, by its folder; None: they know nothing yet."""
    faults: list[Fault | str] = []
    remarks: list[str] = []
    try:
        declared = declaration(folder)
        known = known_of(folder) if known_of else None
    except Refused as refused:
        return Checked(product=folder.name, folder=str(folder), faults=tuple(refused.faults))
    claims, governances = _placed(declared, environments, faults)
    report, governance = None, UNGOVERNED
    with gathering(faults):
        against = _document(known) if known else None
        if known and against is None:
            remarks.append("is new, and compared with nothing")
        for governance in governances or [governance_of(folder)]:
            report = examine(declared, governance, against, today, called=known.called if known else "")
            if report.outcome == "refused":
                break
    return Checked(
        product=declared.product.name,
        folder=str(folder),
        document=declared.source.file,
        declared=declared.product,
        operations=declared.operations,
        governance=governance,
        report=report,
        faults=tuple(faults),
        remarks=tuple(remarks),
        claims=tuple(claims),
        new_exemptions=tuple(_new_exemptions(declared, known.declared)) if known else (),
    )


def side_by_side(folders: Sequence[Path], one: Callable[[Path], T]) -> list[T]:
    """Do something with each product, as many side by side as there are cores."""
    processes = min(_cores(), len(folders))
    if len(folders) <= _FEW or processes == 1:
        return [one(folder) for folder in folders]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(one, folders, chunksize=max(1, len(folders) // (processes * 8))))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _placed(
    declared: Declaration, environments: Sequence[Path], faults: list[Fault | str]
) -> tuple[list[PathClaim], list[Governance]]:
    """Where it is to run, as far as that can be; and by whose rules. An environment need not have every product."""
    claims: list[PathClaim] = []
    governances: list[Governance] = []
    name = declared.product.name
    for file in environments:
        with gathering(faults):
            if name not in read_environment(file).products:
                continue
            read = placed(declared, file)
            governances += [read.governance] if read.governance not in governances else []
            compile_product(read.product, read.placement, read.operations)
            claims += [
                PathClaim(environment=str(file), host=host, template=pattern(path), path=path)
                for host in read.placement.hosts
                for path in dict.fromkeys(operation.path for operation in read.operations)
            ]
    if environments and not claims and not governances and not faults:
        where = f"{declared.folder}: no environment says where {name} runs; {environments[0]} would be one"
        faults.append(printable(where))
    return claims, governances


def _document(known: Known) -> Source | None:
    """The OpenAPI document as it was; None where there was none. Refused: nobody can tell what it said."""
    if known.document is None:
        return None
    try:
        return read_document(known.document[: SIZE_LIMIT + 1], known.file)
    except Refused as refused:
        raise Refused(
            f"what breaks callers can't be told, for what they know can't be read: {refused.faults[0]}; say --against "
            "with a commit at which it can be, or none to compare with nothing"
        ) from None


def _new_exemptions(declared: Declaration, before: bytes | None) -> Iterator[Exemption]:
    """What is let pass now and was not before."""
    known = _written(before)
    for kind in EXEMPTIONS:
        values: Sequence[Exemption] = getattr(declared.product, kind)
        for written, one in zip(_mappings(declared.declared.data.get(kind)), values, strict=True):
            if written not in known:
                yield one


def _written(raw: bytes | None) -> list[dict[str, object]]:
    """The exemptions of a product.yaml, whatever else is wrong with it."""
    try:
        data = parse(raw or b"", PRODUCT).data
    except Refused:
        return []
    return [one for kind in EXEMPTIONS for one in _mappings(data.get(kind))] if isinstance(data, dict) else []


def _mappings(entries: object) -> list[dict[str, object]]:
    return [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


def _claimed_twice(checked: Iterable[Checked]) -> Iterator[str]:
    """Two products that would answer for the same path of the same host; each pair once for each environment."""
    first: dict[tuple[str, str, str], str] = {}
    told: set[tuple[str, str, str]] = set()
    for one in checked:
        for claim in one.claims:
            other = first.setdefault((claim.environment, claim.host, claim.template), one.product)
            pair = (claim.environment, other, one.product)
            if other != one.product and pair not in told:
                told.add(pair)
                yield (
                    f"{claim.environment}: {one.product} and {other} both serve {claim.path} at {claim.host}; "
                    "give one of them another host, or another path"
                )


def _gone(
    products: Path, folders: Sequence[Path], governance: Governance, past: Past, today: date
) -> Iterator[Checked]:
    """Products that were there, and whether their callers knew that they would go."""
    there = {folder.name for folder in folders}
    for name in past.names(products):
        folder = products / name
        if name in there or past.content(folder / PRODUCT) is None:
            continue
        faults: list[Fault | str] = []
        with gathering(faults):
            document = None if name in governance.retired else _document(at_commit(past, folder))
            sudden = [one for one in operations_of(document) if not _has_ended(one, today)] if document else []
            faults += [_gone_without_a_word(folder, len(sudden))] if sudden else []
        yield Checked(product=name, folder=str(folder), faults=tuple(faults))


def _has_ended(operation: Operation, today: date) -> bool:
    ends = moment(operation.sunset) if operation.sunset else None
    return ends is not None and ends.date() <= today


def _gone_without_a_word(folder: Path, operations: int) -> str:
    return printable(
        f"{folder}: is gone, with {operations} operations of which nobody was told that they would end; say so first, "
        f"with deprecated: true and x-sunset, or let governance.yaml name it: retired: [{folder.name}]"
    )


def _ungoverned(products: Path, governance: Governance, past: Past | None) -> Iterator[str]:
    """A change cannot take the rules away with itself."""
    if past and governance.source is None:
        for file in governance_files(folder_of_products(products)):
            if past.content(file) is not None:
                yield f"{file}: is gone, and with it who may let something pass and by whose rules; put it back"


def _changed(governance: Governance, past: Past) -> bool:
    """Is the file another one, or anything where the rulesets and keys lie that it names?"""
    file = Path(governance.file)
    files = {file, *(file.parent / name for name in governance.named)}
    for folder in {each.parent for each in files} - {file.parent}:  # what a ruleset extends is among the rest
        files |= {folder / name for name in past.names(folder)} | {each for each in folder.iterdir() if each.is_file()}
    return any(past.content(each) != (each.read_bytes() if each.is_file() else None) for each in files)
