"""What of a product open-source Kong does otherwise or not at all: told, so that nobody believes it is still there."""

from collections.abc import Iterator, Sequence

from outrider.gateway.environment import Placement
from outrider.gateway.kong.services import METHODS, window
from outrider.gateway.product import Limit, Operation, Product


def gaps(product: Product, placement: Placement, operations: Sequence[Operation], services: int) -> list[str]:
    """Each begins with the field that it is about. services: how many Kong gets."""
    return [
        *_tokens(product, operations),
        *_limits(product, operations, services),
        *_requests(product, operations),
        *_answers(),
        *_upstreams(product, placement),
        *_places(placement),
    ]


def _tokens(product: Product, operations: Sequence[Operation]) -> Iterator[str]:
    asking = [operation for operation in operations if not operation.public]
    if not asking:
        return
    if any(any(operation.scopes) for operation in asking):
        yield "security: scopes are not checked: every valid token may call every operation; the upstream has to check"
    yield f"audiences: `aud` ({' or '.join(product.audiences)}) is not checked; the upstream has to check"
    yield "issuer: a token counts by its `kid`, signature and `exp`; `iss` and `nbf` are not checked, clocks must agree"
    yield "issuer.jwks: the keys are copied into this file; after each rotation or withdrawal, export and sync again"
    yield "issuer: it is one consumer; where several products share a Kong, keep it in one of their files only"


def _limits(product: Product, operations: Sequence[Operation], services: int) -> Iterator[str]:
    limits, public = product.limits, [operation.id for operation in operations if operation.public]
    if len(public) < len(operations):
        yield f"limits.person: {_said(limits.person)} are not counted: Kong knows no persons, only the issuer"
        yield "limits.client: requests without a token are refused, but not counted"
    if public:
        yield f"limits.client: counted at each public operation by itself, not for limits.product: {', '.join(public)}"
    if services > 1:
        yield f"limits.product: counted at each of {services} Kong services (by timeout and retries) by itself"
    for name, limit in (("product", limits.product), *([("client", limits.client)] if public else [])):
        seconds, requests = window(limit)
        if seconds != limit.per:
            yield f"limits.{name}: {_said(limit)} became {requests} requests in {seconds} s"
    yield "limits: counted in fixed windows (twice as many pass around the turn of one), on each Kong node by itself"


def _requests(product: Product, operations: Sequence[Operation]) -> Iterator[str]:
    if any(operation.media_types for operation in operations):
        yield "requestBody: media types are not checked, so there is no 415"
    if unusual := sorted({operation.method.upper() for operation in operations} - set(METHODS)):
        yield f"paths: nginx refuses {', '.join(unusual)} itself"
    yield "timeouts: counted from byte to byte, not for the whole answer"
    if product.retries:
        yield "retries: only GET and HEAD are tried again, others not even where they surely never arrived"
    if product.cors:
        yield "cors: every path says that all methods are allowed; an only origin is told to every page"
    yield "edge: escaped slashes, odd header names, slow or large heads are up to kong.conf, for all products together"


def _answers() -> Iterator[str]:
    yield 'errors: only 405 is a problem document (without trace_id); all others have Kong\'s form, {"message": ...}'
    yield "log: Kong's access log has whole paths and queries, which may name people and cars: see proxy_access_log"
    yield "X-Request-Id: one that a caller sends is kept as it is"


def _upstreams(product: Product, placement: Placement) -> Iterator[str]:
    backends = {version: placement.versions[version] for version in product.versions}
    for version, backend in backends.items():
        if sockets := [upstream.socket for upstream in backend.upstreams if upstream.socket]:
            yield f"versions.{version}: Kong can't reach {', '.join(sockets)}; give the version a TCP address"
    tls = {backend.tls for backend in backends.values()}
    for ca in sorted({each.ca for each in tls if each}):
        yield f"tls: add {ca} as a CA certificate, and name its id in `ca_certificates` of each service"
    if tls != {None}:
        yield "tls: upstreams see the name in their certificate as Host, not the one that the caller asked for"
    if len(tls) > 1:
        yield "tls: versions differ in TLS or in the name of their certificate, which Kong treats all as one"
    yield "breakers: open connections and requests are not limited"
    if product.health is None:
        yield "outliers: no address is left out, for Kong would never take it back; a `health` path would change that"
    else:
        yield "outliers: Kong counts failures in its own way; an address comes back when its health path answers"
    yield "split: stands in the weights of addresses; after it changes, export and sync again"


def _places(placement: Placement) -> Iterator[str]:
    yield f"listen: {placement.listen} is up to proxy_listen in kong.conf"
    if not placement.hosts:
        yield "hosts: none are named, so these paths are served under every name that this Kong has"
    if tls := placement.tls:
        yield f"tls: add the certificate {tls.certificate} and its key to Kong yourself; no key is written here"
        if tls.client_ca:
            yield f"tls: callers are not asked for a certificate of {tls.client_ca}; open-source Kong can't"
    if placement.trusted_proxies:
        yield f"trusted_proxies: {placement.trusted_proxies} is up to trusted_ips and real_ip_recursive in kong.conf"
    if placement.tracing:
        yield "tracing: spans are made only with tracing_instrumentations in kong.conf"
    else:
        yield "tracing: no trace is begun where a caller sends none"


def _said(limit: Limit) -> str:
    return f"{limit.requests} requests in {limit.per} s"
