"""How the gateways are: asked of each one's own admin interface and folder, so that nobody else has to run.

Figures count since the Envoy that serves was started. Of a gateway that does not answer is told what is published.
"""

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from outrider.common.ports import Address
from outrider.common.times import rfc3339
from outrider.gateway import certificates, generations
from outrider.gateway.compile.clusters import OWN
from outrider.gateway.drift import drift
from outrider.gateway.envoy import Admin, NotAnswering, NotRunning
from outrider.gateway.faults import Refused
from outrider.gateway.files import problem
from outrider.gateway.jwks import Keys, KeysUnreadable
from outrider.gateway.release import Release, Split
from outrider.gateway.store import Instance, ProductState

SERVES, DRAINS, STARTS, SILENT, DOWN = "serves", "drains", "starts", "silent", "down"
NO_CERTIFICATE = "no certificate"
"""What one may be doing. silent: its process lives but does not answer. no certificate: it could not load one, of its
own or of those who sign its upstreams', and `drift` says which file.
"""
_COUNTED = (
    r"^http\.ingress\.downstream_rq_([245]xx|total|active)$|^cluster\..*\.membership_(healthy|total)$|^server\.uptime$"
)
_TIMES = "http.ingress.downstream_rq_time"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Since the start: requests that came, and those answered by class. active: under way now. p50, p99: milliseconds,
    None before the first. upstreams: healthy and all addresses of each version that is in use.
    """

    requests: int = 0
    active: int = 0
    successes: int = 0
    client_errors: int = 0
    server_errors: int = 0
    p50: float | None = None
    p99: float | None = None
    upstreams: Mapping[str, tuple[int, int]] = {}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One gateway. since: when its Envoy was started. others: Envoys that still finish what they began.

    keys_since: since when it has its keys; keys_problem: why they can't be read now. restart: it serves as it was told
    when it started, and would be told something else now. drift: what is not as published.
    """

    product: str
    owner: str
    address: Address
    release: int
    split: Split
    state: str
    pid: int | None = None
    user: int | None = None
    since: str | None = None
    envoy: str = ""
    others: tuple[int, ...] = ()
    restart: bool = False
    figures: Figures | None = None
    keys_since: str | None = None
    keys_problem: str | None = None
    drift: tuple[str, ...] = ()


async def standings(products: Iterable[ProductState], faults: list[str] | None = None) -> list[Standing]:
    """How the gateways of these products are, in this order; those that were never published are left out.

    What is kept of one may be damaged: why is added to `faults`, and the others are told.
    """
    keys, known = Keys(quiet=True), list(products)
    running = generations.find(instance for product in known for instance in product.instances())
    found = await asyncio.gather(*(_standing(product, running, keys) for product in known), return_exceptions=True)
    for one in found:
        if isinstance(one, PermissionError) or not isinstance(one, Standing | Refused | OSError | None):
            raise one
        if isinstance(one, Refused | OSError) and faults is not None:
            faults.append(problem(one) if isinstance(one, OSError) else str(one))
    return [one for one in found if isinstance(one, Standing)]


async def _standing(
    product: ProductState, running: Mapping[Path, list[generations.Generation]], keys: Keys
) -> Standing | None:
    if product.live() is None:
        return None
    live = product.published()
    release, instance = product.release(live.release), product.instance()
    there = running.get(instance.folder, [])
    state, one = await _serving(instance, there)
    started = generations.recorded(instance)
    known = started if started and one and started.process.is_same(one.process) else None
    differences = await _drift(product) if state != SILENT else ("unknown, for it does not answer",)
    return Standing(
        product=product.name,
        owner=release.product.owner,
        address=release.placement.listen,
        release=live.release,
        split=live.split,
        state=state,
        pid=one.process.pid if one else None,
        user=one.user if one else None,
        since=known.at if known else None,
        envoy=known.envoy if known else "",
        others=tuple(other.process.pid for other in there if other is not one),
        restart=one is not None and not generations.is_current(instance, one),
        figures=await figures(generations.admin(instance, one.number)) if one else None,
        keys_since=_changed(instance),
        keys_problem=await _keys_problem(release, keys),
        drift=differences,
    )


async def _serving(
    instance: Instance, there: list[generations.Generation]
) -> tuple[str, generations.Generation | None]:
    """What the gateway does, and the Envoy that tells: the newest that serves, else the newest of all."""
    states = {one.number: await generations.state(generations.admin(instance, one.number)) for one in there}
    for one in reversed(there):
        if states[one.number] == generations.LIVE:
            lacks = await certificates.missing(instance, generations.admin(instance, one.number))
            return NO_CERTIFICATE if lacks else SERVES, one
    for one in reversed(there):
        words = {generations.DRAINING: DRAINS, "": SILENT}
        return words.get(states[one.number], STARTS), one
    return DOWN, None


async def figures(admin: Admin) -> Figures | None:
    """What a gateway counted; None if it does not answer."""
    try:
        counted = await admin.stats(_COUNTED)
        times = msgspec.json.decode(await admin.get(f"/stats?format=json&filter=^{_TIMES}$"))
    except (NotRunning, NotAnswering, msgspec.DecodeError, RecursionError):
        return None
    requests = {name.rpartition("_rq_")[2]: int(value) for name, value in counted.items() if "_rq_" in name}
    p50, p99 = (_quantile(times, percent) for percent in (50, 99))
    return Figures(
        requests=requests.get("total", 0),
        active=requests.get("active", 0),
        successes=requests.get("2xx", 0),
        client_errors=requests.get("4xx", 0),
        server_errors=requests.get("5xx", 0),
        p50=p50,
        p99=p99,
        upstreams=dict(_upstreams(counted)),
    )


def _upstreams(counted: Mapping[str, str]) -> Iterable[tuple[str, tuple[int, int]]]:
    for name, value in counted.items():
        version = name.removeprefix("cluster.").removesuffix(".membership_total")
        if name.endswith(".membership_total") and version not in OWN:
            yield version, (int(counted.get(f"cluster.{version}.membership_healthy", 0)), int(value))


def _quantile(times: Any, percent: int) -> float | None:
    """Since the start, as Envoy estimates it from its histogram."""
    for stat in times.get("stats", ()):
        if histograms := stat.get("histograms"):
            at = histograms["supported_quantiles"].index(percent)
            for computed in histograms["computed_quantiles"]:
                value = computed["values"][at]["cumulative"]
                return round(float(value), 1) if value is not None else None
    return None


async def _drift(product: ProductState) -> tuple[str, ...]:
    try:
        return tuple(f"{one.what}: {one.problem}" for one in await drift(product))
    except Refused as error:
        return (str(error),)


async def _keys_problem(release: Release, keys: Keys) -> str | None:
    if release.compiled.token is None or release.placement.issuer is None:
        return None
    try:
        await keys.of(release.placement.issuer.jwks)
    except KeysUnreadable as error:
        return str(error)
    return None


def _changed(instance: Instance) -> str | None:
    """When the keys were last brought to it."""
    times = [os.stat(instance.folder / name).st_mtime for name in instance.tokens()]
    return rfc3339(max(times)) if times else None
