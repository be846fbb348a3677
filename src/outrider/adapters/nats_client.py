"""What must be known of nats-py to rely on it."""

from nats.aio.client import Client


async def flushed(connection: Client) -> None:
    """Return when the server knows of every subscription made so far.

    nats-py's `flush` lets its PING overtake what waits to be sent (2.16); only a second one comes after that.
    """
    await connection.flush()
    await connection.flush()
