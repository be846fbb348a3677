"""Who asks. A gateway lets one person make so many requests in a second, so a load is spread over several.

Every vehicle has its own persons, who may use it; most have one, and only with many more persons than vehicles several.
"""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle, islice

import msgspec

from outrider.cli.client import OPERATOR, Platform, Target, connected, side_by_side
from outrider.cli.sim import registered_cars
from outrider.cli.vehicle import add_grant
from outrider.simulator.driver import Car

REQUESTS_EACH = 40.0
"""Requests per second of one person: with room below the limit, for turns are not quite even."""
AT_LEAST = 10
"""Persons, so that preparing and asking afterwards, which is as quick as can be, is spread too."""


def names(rate: float) -> list[str]:
    """The persons that so many requests per second need."""
    count = max(AT_LEAST, math.ceil(rate / REQUESTS_EACH))
    return [f"{OPERATOR}-{number}" for number in range(1, count + 1)]


class Crew:
    """The persons, each as a platform that is asked by them, and whose vehicle is whose."""

    def __init__(self, members: Sequence[Platform], vins: Sequence[str]) -> None:
        self.members = members
        each = math.ceil(len(members) / len(vins))
        turn = cycle(members)
        self.of: Mapping[str, Sequence[Platform]] = {vin: list(islice(turn, each)) for vin in vins}

    async def register(self, models: Mapping[str, str]) -> list[Car]:
        """The cars, registered where they were not yet, with credentials, usable by their persons; in this order."""
        cars = await registered_cars(self.members[0], models, {vin: members[0] for vin, members in self.of.items()})
        missing: list[tuple[Platform, str]] = []

        async def look(member: Platform) -> None:
            usable = {vehicle["vin"] async for vehicle in member.items("/v1/vehicles")}
            missing.extend((member, vin) for vin in models if member in self.of[vin] and vin not in usable)

        async def grant(to: tuple[Platform, str]) -> None:
            member, vin = to
            await add_grant(member, vin, member.person, "all")

        await side_by_side(look, self.members)
        await side_by_side(grant, missing)
        return cars


@asynccontextmanager
async def crew(target: Target, rate: float, vins: Sequence[str]) -> AsyncIterator[Crew]:
    """As many as this rate needs, with tokens of the folder's key; with a token that was given, its person alone."""
    async with AsyncExitStack() as stack:
        members = [
            await stack.enter_async_context(connected(msgspec.structs.replace(target, token=target.bearer(name))))
            for name in (names(rate) if target.token is None else [OPERATOR])
        ]
        yield Crew(members, vins)
