"""The operations on vehicles, and the catalog: what a person may use, and what can be asked for at all."""

from collections.abc import Callable

from starlette.responses import Response

from outrider.adapters.api import views
from outrider.adapters.api.call import Call
from outrider.adapters.api.resource import answer, page
from outrider.domain.catalog import Catalog
from outrider.domain.registry import VIN
from outrider.services.creation import Creation


class Vehicles:
    """Vehicles as those see them who may use them."""

    def __init__(self, creation: Creation, catalog: Callable[[], Catalog], clock: Callable[[], float]) -> None:
        self._creation = creation
        self._catalog = catalog
        self._clock = clock

    async def list(self, call: Call) -> Response:
        query = call.query("cursor", "limit")
        limit, after = query.limit(), query.cursor(VIN) or ""
        found = await self._creation.vehicles(call.caller.person, after, limit + 1)
        now, catalog = self._clock(), self._catalog()
        return page(found, limit, lambda each: each.vin, lambda each: views.vehicle(each, catalog, now))

    async def show(self, call: Call) -> Response:
        record, services = await self._creation.vehicle(call.caller.person, call.path["vin"])
        return answer(views.vehicle_with_services(record, services, self._catalog(), self._clock()))

    async def catalog(self, call: Call) -> Response:
        return answer(views.catalog(self._catalog()))
