"""Links: the way to vehicles. The first is the MQTT gateway built into NATS.

A plain publish to the subject of a vehicle's topic reaches its QoS 0 subscription. It carries a reply subject, so that
NATS says at once when nobody listens: that is the proof that this attempt did not leave (law 9).
"""

from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg

from outrider.adapters import wire
from outrider.adapters.nats_client import flushed
from outrider.domain.messages import Dispatch

NotReachable = Callable[[str, str, int], Awaitable[None]]
"""Told with VIN, command id and attempt when nobody listened."""


class NatsLink:
    """Vehicles on the NATS server's own MQTT listener."""

    def __init__(self, client: Client) -> None:
        self._nc = client
        self._inbox = client.new_inbox()
        self._not_reachable: NotReachable | None = None

    async def start(self, not_reachable: NotReachable) -> None:
        """Listen for what did not leave, before anything is sent."""
        self._not_reachable = not_reachable
        await self._nc.subscribe(f"{self._inbox}.*.*.*", cb=self._on_reply)
        await flushed(self._nc)

    async def send(self, dispatch: Dispatch) -> None:
        """Give a message to the broker. What did not leave is in the reply subject, so nothing needs to be kept."""
        reply = f"{self._inbox}.{dispatch.vin}.{dispatch.command_id}.{dispatch.attempt}"
        await self._nc.publish(wire.command_subject(dispatch.vin), wire.order(dispatch), reply=reply)

    async def _on_reply(self, message: Msg) -> None:
        if self._not_reachable is None or not message.header or message.header.get("Status") != "503":
            return
        vin, command_id, attempt = message.subject.split(".")[-3:]
        await self._not_reachable(vin, command_id, int(attempt))
