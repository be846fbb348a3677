"""A nats-server with an MQTT listener for the simulator's tests, with no platform behind it."""

import asyncio
import os
from pathlib import Path

from outrider.adapters.nats_server import find_binary
from outrider.common.ports import free_ports

CREDENTIAL = "a credential"
CONFIG = """
listen: "127.0.0.1:{nats}"
server_name: "garage"
jetstream {{ store_dir: "{folder}", max_mem: 64M, max_file: 256M }}
mqtt {{ listen: "127.0.0.1:{mqtt}" }}
accounts {{ GARAGE {{ jetstream: enabled, users: [
  {{ user: backend, password: backend }},
  {{ user: "{vin}", password: "{credential}", permissions: {{
    publish: ["outrider.v1.*.answer", "outrider.v1.*.state", "outrider.v1.*.presence"],
    subscribe: ["outrider.v1.*.command"] }} }} ] }} }}
"""


class Broker:
    """The server as a child process. Its ports stay the same when it is started again."""

    def __init__(self, folder: Path, vin: str) -> None:
        self.nats_port, self.mqtt_port = free_ports(2)
        self.url = f"nats://backend:backend@127.0.0.1:{self.nats_port}"
        self._config = folder / "nats.conf"
        self._config.write_text(
            CONFIG.format(
                nats=self.nats_port, mqtt=self.mqtt_port, folder=folder / "js", vin=vin, credential=CREDENTIAL
            )
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and wait until the MQTT listener answers."""
        self._process = await asyncio.create_subprocess_exec(
            find_binary(), "-c", os.fspath(self._config), stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.mqtt_port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
