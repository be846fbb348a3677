"""Many simulated vehicles in one event loop: start them at a bounded rate, wait for them, trouble them, stop them."""

import asyncio
from collections.abc import Iterable, Mapping

from outrider.domain.catalog import Catalog
from outrider.simulator.driver import KEEPALIVE, Car, Driver, Gate
from outrider.simulator.record import Record
from outrider.simulator.vehicle import Vehicle


def vins(n: int, start: int = 0) -> list[str]:
    """`n` distinct valid VINs of a maker that does not exist; `start` is the first serial number."""
    return [f"0UTR1DERS{serial:08}" for serial in range(start, start + n)]


def online_within(cars: int) -> float:
    """Seconds that so many cars may take to come online, on a busy machine too: some, and some more for each."""
    return 20.0 + 0.02 * cars


class Fleet:
    """A running fleet. Make it with `start`, end it with `stop`."""

    def __init__(self, drivers: Iterable[Driver]) -> None:
        self._drivers = {driver.car.vin: driver for driver in drivers}
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def start(
        cls,
        host: str,
        port: int,
        cars: Iterable[Car],
        catalog: Catalog,
        *,
        pace: float = 1.0,
        record: Record | None = None,
        ramp: float = 1000.0,
    ) -> "Fleet":
        """Send the cars on their way; does not wait for them. `ramp`: connections per second, at most.

        Raises `KeyError` for a model that the catalog does not have.
        """
        drivers = [
            Driver(
                car,
                Vehicle(
                    car.vin,
                    catalog.models[car.model],
                    catalog.services,
                    behaviour=car.behaviour,
                    clock_offset=car.clock_offset,
                    pace=pace,
                ),
                record,
            )
            for car in cars
        ]
        fleet = cls(drivers)
        gate = Gate(ramp)
        fleet._tasks = [asyncio.create_task(driver.drive(host, port, gate)) for driver in drivers]
        fleet._tasks.append(asyncio.create_task(fleet._breathe()))
        return fleet

    async def wait_online(self, timeout: float, vins: Iterable[str] | None = None) -> None:
        """Wait until these vehicles (None: all) are online. Raises `TimeoutError`: how many are not, and why."""
        drivers = self._drivers.values() if vins is None else [self._drivers[vin] for vin in vins]
        try:
            async with asyncio.timeout(timeout):
                for driver in drivers:
                    await driver.online.wait()
        except TimeoutError:
            missing = [driver for driver in drivers if not driver.online.is_set()]
            if missing:
                raise TimeoutError(
                    f"{len(missing)} of {len(drivers)} vehicles are not online after {timeout:g} s; "
                    f"{missing[0].car.vin}: {missing[0].trouble}"
                ) from None

    def online(self) -> list[str]:
        """The VINs that are online now."""
        return [vin for vin, driver in self._drivers.items() if driver.online.is_set()]

    def signals(self, vin: str) -> Mapping[str, object]:
        """What this vehicle's signals are now, seen from within."""
        return self._drivers[vin].vehicle.signals

    def drop(self, vin: str) -> None:
        """Cut one vehicle's wire without a word; the broker publishes its will, and it comes back by itself."""
        connection = self._drivers[vin].connection
        if connection is not None:
            connection.drop()

    def reboot(self, vin: str) -> None:
        """Take one vehicle's power away for a moment."""
        self._drivers[vin].reboot()

    async def stop(self) -> None:
        """Every vehicle says goodbye and is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(driver.leave() for driver in self._drivers.values()))

    async def _breathe(self) -> None:
        """One timer for all: a task for each vehicle would cost more than its messages."""
        while True:
            await asyncio.sleep(KEEPALIVE / 6)
            now = asyncio.get_running_loop().time()
            for driver in self._drivers.values():
                driver.breathe(now)
