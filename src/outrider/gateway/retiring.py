"""Taking a product out of service: its gateway ends in order, and all that is kept of it is put aside.

The name is free again afterwards, and a product that is published under it begins with release 1: what is put aside
belongs to a life that is over.
"""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from outrider.gateway.draining import GRACE, drain
from outrider.gateway.envoy import Admin, NotAnswering, NotRunning
from outrider.gateway.faults import Refused
from outrider.gateway.store import Instance, ProductState

_ENDS_WITHIN = 5.0
_LOOK_EVERY = 0.02


async def retire(product: ProductState, *, stop: bool, now: datetime, grace: float = GRACE) -> Path:
    """Put a product aside; the folder that has it then. Refused while its gateway runs, unless it is to be stopped."""
    if product.live() is None and product.journal() is None:
        product.published()  # says that it is not
    async with product.locked():
        running = [instance for instance in product.instances() if await instance.admin.live()]
        if running and not stop:
            raise Refused(f"{product.name}: its gateway runs; --now drains it and stops it")
        await asyncio.gather(*(drain(instance.admin, grace=grace) for instance in running))
        # First this, then the end: whoever watches a gateway starts it again as long as it is published.
        aside = product.put_aside(f"{product.name}-{now.astimezone(UTC):%Y%m%dT%H%M%S.%f}")
        for instance in running:
            await _end(Instance(aside / "instances" / instance.folder.name).admin)
    return aside


async def _end(admin: Admin) -> None:
    try:
        await admin.post("/quitquitquit")
    except (NotRunning, NotAnswering):
        return
    ends = time.monotonic() + _ENDS_WITHIN
    while await admin.live() and time.monotonic() < ends:
        await asyncio.sleep(_LOOK_EVERY)
