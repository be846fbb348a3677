"""The operations of administrators: vehicles, credentials, grants, dead letters."""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from starlette.responses import Response

from outrider.adapters.api import views
from outrider.adapters.api.call import Call, wrong
from outrider.adapters.api.resource import answer, page
from outrider.domain.catalog import Catalog, Risk
from outrider.domain.messages import DeadLetter
from outrider.domain.registry import PERSON, VIN
from outrider.services.registry import Registry

Letters = Callable[[str | None, int], Awaitable[Sequence[DeadLetter]]]
"""The latest dead letters, of one vehicle or of all (None), at most so many."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

VIN_IN_WORDS = "must have 17 characters: digits and capital letters except I, O and Q, the last four of them digits"
PERSON_IN_WORDS = "must have 1 to 128 characters, none of them a control character"


class _Vehicle(msgspec.Struct, forbid_unknown_fields=True):
    vin: str
    model: str


class _Grant(msgspec.Struct, forbid_unknown_fields=True):
    person: str
    risks: Annotated[list[Risk], msgspec.Meta(min_length=1, max_length=len(Risk))]
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


_vehicle = msgspec.json.Decoder(_Vehicle)
_grant = msgspec.json.Decoder(_Grant)
_nothing = msgspec.json.Decoder(_Nothing)


class Admin:
    """What only the scope `admin` allows."""

    def __init__(
        self, registry: Registry, letters: Letters, catalog: Callable[[], Catalog], clock: Callable[[], float]
    ) -> None:
        self._registry = registry
        self._letters = letters
        self._catalog = catalog
        self._clock = clock

    async def vehicles(self, call: Call) -> Response:
        query = call.query("cursor", "limit")
        limit, after = query.limit(), query.cursor(VIN) or ""
        found = await self._registry.vehicles(after, limit + 1)
        now, catalog = self._clock(), self._catalog()
        return page(found, limit, lambda each: each.vin, lambda each: views.registered_vehicle(each, catalog, now))

    async def add_vehicle(self, call: Call) -> Response:
        asked = await call.decoded(_vehicle)
        if not VIN.fullmatch(asked.vin):
            raise wrong("vin", VIN_IN_WORDS)
        record = await self._registry.add_vehicle(asked.vin, asked.model)
        shown = views.registered_vehicle(record, self._catalog(), self._clock())
        return answer(shown, 201, {"Location": f"/v1/admin/vehicles/{record.vin}"})

    async def vehicle(self, call: Call) -> Response:
        record = await self._registry.vehicle(call.path["vin"])
        return answer(views.registered_vehicle(record, self._catalog(), self._clock()))

    async def credentials(self, call: Call) -> Response:
        query = call.query("cursor", "limit")
        limit, after = query.limit(), query.cursor(_ID) or ""
        found = await self._registry.credentials(call.path["vin"], after, limit + 1)
        return page(found, limit, lambda each: each.id, views.credential)

    async def add_credential(self, call: Call) -> Response:
        await call.decoded(_nothing, empty=b"{}")
        credential, secret = await self._registry.add_credential(call.path["vin"])
        return answer(views.new_credential(credential, secret), 201)

    async def revoke_credential(self, call: Call) -> Response:
        return answer(views.credential(await self._registry.revoke_credential(call.path["vin"], call.path["id"])))

    async def grants(self, call: Call) -> Response:
        query = call.query("cursor", "limit")
        limit, after = query.limit(), query.cursor(_ID) or ""
        found = await self._registry.grants(call.path["vin"], after, limit + 1)
        return page(found, limit, lambda each: each.id, views.grant)

    async def add_grant(self, call: Call) -> Response:
        asked = await call.decoded(_grant)
        if not PERSON.fullmatch(asked.person):
            raise wrong("person", PERSON_IN_WORDS)
        until = None if asked.until is None else asked.until.timestamp()
        by = call.caller.person
        return answer(
            views.grant(await self._registry.add_grant(call.path["vin"], asked.person, asked.risks, until, by)), 201
        )

    async def end_grant(self, call: Call) -> Response:
        return answer(views.grant(await self._registry.end_grant(call.path["id"])))

    async def dead_letters(self, call: Call) -> Response:
        query = call.query("vin", "limit")
        vin = query.one("vin", VIN, VIN_IN_WORDS)
        found = await self._letters(vin, query.limit())
        return answer({"items": [views.dead_letter(letter) for letter in found], "next": None})
