"""A gateway stopped, or handed over to its next Envoy, by whoever asks for it; a watcher need not be there.

One that is there follows the record: what was stopped stays so, what was handed over is watched from then on.
"""

import asyncio
import os
from collections.abc import Sequence

import msgspec

from outrider.common.child import Child
from outrider.gateway import envoy, generations, users
from outrider.gateway.configuration import static_form
from outrider.gateway.draining import GRACE, HAND_OVER_GRACE
from outrider.gateway.generations import Generation
from outrider.gateway.release import Release
from outrider.gateway.starting import bring_up
from outrider.gateway.store import Instance, ProductState, State
from outrider.gateway.switching import finish


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """Which process serves now. before: which ones did, and are to be dismissed; none: it did not run."""

    pid: int
    before: tuple[Generation, ...]


async def stop(product: ProductState, grace: float = GRACE) -> list[int]:
    """Let what is under way finish, at most for `grace` seconds, and end all of it: the processes that there were."""
    found = [(instance, one) for instance in product.instances() for one in _running(instance)]
    for instance in product.instances():
        instance.set_process(None)  # first: what is recorded to serve is started again when it ends
    await asyncio.gather(*(generations.dismiss(instance, one, grace=grace) for instance, one in found))
    return [one.process.pid for _, one in found]


async def restart(product: ProductState, *, own_users: bool = True) -> HandedOver:
    """Start the next Envoy, as whoever ran the present one; new connections are its own when this returns.

    The present one serves what it has begun until it is dismissed. Raises Refused, ChildError, NoEnvoy; whatever serves
    goes on then, so also where a certificate was broken since it was loaded.
    """
    instance = product.instance()
    async with product.locked():
        live = product.published()
        release = product.release(live.release)
        await envoy.validate(static_form(release, live.split, None))
        answers = await generations.serving(instance, _running(instance))
        found = _running(instance)  # that takes seconds where one hangs, and whoever watches may have replaced it
        serves = next((one for one in found if answers and one.number == answers.number), None)
        if serves:
            await finish(product)
            child, _ = await generations.succeed(instance, serves)
        else:
            child = await _bring_up(product, release, found, own_users)
        await child.unwatch()
    assert child.process
    return HandedOver(pid=child.process.pid, before=tuple(found))


async def _bring_up(product: ProductState, release: Release, found: Sequence[Generation], own_users: bool) -> Child:
    instance = product.instance()
    before = generations.recorded(instance)
    instance.set_process(None)  # as in `stop`: else one that hangs is started again by its watcher when it ends here
    try:
        user = found[-1].user if found else os.geteuid()
        if own_users and not found:
            user = users.choose(State(product.folder.parent), [(product, release.placement)]).get(product.name, user)
        return (await bring_up(product, found, user))[0]
    except BaseException:
        if before:
            instance.set_process(before)
        raise


async def dismiss(product: ProductState, before: HandedOver, grace: float = HAND_OVER_GRACE) -> None:
    """Let those that served before finish, and end them."""
    instance = product.instance()
    await asyncio.gather(*(generations.dismiss(instance, one, grace=grace, succeeded=True) for one in before.before))


def _running(instance: Instance) -> list[Generation]:
    return generations.find([instance]).get(instance.folder, [])
