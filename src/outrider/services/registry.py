"""The registry: vehicles, the credentials that they connect with, and the grants of those who may use them."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from outrider.common.ids import uuid7
from outrider.domain.catalog import Catalog, Complaint, Risk
from outrider.domain.errors import (
    CredentialUnknown,
    GrantUnknown,
    ModelUnknown,
    TemporarilyUnavailable,
    VehicleExists,
    VehicleUnknown,
    WrongParameter,
)
from outrider.domain.registry import FOREVER, Credential, Grant, VehicleRecord
from outrider.services.admission import credential_hash, new_credential, shown
from outrider.services.needs import RegistryStore

log = structlog.get_logger()


class Registry:
    """What administrators do. `revoked(vin)` is told when a vehicle's credential ends, to end its connection too."""

    def __init__(
        self,
        store: RegistryStore,
        catalog: Callable[[], Catalog],
        revoked: Callable[[str], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._revoked = revoked
        self._clock = clock

    async def vehicles(self, after: str, limit: int) -> list[VehicleRecord]:
        """Every vehicle, by VIN."""
        return await self._store.vehicles(None, self._clock(), after, limit)

    async def vehicle(self, vin: str) -> VehicleRecord:
        """One vehicle, whoever may use it. Raises VehicleUnknown."""
        vehicle = await self._store.vehicle(vin)
        if vehicle is None:
            raise VehicleUnknown(f"{vin} is not registered.")
        return vehicle

    async def add_vehicle(self, vin: str, model: str) -> VehicleRecord:
        """Register a vehicle. Raises ModelUnknown, VehicleExists."""
        if model not in self._catalog().models:
            known = ", ".join(sorted(self._catalog().models))
            raise ModelUnknown(f"There is no model {model!r}. Known: {known}.")
        if not await self._store.add_vehicle(vin, model, self._clock()):
            raise VehicleExists(f"{vin} is registered already.")
        return await self.vehicle(vin)

    async def add_credential(self, vin: str) -> tuple[Credential, str]:
        """A new credential and its secret, which is shown this once. Others of the vehicle stay valid."""
        await self.vehicle(vin)
        now, secret = self._clock(), new_credential()
        credential = Credential(id=uuid7(now), vin=vin, created_at=now)
        await self._store.add_credential(credential, credential_hash(secret))
        return credential, secret

    async def credentials(self, vin: str, after: str, limit: int) -> list[Credential]:
        """A vehicle's credentials behind an id, the oldest first, ended ones too."""
        await self.vehicle(vin)
        return await self._store.credentials(vin, after, limit)

    async def revoke_credential(self, vin: str, credential_id: str) -> Credential:
        """End a credential and the connection that may use it.

        Raises CredentialUnknown, and TemporarilyUnavailable where the connection could not be ended: ask again.
        """
        credential = await self._store.revoke_credential(vin, credential_id, self._clock())
        if credential is None:
            raise CredentialUnknown(f"{vin} has no credential {credential_id}.")
        try:
            await self._revoked(vin)
        except Exception as error:
            log.warning("connection_not_ended", vehicle=shown(vin), error=type(error).__name__)
            raise TemporarilyUnavailable(
                "The credential is revoked, but a connection made with it may still be open. Ask again.",
                retry_after=2,
                may_have_happened=True,
            ) from error
        return credential

    async def grants(self, vin: str, after: str, limit: int) -> list[Grant]:
        """A vehicle's grants behind an id, the oldest first, ended ones too."""
        await self.vehicle(vin)
        return await self._store.grants_of_vehicle(vin, after, limit)

    async def add_grant(self, vin: str, person: str, risks: Sequence[Risk], until: float | None, by: str) -> Grant:
        """Let a person use a vehicle for some risk classes, until a time (None: without end).

        Raises VehicleUnknown, WrongParameter for an end in the past.
        """
        await self.vehicle(vin)
        now = self._clock()
        if until is not None and until <= now:
            past = Complaint(field="until", message="must be in the future")
            raise WrongParameter("A grant must end in the future.", errors=[past])
        grant = Grant(
            id=uuid7(now),
            person=person,
            vin=vin,
            risks=tuple(dict.fromkeys(risks)),
            until=FOREVER if until is None else min(until, FOREVER),
            created_at=now,
            created_by=by,
        )
        await self._store.add_grant(grant)
        return grant

    async def end_grant(self, grant_id: str) -> Grant:
        """End a grant now; commands of that person that were not sent are withdrawn. Raises GrantUnknown."""
        grant = await self._store.end_grant(grant_id, self._clock())
        if grant is None:
            raise GrantUnknown(f"There is no grant {grant_id}.")
        return grant
