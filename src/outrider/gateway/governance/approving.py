"""The entry of product.yaml by which something passes for a time, written and, where that is asked for, signed.

What would not count is refused here already, for whoever says yes should not have to do so twice.
"""

from datetime import date
from difflib import get_close_matches
from functools import cache
from textwrap import indent

import msgspec

from outrider.common.json_schema import Schema
from outrider.common.yaml_writing import write_yaml
from outrider.gateway.diff.rules import RULES
from outrider.gateway.documents import Source, schema
from outrider.gateway.faults import Refused
from outrider.gateway.governance.examining import findings_of, names, read_rules
from outrider.gateway.governance.exemptions import STRUCTURE, Entry, unlawful
from outrider.gateway.governance.governance import Governance
from outrider.gateway.governance.signatures import PrivateKey, signature
from outrider.gateway.product import Approval, Exemption, Product, Waiver


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to pass, and who says so. The fields are those of product.yaml."""

    rule: str
    place: str
    owner: str
    approver: str
    reason: str
    until: str


def exemption(
    product: Product, declared: Source, governance: Governance, wish: Wish, key: PrivateKey | None, today: date
) -> Exemption:
    """The waiver, or for the id of a breaking change the approval; signed, if there is a key. Raises `Refused`: it
    would not count.
    """
    kind: type[Exemption] = Approval if wish.rule in RULES else Waiver
    known = [*RULES] if kind is Approval else sorted({*names(read_rules(governance)), STRUCTURE})
    if wish.rule not in known:
        meant = get_close_matches(wish.rule, [*known, *RULES], 1)
        raise Refused(f"{wish.rule} is no rule and no breaking change" + (f"; is {meant[0]} meant?" if meant else ""))
    said = msgspec.to_builtins(wish)
    if wrong := _form().faults(said):
        raise Refused(*(f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in wrong))
    made = msgspec.convert(said, kind)
    if key is not None:
        made = msgspec.structs.replace(made, signature=signature(product.name, made, key))
    entry = Entry(exemption=made, path=())
    if faults := unlawful(product, declared, governance, entry, today):
        raise Refused(*(f"{fault.field}: {fault.message}" for fault in faults))
    return made


@cache
def _form() -> Schema:
    return Schema(schema("product").document["$defs"]["exemption"])


def lets_pass(source: Source, governance: Governance, made: Exemption) -> int:
    """How many findings a waiver lets pass in a document as it is now."""
    findings, _ = findings_of(source, read_rules(governance))
    entry = Entry(exemption=made, path=())
    return sum(entry.covers(finding.rule, finding.place) for finding in findings)


def written(product: Product, made: Exemption) -> str:
    """As product.yaml has it; with the head line where that is not there yet."""
    field, there = ("approvals", product.approvals) if isinstance(made, Approval) else ("waivers", product.waivers)
    entry = {name: value for name, value in msgspec.to_builtins(made).items() if value}
    return ("" if there else f"{field}:\n") + indent(write_yaml([entry]), "  ", lambda line: True)
