"""What every part of the compilation is made from and made of: the source, and Envoy's way of writing things down."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from outrider.gateway.environment import Placement
from outrider.gateway.product import Operation, Product

Json = Mapping[str, Any]
"""A message of Envoy's v3 API in its JSON form."""

JWT_AUTHN = "envoy.filters.http.jwt_authn"
"""The token check's name in the chain; Envoy's statistics and metadata go by it."""
CLAIMS = "jwt"
"""Where the token check leaves the verified claims, in its metadata."""
OUTRIDER = "outrider"
"""The namespace of what routes say about themselves, for filters and for problem documents."""
SHORTEST = 0.001
"""Seconds of the shortest time that Envoy can measure."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What is compiled: a product, where it runs, and the operations of its OpenAPI document."""

    product: Product
    placement: Placement
    operations: tuple[Operation, ...]

    @property
    def asks_for_tokens(self) -> bool:
        """Is there an operation that is not public?"""
        return any(not operation.public for operation in self.operations)


def _nothing(*_: object) -> None:
    return None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain through which every request goes; each function returns None where it has nothing to say.

    name: in the chain. chain: the filter itself. host: what it does wherever a route says nothing else. operation: what
    it does on the routes of one operation. own: what it does where the gateway itself answers, such as with 404.
    """

    name: str
    chain: Callable[[Source], Json | None]
    host: Callable[[Source], Json | None] = _nothing
    operation: Callable[[Source, Operation], Json | None] = _nothing
    own: Callable[[Source], Json | None] = _nothing


def typed(kind: str, **fields: Any) -> dict[str, Any]:
    """A message that names its own type, as extensions do. kind: without the prefix that all types have."""
    return {"@type": f"type.googleapis.com/{kind}", **fields}


def extension(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    """An extension by name, with its settings."""
    return {"name": name, "typed_config": typed(kind, **fields)}


def seconds(number: float) -> str:
    """A duration. Envoy knows milliseconds, and no exponents; 0, which often means no limit, comes from 0 alone."""
    if number > 0:
        number = max(number, SHORTEST)
    return f"{number:.3f}".rstrip("0").rstrip(".") + "s"


def from_file(name: str) -> dict[str, Any]:
    """A configuration source: a file beside the bootstrap file, followed when it is replaced."""
    return {"path_config_source": {"path": f"./{name}"}, "resource_api_version": "V3"}


def appended(headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Headers that replace others of the same name."""
    action = "OVERWRITE_IF_EXISTS_OR_ADD"
    return [{"header": {"key": key, "value": value}, "append_action": action} for key, value in headers.items()]


def digest(value: object) -> str:
    """16 hex digits that change with the value."""
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()[:16]


DISABLED = typed("envoy.config.route.v3.FilterConfig", disabled=True)
"""On a route: this filter does nothing here."""
