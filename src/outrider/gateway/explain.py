"""What the live release does with a request: which operation it is for, who may, what it is held to. Pure.

It needs nothing but a release and the split; what runs now is asked elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from outrider.gateway.compile.routes import IDLE_OPEN_END, retirement
from outrider.gateway.compile.token import CLOCK_SKEW
from outrider.gateway.matching import BadPath, Found, OtherMethods, Unpublished, match
from outrider.gateway.product import Limit, Operation, Product
from outrider.gateway.release import Release, Split


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the product, and how much of the traffic it gets."""

    version: str
    percent: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a request for an operation is held to. Times are seconds, sizes bytes; timeout 0: none.

    scopes: alternatives, in each of which all are needed. limits: by whom they are counted.
    """

    path: str
    public: bool
    issuer: str | None
    audiences: Sequence[str]
    scopes: Sequence[Sequence[str]]
    limits: Mapping[str, Limit]
    body_limit: int
    media_types: Sequence[str]
    timeout: float
    retries: int
    headers: Mapping[str, str]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a request. code: what the gateway itself answers; None: it goes on to `operation`.

    answers: by status code, when the gateway itself gives it all the same. allowed: methods, with 405. nearest:
    published paths, with 404. health: the path at which upstreams are asked; None: they are not asked.
    """

    product: str
    environment: str
    release: int
    method: str
    path: str
    code: int | None = None
    operation: str | None = None
    held: Held | None = None
    allowed: Sequence[str] = ()
    nearest: Sequence[str] = ()
    versions: Sequence[Share] = ()
    health: str | None = None
    answers: Mapping[str, Sequence[str]] = {}


def operation_of(release: Release, method: str, path: str) -> Operation | None:
    """The operation that a request is for, if it is for one."""
    found = match(release.operations, method, path)
    return found.operation if isinstance(found, Found) else None


def explain(release: Release, split: Split, method: str, path: str) -> Explained:
    """What the gateway does with such a request."""
    product = release.product
    said = Explained(
        product=product.name,
        environment=release.placement.environment,
        release=release.number,
        method=method.upper(),
        path=path,
        versions=[Share(version=name, percent=split.get(name, 0)) for name in product.versions],
        health=product.health.path if product.health else None,
    )
    match match(release.operations, method, path, preflights=product.cors is not None):
        case Found(operation):
            held, answers = _held(release, operation), _answers(release, operation)
            return msgspec.structs.replace(said, operation=operation.id, held=held, answers=answers)
        case OtherMethods(_, allowed):
            return msgspec.structs.replace(said, code=405, allowed=allowed)
        case Unpublished(nearest):
            return msgspec.structs.replace(said, code=404, nearest=nearest)
        case BadPath():
            return msgspec.structs.replace(said, code=400)


def _held(release: Release, operation: Operation) -> Held:
    product, issuer = release.product, release.placement.issuer
    asks = not operation.public
    return Held(
        path=operation.path,
        public=operation.public,
        issuer=issuer.issuer if issuer and asks else None,
        audiences=product.audiences if asks else (),
        scopes=operation.scopes if asks else (),
        limits=_limits(product, operation),
        body_limit=product.body_limit,
        media_types=operation.media_types,
        timeout=product.timeout_of(operation),
        retries=product.retries,
        headers=retirement(operation),
    )


def _limits(product: Product, operation: Operation) -> dict[str, Limit]:
    limits = product.limits
    return {**({"client": limits.client} if operation.public else {"person": limits.person}), "product": limits.product}


def _answers(release: Release, operation: Operation) -> dict[str, Sequence[str]]:
    """General rules: each code that the gateway itself gives for this operation, and when."""
    answers = {
        "401": list(_unknown(release, operation)),
        "403": list(_not_allowed(operation)),
        "413": [f"its body has more than {release.product.body_limit} bytes"],
        "415": [f"its Content-Type is not {' or '.join(operation.media_types)}"] if operation.media_types else [],
        "421": [f"its Host is not {' or '.join(release.placement.hosts)}"] if release.placement.hosts else [],
        "429": list(_too_many(release.product, operation)),
        "502": ["the upstream's answer is not HTTP"],
        "503": list(_not_served(release.product)),
        "504": list(_too_late(release.product, operation)),
    }
    return {code: reasons for code, reasons in answers.items() if reasons}


def _unknown(release: Release, operation: Operation) -> Iterator[str]:
    if operation.public or release.placement.issuer is None:
        return
    yield "it has no token, or its `Authorization` is not `Bearer`, a blank and one token"
    yield f"its token is not signed with a current key of {release.placement.issuer.issuer} (`iss`)"
    yield f"its token is not for {' or '.join(release.product.audiences)} (`aud`)"
    yield f"its token has no `exp`, or expired more than {CLOCK_SKEW} s ago, or is not valid yet"


def _not_allowed(operation: Operation) -> Iterator[str]:
    if not operation.public and all(operation.scopes):
        yield f"its token does not have {scopes_said(operation.scopes)} (`scope`)"


def scopes_said(scopes: Sequence[Sequence[str]]) -> str:
    """Alternatives of scopes in words."""
    return " or ".join(" and ".join(alternative) for alternative in scopes)


def limit_said(limit: Limit) -> str:
    """A limit in words."""
    return f"{limit.requests} in {'a second' if limit.per == 1 else f'{limit.per} s'}"


def _too_many(product: Product, operation: Operation) -> Iterator[str]:
    limits = product.limits
    if operation.public:
        yield f"its client address makes more than {limit_said(limits.client)}"
    else:
        yield f"its person (`sub`) makes more than {limit_said(limits.person)}"
        yield f"it has no token, and its client address makes more than {limit_said(limits.client)}"
    yield f"all together make more than {limit_said(limits.product)}"


def _not_served(product: Product) -> Iterator[str]:
    breakers = product.breakers
    yield "no address of the version that it goes to is healthy"
    yield "the upstream can't be reached, or breaks off before it answers"
    yield (
        f"that version has {breakers.requests} requests or {breakers.connections} connections open and "
        f"{breakers.pending} waiting"
    )
    yield "the gateway itself is at its limit of memory"


def _too_late(product: Product, operation: Operation) -> Iterator[str]:
    timeout = product.timeout_of(operation)
    if timeout:
        yield f"the upstream's answer is not complete within {timeout:g} s"
    else:
        yield f"nothing is sent either way for {IDLE_OPEN_END:g} s before the answer begins"
