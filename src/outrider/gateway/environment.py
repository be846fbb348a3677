"""Where a product runs: the half of a gateway that the operator owns, one file for each environment.

`environments/NAME.yaml` says it for all products; a `Placement` is what it says for one. Times are seconds. File names
are absolute here: `reading.py` resolves them against the folder of the environment's file. Secrets are named by their
files and never written.
"""

from collections.abc import Mapping

import msgspec

from outrider.common.ports import Address


class KeySource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an issuer's public keys (JWKS) are: a file, or a URL, looked at every `refresh` seconds.

    Keys are no part of a release, so that a rollback never revives a withdrawn one.
    """

    file: str | None = None
    url: str | None = None
    ca: str | None = None
    refresh: float = 10.0


class Issuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose tokens are believed."""

    issuer: str
    jwks: KeySource


class ListenTls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The certificate that callers see. With `client_ca`, callers must show one of its certificates."""

    certificate: str
    key: str
    client_ca: str | None = None


class UpstreamTls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an upstream proves who it is: by a certificate of `ca` for the name `name`, which is also the SNI."""

    ca: str
    name: str


class Upstream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One address of a version: a TCP address (plain only on loopback), or a Unix socket."""

    address: Address | None = None
    socket: str | None = None


class Backend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deployed version: its addresses, and TLS to all of them."""

    upstreams: tuple[Upstream, ...]
    tls: UpstreamTls | None = None


class Tracing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where spans go (OTLP over HTTP), and how many of a hundred requests that nobody traces yet."""

    otlp: Address
    sample_percent: float = 1.0


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """One product in one environment.

    hosts: host names that are served; empty: any. stats: where Prometheus reads (loopback). trusted_proxies: how many
    proxies in front may be believed about the client's address (X-Forwarded-For).
    """

    environment: str
    listen: Address
    hosts: tuple[str, ...] = ()
    tls: ListenTls | None = None
    stats: Address | None = None
    issuer: Issuer | None = None
    trusted_proxies: int = 0
    tracing: Tracing | None = None
    versions: Mapping[str, Backend] = {}
