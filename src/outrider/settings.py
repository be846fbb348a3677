"""Settings: plain values, read once at the edge (options and environment variables of the CLI)."""

from pathlib import Path

import msgspec

from outrider.common.ports import LOOPBACK, Address

DAY = 86_400.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may choose. Port 0: any free one, which is then kept for NATS, MQTT and the gateway.

    gateway: it listens at `http_listen`, with TLS if there is a certificate, and the API behind it; else the API itself
    does. nats_url: an existing NATS instead of the built-in one. jwks: file or URL of the keys that tokens are signed
    with (None: the development key of the data folder). keep_for: seconds after which settled commands are purged.
    """

    data: Path = Path(".outrider")
    http_listen: Address = Address(LOOPBACK, 8080)
    gateway: bool = True
    tls_cert: Path | None = None
    tls_key: Path | None = None
    nats_url: str | None = None
    nats_listen: Address = Address(LOOPBACK, 0)
    mqtt_listen: Address = Address(LOOPBACK, 1883)
    mqtt_tls_cert: Path | None = None
    mqtt_tls_key: Path | None = None
    catalog: tuple[Path, ...] = ()
    issuer: str = "outrider"
    audience: str = "outrider"
    jwks: str | None = None
    keep_for: float = 90 * DAY

    @property
    def database(self) -> Path:
        return self.data / "outrider.db"

    @property
    def keys(self) -> Path:
        return self.data / "keys"
