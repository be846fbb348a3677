"""Can these gateways have their addresses? Asked before any is started, for SO_REUSEPORT would hide a second holder.

Envoy's listeners let others of the same user listen beside them, which is what a hand-over needs; so two gateways with
the same address would both start, and each get half of the requests.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from outrider.common.listeners import Listener, at, holder, listeners, overlap, sockets_of
from outrider.common.ports import Address, why_not_free
from outrider.gateway.environment import Placement


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway wants: its addresses. processes: those of its own that hold them already, if it runs."""

    product: str
    addresses: tuple[Address, ...]
    processes: tuple[int, ...] = ()


def addresses(placement: Placement) -> tuple[Address, ...]:
    """All at which a gateway listens."""
    return tuple(address for address in (placement.listen, placement.stats) if address is not None)


def refused(claims: Iterable[Claim]) -> dict[str, str]:
    """The products that can't have what they claim: name to the reason, which names who has it."""
    claims, everyone = list(claims), listeners()
    reasons = dict(_twice(claims))
    for claim in claims:
        for address in claim.addresses:
            if claim.product not in reasons and (why := _held(address, claim.processes, everyone)):
                reasons[claim.product] = f"{claim.product}: {why}"
    return reasons


def _twice(claims: Collection[Claim]) -> Mapping[str, str]:
    """Two that claim the same: the one that runs has it; where neither does, neither gets it."""
    reasons = {}
    for claim in claims:
        for other in claims:
            for mine in claim.addresses:
                clash = next((its for its in other.addresses if overlap(mine, its)), None)
                if clash and other.product != claim.product and not (claim.processes and not other.processes):
                    reasons[claim.product] = f"{claim.product}: {other.product} is to listen on {clash} as well"
    return reasons


def _held(address: Address, own: Collection[int], everyone: Collection[Listener]) -> str | None:
    """Why nobody else may come to listen there; None: it is free, or held by these processes alone."""
    there = at(address, everyone)
    mine = {number for pid in own for number in sockets_of(pid)}
    foreign = [one for one in there if one.inode not in mine]
    if foreign:
        return f"{address} is taken by {_named(foreign[0])}"
    if own:  # it runs, and has what it has
        return None
    why = why_not_free(address)
    return f"can't listen on {address}: {why}" if why else None


def _named(listener: Listener) -> str:
    process = holder(listener)
    return f"process {process.pid} ({process.command[:80]})" if process else f"a process of user {listener.user}"
