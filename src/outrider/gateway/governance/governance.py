"""governance.yaml: which rules hold for all products, and who may let something pass.

It belongs to those who govern, and lies beside the products, as environments do; or the environment's file, which is
the operator's, names another. No product's file has a word in it. Without it the shipped rules hold, and nobody may let
anything pass.
"""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from outrider.common.json_path import JsonPath
from outrider.gateway.documents import Source, content, converted, form_faults, parse, refuse
from outrider.gateway.faults import Fault, Refused

GOVERNANCE = "governance.yaml"
SHIPPED = "outrider:"
"""How the names of shipped rulesets begin; everything else is a file."""


class Rulesets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules for each kind of document: a shipped ruleset's name, or a file beside governance.yaml."""

    openapi: str = f"{SHIPPED}openapi"
    asyncapi: str = f"{SHIPPED}asyncapi"


class Approver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may let something pass. key: the public key (PEM), with which only what is signed counts; or none."""

    name: str
    key: str | None = None


class Governance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it says. longest_waiver, notice: days. retired: products that may be taken away although nobody told their
    callers. source: the file; None where there is none. named: the files that it names, relative to its folder.
    """

    rulesets: Rulesets = Rulesets()
    never_waived: tuple[str, ...] = ()
    longest_waiver: int = 90
    notice: int = 0
    approvers: tuple[Approver, ...] = ()
    retired: tuple[str, ...] = ()
    source: Source | None = None
    named: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """As it was named; empty where there is none."""
        return self.source.file if self.source else ""

    @property
    def sha256(self) -> str:
        """Of the file; empty where there is none."""
        return sha256(self.source.raw).hexdigest() if self.source else ""

    def ruleset(self, kind: str) -> str | Path:
        """What is to be read for documents of a kind, `openapi` or `asyncapi`: a shipped name, or a file."""
        name: str = getattr(self.rulesets, kind)
        return name if name.startswith(SHIPPED) else Path(self.file).parent / name

    def approver(self, name: str) -> Approver | None:
        """Whoever is called so."""
        return next((one for one in self.approvers if one.name == name), None)


UNGOVERNED = Governance()
"""Where there is no governance.yaml."""


def governance_files(products: Path) -> tuple[Path, Path]:
    """Where the file for a folder of products may be, the best first: beside it, or in it."""
    return products.parent / GOVERNANCE, products / GOVERNANCE


def find_governance(products: Path) -> Path | None:
    """The file for a folder of products; None where there is none. A link that leads nowhere is one, too."""
    return next((file for file in governance_files(products) if os.path.lexists(file)), None)


def read_governance(file: Path) -> Governance:
    """What a governance.yaml says. Raises `Refused` with everything that is wrong with it and with what it names."""
    source = parse(content(file), str(file))
    refuse(form_faults(source, "governance"))
    said = converted(source.data, Governance)
    refuse([*_doubled(source, said), *_lacking(source, said)])
    keyed = tuple(
        Approver(name=one.name, key=one.key and _text(source, ("approvers", index, "key"), one.key))
        for index, one in enumerate(said.approvers)
    )
    refuse(list(_useless_keys(source, keyed)))
    rulesets = (name for name in (said.rulesets.openapi, said.rulesets.asyncapi) if not name.startswith(SHIPPED))
    named = (*rulesets, *(one.key for one in said.approvers if one.key))
    return msgspec.structs.replace(said, approvers=keyed, source=source, named=named)


def _doubled(source: Source, said: Governance) -> Iterator[Fault]:
    names = [one.name for one in said.approvers]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield source.fault(("approvers", index, "name"), "is there twice; name each once")


def _lacking(source: Source, said: Governance) -> Iterator[Fault]:
    """Files that are named and are not there, or elsewhere."""
    named: dict[JsonPath, str | None] = {("approvers", i, "key"): one.key for i, one in enumerate(said.approvers)}
    for kind, name in (("openapi", said.rulesets.openapi), ("asyncapi", said.rulesets.asyncapi)):
        named["rulesets", kind] = None if name.startswith(SHIPPED) else name
    for path, file in named.items():
        if file is not None:
            try:
                _file(source, path, file)
            except Refused as refused:
                yield from (fault for fault in refused.faults if isinstance(fault, Fault))


def _file(source: Source, path: JsonPath, name: str) -> bytes:
    folder = Path(source.file).parent
    try:
        return content(folder / name, inside=folder)
    except Refused as refused:
        [fault] = refused.faults
        assert isinstance(fault, Fault)
        raise Refused(source.fault(path, f"{fault.file}: {fault.message}")) from None


def _text(source: Source, path: JsonPath, name: str) -> str:
    return _file(source, path, name).decode("utf-8", "replace")


def _useless_keys(source: Source, approvers: tuple[Approver, ...]) -> Iterator[Fault]:
    if all(one.key is None for one in approvers):
        return
    from outrider.gateway.governance.signatures import NoKey, public_key  # takes a while to load

    for index, one in enumerate(approvers):
        try:
            if one.key is not None:
                public_key(one.key)
        except NoKey as error:
            yield source.fault(("approvers", index, "key"), str(error))
