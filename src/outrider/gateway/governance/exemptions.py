"""Does a waiver or an approval count? A product writes them, and governance.yaml says which of them hold."""

import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from outrider.common.json_path import JsonPath, steps
from outrider.gateway.documents import Source
from outrider.gateway.faults import Fault
from outrider.gateway.findings import Place
from outrider.gateway.governance.governance import GOVERNANCE, Approver, Governance
from outrider.gateway.product import Exemption, Product, Waiver

STRUCTURE = "structure"
"""The rule that a document is one at all. Nobody may waive it: what is not understood can't be judged."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One of the product's waivers or approvals. path: where it stands in product.yaml."""

    exemption: Exemption
    path: JsonPath

    def covers(self, rule: str, place: Place | None) -> bool:
        """Is this rule meant, and the place or something around it? Asked of those that are lawful."""
        if place is None or rule != self.exemption.rule:
            return False
        wanted = steps(self.exemption.place)
        return wanted == tuple(map(str, place.path[: len(wanted)]))


def entries(product: Product) -> list[Entry]:
    """All of them, in the order of the file."""
    both = (("waivers", product.waivers), ("approvals", product.approvals))
    return [Entry(exemption=one, path=(field, index)) for field, some in both for index, one in enumerate(some)]


def unlawful(product: Product, declared: Source, governance: Governance, entry: Entry, today: date) -> list[Fault]:
    """Why it does not count; empty: it does. declared: product.yaml."""
    one, approver = entry.exemption, governance.approver(entry.exemption.approver)
    said = [
        *_of_rule(one, governance),
        *_of_place(one),
        *_of_approver(product, one, governance, approver),
        *_of_time(one, governance, today),
        *(_of_signature(product, one, approver) if approver else ()),
    ]
    return [declared.fault((*entry.path, field), message) for field, message in said]


def _of_rule(one: Exemption, governance: Governance) -> Iterator[tuple[str, str]]:
    if isinstance(one, Waiver) and one.rule == STRUCTURE:
        yield "rule", "can't be waived: what is no sound document can't be judged; mend it there"
    elif one.rule in governance.never_waived:
        yield "rule", f"{governance.file} has it in never_waived: nobody is exempt; mend it there, and remove this"


def _of_place(one: Exemption) -> Iterator[tuple[str, str]]:
    try:
        steps(one.place)
    except ValueError as error:
        yield "place", str(error)


def _of_approver(
    product: Product, one: Exemption, governance: Governance, approver: Approver | None
) -> Iterator[tuple[str, str]]:
    names = ", ".join(each.name for each in governance.approvers)
    if governance.source is None:
        yield "approver", f"nobody may let anything pass, for there is no {GOVERNANCE} beside the products; mend it"
    elif approver is None:
        yield "approver", f"may let nothing pass by {governance.file}; " + (f"ask {names}" if names else "nobody may")
    elif _alike(one.approver) in (_alike(one.owner), _alike(product.owner)):
        yield "approver", "has said yes to their own wish; ask another one" + (f" of {names}" if names else "")


def _alike(name: str) -> str:
    """The same of names that people would take for the same: whatever width, case or invisible letters they have."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(each for each in plain if unicodedata.category(each)[0] not in "CZ")


def _of_time(one: Exemption, governance: Governance, today: date) -> Iterator[tuple[str, str]]:
    latest = today + timedelta(days=governance.longest_waiver)
    if one.until < today:
        yield "until", "is over; mend what it let pass and remove it, or ask for another"
    elif one.until > latest:
        yield "until", f"is later than {latest}, {governance.longest_waiver} days from today; ask for a shorter time"


def _of_signature(product: Product, one: Exemption, approver: Approver) -> Iterator[tuple[str, str]]:
    from outrider.gateway.governance.signatures import is_signed, public_key  # takes a while to load

    if approver.key is None:
        if one.signature:
            yield "signature", f"can't be checked, for {GOVERNANCE} has no key of {approver.name}; remove it"
    elif not one.signature:
        command = "`outrider gateway approve --key` writes it"
        yield "signature", f"is required: {approver.name} signs what counts, and {command}"
    elif not is_signed(product.name, one, public_key(approver.key)):
        message = f"is not {approver.name}'s for this product and for what stands here; have it signed as it now is"
        yield "signature", message
