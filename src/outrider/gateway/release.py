"""A release and the split: what a gateway's configuration on disk is a pure function of.

A release is an immutable, numbered compilation of a product in its environment. It names versions and holds neither
weights nor secrets nor keys. The split is stored beside it and survives it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from outrider.gateway.environment import Placement
from outrider.gateway.governance.report import Report
from outrider.gateway.product import Operation, Product

Split = Mapping[str, int]
"""How much traffic each version gets, in percent; whole numbers that sum up to 100. Absent is 0."""

SPLIT = "{split}"
"""Stands, as a route's cluster, for whatever the split says."""


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """Envoy's configuration (v3 API as JSON) in the parts that are switched one after another.

    bootstrap: what is read once, at the start. routes: one RouteConfiguration in which routes to the versions name the
    cluster `SPLIT`. token: the settings of the jwt_authn filter without any key; None where every operation is public.
    secrets: SDS resources, which name the files of certificates.
    """

    bootstrap: Mapping[str, Any] = {}
    clusters: tuple[Mapping[str, Any], ...]
    listeners: tuple[Mapping[str, Any], ...]
    routes: Mapping[str, Any]
    token: Mapping[str, Any] | None = None
    secrets: tuple[Mapping[str, Any], ...] = ()


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One release. at: RFC 3339, UTC. by, commit, reason: who published which commit, and why; empty where unknown.
    source: the number of the release that a rollback took up again. envoy: the version that accepted it. document: the
    sha256 of the OpenAPI document that it was made of; empty: made before documents were kept.
    """

    number: int
    at: str
    by: str
    commit: str = ""
    reason: str = ""
    source: int | None = None
    envoy: str = ""
    document: str = ""
    product: Product
    placement: Placement
    operations: tuple[Operation, ...]
    compiled: Compiled


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What lies beside a release and is only looked at when somebody asks: the OpenAPI document as it was published,
    and what the checks found of the product then. file: of the document.
    """

    file: str
    document: bytes
    report: Report


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What is live: a release by its number, and the split."""

    release: int
    split: Split
