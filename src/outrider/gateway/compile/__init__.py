"""From a product, its place and its operations to Envoy's configuration: a pure function.

What a request meets is the list `FILTERS`, one file each. Around it: `listener.py` (where it comes in), `routes.py`
(which operation it is for), `clusters.py` (where it goes), `problems.py` (what is said when it goes nowhere).
"""

from typing import Any

from outrider.gateway.compile import audience, authorization, body_size, cors, limits, scopes, token
from outrider.gateway.compile.bootstrap import bootstrap
from outrider.gateway.compile.clusters import clusters
from outrider.gateway.compile.listener import listeners
from outrider.gateway.compile.parts import Filter, Source
from outrider.gateway.compile.routes import Rules, routes
from outrider.gateway.compile.tls import secrets
from outrider.gateway.environment import Placement
from outrider.gateway.product import Operation, Product
from outrider.gateway.release import Compiled

FILTERS: tuple[Filter, ...] = (
    cors.FILTER,  # first: a preflight comes without a token, and web pages must be able to read each refusal after it
    limits.CLIENT,  # before the token: who has none is counted here, whatever becomes of the request
    authorization.FILTER,  # before the token: what is checked must be all that there is
    token.FILTER,  # the verified claims are what the next three go by
    audience.FILTER,  # before the person: a token for somebody else takes nothing of anybody's limit here
    limits.PERSON,  # before the scopes: what somebody is not allowed to do counts too, or it could be tried without end
    scopes.FILTER,
    limits.PRODUCT,  # after all that refuses: only what would reach the upstream takes of what everyone shares
    body_size.FILTER,  # last: it is the only one to look at bodies
)


def compile_product(product: Product, placement: Placement, operations: tuple[Operation, ...]) -> Compiled:
    """The configuration of one gateway. Refused for what it could not enforce."""
    source = Source(product=product, placement=placement, operations=operations)
    chain = [found for one in FILTERS if (found := one.chain(source)) is not None]
    made, name = listeners(source, chain)
    return Compiled(
        bootstrap=bootstrap(source),
        clusters=clusters(source),
        listeners=made,
        routes=routes(source, name, _rules(source)),
        token=token.settings(source),
        secrets=secrets(source),
    )


def _rules(source: Source) -> Rules:
    def operation(one: Operation) -> dict[str, Any]:
        return _said({each.name: each.operation(source, one) for each in FILTERS})

    return Rules(
        host=_said({each.name: each.host(source) for each in FILTERS}),
        operation=operation,
        own=_said({each.name: each.own(source) for each in FILTERS}),
    )


def _said(by_filter: dict[str, Any]) -> dict[str, Any]:
    return {name: settings for name, settings in by_filter.items() if settings is not None}
