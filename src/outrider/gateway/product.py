"""What a product is: the half of a gateway that its team owns and that is the same in every environment.

`product.yaml` says it; `schema/product.json` checks its form, `reading.py` reads it. Times are seconds, sizes bytes.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from outrider.common.words import keep_printable


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most `requests` in `per` seconds. The bucket holds so many at once and fills evenly."""

    requests: int
    per: int = 1


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many requests each person (verified `sub`), each client address (where nobody is known) and the whole
    product may make. `headers`: tell them by X-RateLimit headers; off where the upstream sends its own.
    """

    person: Limit = Limit(requests=50)
    client: Limit = Limit(requests=20)
    product: Limit = Limit(requests=5000)
    headers: bool = True


class Cors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which web pages may call the product from a browser. `origin_patterns` are RE2 and match the whole origin."""

    origins: tuple[str, ...] = ()
    origin_patterns: tuple[str, ...] = ()
    headers: tuple[str, ...] = ("authorization", "content-type", "idempotency-key", "prefer", "traceparent")
    expose: tuple[str, ...] = ("location", "retry-after", "x-request-id")
    credentials: bool = False
    max_age: int = 600


class Breakers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one version may have open at once; what is beyond gets a 503 at once instead of waiting."""

    connections: int = 1024
    pending: int = 256
    requests: int = 1024


class Health(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each upstream address is asked at `path`; 200 is healthy. Two noes take it out, one yes brings it back."""

    path: str
    every: float = 2.0
    within: float = 1.0


class Outliers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address that answers `after` times in a row with 5xx is left out for `out_for` seconds, then longer.

    The last address of a version stays, for leaving it out would be an outage for all.
    """

    after: int = 5
    out_for: float = 5.0


class Exemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that the rules forbid and that is let pass, for a time.

    place: a JSON pointer such as `#/paths/~1v1~1stations/get`; what is below it is meant too. owner: who has asked for
    it and mends it. approver: who has said yes. until: the last day. signature: the approver's own (a detached JWS).
    """

    rule: str
    place: str
    owner: str
    approver: str
    reason: str
    until: date
    signature: str = ""

    def __post_init__(self) -> None:
        keep_printable(self, "rule", "place", "owner", "approver", "reason")


class Waiver(Exemption, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lets findings of one rule pass."""


class Approval(Exemption, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lets breaking changes of one kind pass; `rule` is oasdiff's id of it."""


class Product(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product, as its team declares it.

    owner: the team. versions: names of deployed upstreams; where each one is, the environment says. audiences: for whom
    a token must be. body_limit: largest request body. timeout: seconds in which an answer must be complete, unless
    `timeouts` has the operation (0: no limit). retries: how often a request is tried again where nothing can have
    happened twice. waivers, approvals: what it asks to be exempt from; whether they count, governance says.
    """

    name: str
    owner: str
    contact: str = ""
    versions: tuple[str, ...]
    audiences: tuple[str, ...]
    limits: Limits = Limits()
    body_limit: int = 1024 * 1024
    timeout: float = 5.0
    timeouts: Mapping[str, float] = {}
    cors: Cors | None = None
    retries: int = 1
    breakers: Breakers = Breakers()
    health: Health | None = None
    outliers: Outliers = Outliers()
    waivers: tuple[Waiver, ...] = ()
    approvals: tuple[Approval, ...] = ()

    def timeout_of(self, operation: "Operation") -> float:
        """Seconds in which the operation's answer must be complete; 0: no limit."""
        return self.timeouts.get(operation.id, 0.0 if operation.streams else self.timeout)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the product's OpenAPI document, as far as a gateway acts on it.

    path: the template as the document has it; the path of `servers` is not put before it. scopes: alternatives, in each
    of which all scopes are needed; empty with `public`. media_types: what a request body may be, such as `image/*`;
    empty: it has none, and none is checked. streams: an answer may be `text/event-stream`. deprecated_since, sunset:
    RFC 3339 dates, if the document has them.
    """

    id: str
    method: str
    path: str
    summary: str = ""
    public: bool = False
    scopes: tuple[tuple[str, ...], ...] = ()
    media_types: tuple[str, ...] = ()
    streams: bool = False
    deprecated: bool = False
    deprecated_since: str | None = None
    sunset: str | None = None
