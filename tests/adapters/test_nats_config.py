"""The configuration as nats-server reads it; the goldens are files in `nats_config/`."""

import os
import stat
import subprocess
from pathlib import Path

import nkeys
import pytest

from outrider.adapters.nats_config import NatsConfig, NatsKeys, Tls, embedded, external, keys_of
from outrider.adapters.nats_server import find_binary
from outrider.common.ports import Address

GOLDENS = Path(__file__).parent / "nats_config"
KEYS = NatsKeys(
    issuer_seed=nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_ACCOUNT).decode(),
    outrider="outrider-password",
    admission="admission-password",
    system="system-password",
)
PLAIN = NatsConfig(
    server_name="outrider",
    listen=Address("127.0.0.1", 4222),
    mqtt_listen=Address("127.0.0.1", 1883),
    store_dir=Path("/data/nats/jetstream"),
    log_file=Path("/data/nats/nats.log"),
    keys=KEYS,
)
FOR_REAL_CARS = NatsConfig(
    server_name="outrider",
    listen=Address("127.0.0.1", 4222),
    mqtt_listen=Address("0.0.0.0", 8883),
    mqtt_tls=Tls(cert=Path("/tls/server.pem"), key=Path('/tls/a "quoted" folder/server.key')),
    monitor=Address("127.0.0.1", 8222),
    store_dir=Path("/data/nats/jetstream"),
    log_file=Path("/data/nats/nats.log"),
    keys=KEYS,
)


@pytest.mark.parametrize(
    ("golden", "text"),
    [
        ("plain.conf", embedded(PLAIN)),
        ("for-real-cars.conf", embedded(FOR_REAL_CARS)),
        ("external.conf", external(KEYS)),
    ],
)
def test_the_configuration_is_what_the_golden_shows(golden: str, text: str) -> None:
    """A change in what the server is told is seen as the server would see it (OUTRIDER_GOLDENS=write renews them)."""
    file = GOLDENS / golden
    if os.environ.get("OUTRIDER_GOLDENS") == "write":
        file.write_text(text)

    assert text == file.read_text()


def test_the_text_for_an_existing_nats_is_understood_by_the_server(tmp_path: Path) -> None:
    """What `outrider nats-config` prints is a configuration that nats-server accepts."""
    file = tmp_path / "external.conf"
    # The check opens certificates; that they exist is the operator's part.
    file.write_text("".join(line for line in external(KEYS).splitlines(True) if "cert_file" not in line))

    checked = subprocess.run([find_binary(), "-t", "-c", file], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    """The secrets of a data folder are its own, survive a restart, and nobody else can read them."""
    file = tmp_path / "keys" / "nats.json"

    keys = keys_of(file)

    assert keys_of(file) == keys
    assert keys_of(tmp_path / "other" / "nats.json") != keys
    assert len({keys.outrider, keys.admission, keys.system, keys.issuer_seed}) == 4
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert os.listdir(file.parent) == ["nats.json"]
