"""Outrider on an existing NATS, and cars that come from outside over TLS."""

import asyncio
import datetime
import ipaddress
import re
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outrider.adapters.nats_server import find_binary
from outrider.common.ports import LOOPBACK, Address, free_ports, is_listening
from outrider.simulator.fleet import vins
from tests.journeys.test_operating import of_folder, outrider
from tests.journeys.world import world
from tests.raw_mqtt import RawMqtt

(VIN,) = vins(1, start=990)


@asynccontextmanager
async def an_existing_nats(folder: Path, port: int, mqtt: int) -> AsyncIterator[None]:
    """A nats-server that an operator runs, told what `outrider nats-config` prints, with the marked lines changed."""
    told = outrider("nats-config", "--data", str(folder / "data")).stdout
    told = told.replace("/var/lib/nats", str(folder / "theirs"))
    told = re.sub(r"mqtt \{.*?\n\}", f'mqtt {{ listen: "{LOOPBACK}:{mqtt}" }}', told, flags=re.DOTALL)
    conf = folder / "theirs.conf"
    conf.write_text(f'server_name: theirs\nlisten: "{LOOPBACK}:{port}"\n{told}')
    process = subprocess.Popen([find_binary(), "-c", conf], stderr=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(10):
            while not await is_listening(Address(LOOPBACK, mqtt)):
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


async def test_an_existing_nats(tmp_path: Path) -> None:
    """With what `nats-config` prints, an existing NATS carries everything, and it outlives the platform."""
    port, mqtt = free_ports(2)
    async with (
        an_existing_nats(tmp_path, port, mqtt),
        world(tmp_path, "--nats", f"nats://{LOOPBACK}:{port}", mqtt=(LOOPBACK, mqtt)) as w,
    ):
        await w.car(VIN)

        assert (await w.until((await w.ask(VIN, "door-lock")).json()["id"]))["state"] == "executed"
        assert not (w.platform.data / "nats").exists()
        assert w.platform.stop() == 0
        assert await is_listening(Address(LOOPBACK, mqtt))
        await w.platform.start()
        assert (await w.until((await w.ask(VIN, "door-lock")).json()["id"]))["state"] == "executed"


async def test_cars_over_tls(tmp_path: Path) -> None:
    """With a certificate the MQTT listener speaks TLS and nothing else."""
    cert, key = certificate(tmp_path)
    async with world(tmp_path, "--mqtt-tls-cert", str(cert), "--mqtt-tls-key", str(key)) as w:
        secret = await w.add(VIN, "falcon-electric")
        broker = Address(*w.platform.mqtt)
        trusting = ssl.create_default_context(cafile=str(cert))

        car = await RawMqtt.connect(broker, VIN, VIN, secret, tls=trusting)

        assert car.accepted == 0
        assert await car.subscribe(f"outrider/v1/{VIN}/command") == 0


def test_half_a_certificate(tmp_path: Path) -> None:
    """A certificate without its key is refused before anything starts."""
    said = outrider("up", "--data", str(tmp_path / "data"), "--mqtt-tls-cert", "cert.pem")

    assert said.returncode == 2
    assert "go together" in said.stderr
    assert not (tmp_path / "data").exists()


async def test_an_address_that_is_taken(tmp_path: Path) -> None:
    """A port that someone holds: one line that names it and says what to do, and nothing is left running."""
    holder = await asyncio.start_server(lambda *_: None, LOOPBACK, 0)
    taken = holder.sockets[0].getsockname()[1]
    data = tmp_path / "data"

    said = await asyncio.to_thread(
        outrider, "up", "--data", str(data), "--listen", f"{LOOPBACK}:{taken}", "--mqtt-listen", f"{LOOPBACK}:0"
    )
    holder.close()

    assert said.returncode == 1
    assert f"{LOOPBACK}:{taken}" in said.stderr
    assert "--listen" in said.stderr
    assert "Traceback" not in said.stderr
    await asyncio.sleep(0.3)
    assert of_folder(data) == []


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LOOPBACK)])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
    signed = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, secret, serialization.NoEncryption()))
    return cert_file, key_file
