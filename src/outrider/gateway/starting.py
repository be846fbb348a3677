"""A gateway that does not serve, brought up: by whoever watches it, or by hand."""

from collections.abc import Callable, Sequence

from outrider.common.child import Child
from outrider.gateway import generations, users
from outrider.gateway.configuration import configuration
from outrider.gateway.generations import Generation
from outrider.gateway.store import ProductState
from outrider.gateway.switching import finish, switch


async def bring_up(
    product: ProductState, found: Sequence[Generation], user: int, again: Callable[[], bool] = lambda: True
) -> tuple[Child, int]:
    """Start its next Envoy with what is live, as this user; to be called under the lock. found: those that run.

    Those that hang are ended. What lies on disk is what is live then, whoever has been at it. Raises as a switch and a
    start do.
    """
    instance = product.instance()
    await generations.end_silent(instance, found)
    await finish(product)
    live = product.published()
    await switch(instance, configuration(product.release(live.release), live.split))
    users.give(instance, user)
    return await generations.begin(instance, found, user, again)
