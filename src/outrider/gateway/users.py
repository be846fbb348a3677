"""Users of their own: where root runs the gateways, each is a user with no rights but to its own folder.

The numbers are from a range that by convention nobody else uses and that needs no entry in /etc/passwd. Whoever owns
the folder of a gateway is its user; there is no other record. A gateway that needs more than anybody may have (a
private key of root's, a port below 1024) is left to the user that runs them all.
"""

import os
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from outrider.gateway import envoy
from outrider.gateway.environment import Placement
from outrider.gateway.faults import Refused
from outrider.gateway.store import Instance, ProductState, State

log = structlog.get_logger(__name__)

NUMBERS = range(60706, 61184)
"""Unused by convention (systemd's "Users, Groups, UIDs and GIDs")."""
_UNPRIVILEGED_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_PROC = Path("/proc")


def choose(state: State, wanted: Sequence[tuple[ProductState, Placement]]) -> dict[str, int]:
    """Users for gateways that are to be started, by product; those that can't have one of their own are left out.

    Refused: there are no more.
    """
    if not wanted or os.geteuid() != 0 or not _can_run(NUMBERS[-1]):
        return {}
    free, chosen = _free(state), dict[str, int]()
    for product, placement in wanted:
        if why := obstacle(product, placement):
            log.warning("gateway_without_own_user", product=product.name, why=why)
            continue
        before = _owner(product.instance())
        chosen[product.name] = before if before in NUMBERS else _next(free)
    return chosen


def first_free(state: State) -> int:
    """A user that no gateway has yet. Refused: there is none."""
    return _next(_free(state))


def give(instance: Instance, user: int) -> None:
    """Make it this user's gateway. To be called while it does not run, for nobody else may open its files then."""
    if _owner(instance) != user:
        for path in [*instance.folder.iterdir(), instance.folder]:
            os.chown(path, user, user, follow_symlinks=False)  # its owner so far may have put links there


def obstacle(product: ProductState, placement: Placement) -> str | None:
    """Why a user of its own could not run this gateway: the first thing that not everybody may; None: it could."""
    if low := privileged(placement):
        return f"only root may listen on port {low[0]}"
    return unreachable(product, placement)


def privileged(placement: Placement) -> list[int]:
    """The ports at which only root may listen."""
    found = [address.port for address in (placement.listen, placement.stats) if address]
    return [port for port in found if port < _first_unprivileged()]


def unreachable(product: ProductState, placement: Placement) -> str | None:
    """What the gateway needs and not everybody may open; None: nothing."""
    if not _may(product.instance().folder.parent, stat.S_IXOTH):
        return f"others may not pass to {product.instance().folder}"
    for file in _files(placement):
        if not _may(file, stat.S_IROTH):
            return f"others may not read {file}"
    for socket in _sockets(placement):
        if not _may(socket, stat.S_IWOTH):
            return f"others may not connect to {socket}"
    return None


def _free(state: State) -> Iterator[int]:
    taken = {_owner(instance) for name in state.products() for instance in state.product(name).instances()}
    taken |= _running()
    return (number for number in NUMBERS if number not in taken)


def _next(free: Iterator[int]) -> int:
    for number in free:
        return number
    raise Refused(f"all {len(NUMBERS)} users for gateways are taken; --one-user runs them as the caller")


def _can_run(user: int) -> bool:
    """May this process start Envoy as another user, and that user execute it?"""
    try:
        asked = (envoy.binary(), "--version")
        done = subprocess.run(asked, user=user, group=user, extra_groups=(), cwd="/", capture_output=True, check=False)
    except (OSError, ValueError) as error:
        log.warning("gateways_without_own_users", why=f"Envoy can't be started as another user: {error}")
        return False
    return done.returncode == 0


def _owner(instance: Instance) -> int:
    return instance.folder.stat().st_uid


def _may(path: Path, bit: int) -> bool:
    """May everybody do that (one of stat's bits for others)? What does not exist yet is no obstacle."""
    named, real = path.absolute(), path.resolve()
    folders = {*named.parents, *real.parents}
    return all(_has(folder, stat.S_IXOTH) for folder in folders) and _has(real, bit)


def _has(path: Path, bit: int) -> bool:
    try:
        return bool(path.stat().st_mode & bit)
    except FileNotFoundError:
        return True


def _first_unprivileged() -> int:
    try:
        return int(_UNPRIVILEGED_PORT.read_text())
    except (OSError, ValueError):
        return 1024


def _files(placement: Placement) -> Iterator[Path]:
    tls: Iterable[Any] = (placement.tls, *(backend.tls for backend in placement.versions.values()))
    for one in tls:
        for field in ("certificate", "key", "client_ca", "ca"):
            if file := getattr(one, field, None):
                yield Path(file)


def _sockets(placement: Placement) -> Iterator[Path]:
    for backend in placement.versions.values():
        for upstream in backend.upstreams:
            if upstream.socket:
                yield Path(upstream.socket)


def _running() -> set[int]:
    """Users of whom anything runs; one of another state folder may be among them."""
    found = set()
    for entry in _PROC.iterdir() if _PROC.joinpath("self", "stat").exists() else ():
        try:
            if entry.name.isdigit():
                found.add(entry.stat().st_uid)
        except OSError:  # gone since it was listed
            continue
    return found
