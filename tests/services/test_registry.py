from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.domain.catalog import Risk
from outrider.domain.errors import (
    CredentialUnknown,
    GrantUnknown,
    ModelUnknown,
    TemporarilyUnavailable,
    VehicleExists,
    VehicleUnknown,
    WrongParameter,
)
from outrider.domain.lane import Presence
from outrider.domain.lifecycle import State
from outrider.domain.messages import Accepted, TimePassed
from outrider.domain.registry import FOREVER
from outrider.services.admission import Admitted, Knock, Refused, admit
from tests.domain.lanes import NOW, VIN, birth, will
from tests.services.world import OTHER, UNKNOWN, World, world


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def knocks(here: World, secret: str, vin: str = VIN) -> bool:
    """Does admission let the vehicle in with this secret?"""
    verdict = await admit(Knock(protocol="mqtt", client_id=vin, user=vin, password=secret), here.store.valid_hashes)
    assert isinstance(verdict, Admitted | Refused)
    return isinstance(verdict, Admitted)


async def test_a_new_vehicle(here: World) -> None:
    """It has its model; of its connection nothing is known yet."""
    added = await here.registry.add_vehicle(UNKNOWN, "merlin-classic")

    assert (added.vin, added.model, added.added_at, added.presence) == (
        UNKNOWN,
        "merlin-classic",
        NOW,
        Presence.UNKNOWN,
    )
    assert await here.registry.vehicle(UNKNOWN) == added
    assert [v.vin for v in await here.registry.vehicles("", 9)] == [VIN, OTHER, UNKNOWN]


async def test_a_vehicle_needs_a_model_that_is_known(here: World) -> None:
    """The refusal lists those that there are; nothing is registered."""
    with pytest.raises(ModelUnknown, match="falcon-electric"):
        await here.registry.add_vehicle(UNKNOWN, "batmobile")

    with pytest.raises(VehicleUnknown):
        await here.registry.vehicle(UNKNOWN)


async def test_a_vehicle_is_registered_once(here: World) -> None:
    """The second time is refused and changes nothing."""
    with pytest.raises(VehicleExists):
        await here.registry.add_vehicle(VIN, "merlin-classic")

    assert (await here.registry.vehicle(VIN)).model == "falcon-electric"


async def test_a_credential_opens_the_door(here: World) -> None:
    """The secret is shown once and lets its own vehicle in; only its hash is kept."""
    credential, secret = await here.registry.add_credential(VIN)

    assert await knocks(here, secret)
    assert not await knocks(here, secret, OTHER)
    assert secret not in str(await here.store.valid_hashes(VIN))
    assert await here.registry.credentials(VIN, "", 9) == [credential]


async def test_a_credential_can_be_changed_without_a_gap(here: World) -> None:
    """Two are valid side by side until the older is revoked; then the connection is ended."""
    old, old_secret = await here.registry.add_credential(VIN)
    _, new_secret = await here.registry.add_credential(VIN)
    assert await knocks(here, old_secret)
    assert await knocks(here, new_secret)

    revoked = await here.registry.revoke_credential(VIN, old.id)

    assert revoked.revoked_at == NOW
    assert here.revoked == [VIN]
    assert not await knocks(here, old_secret)
    assert await knocks(here, new_secret)


async def test_a_connection_that_could_not_be_ended(here: World) -> None:
    """The credential is revoked, the caller is told to ask again, and asking again ends the connection."""
    credential, secret = await here.registry.add_credential(VIN)
    here.revoking_fails = True

    with pytest.raises(TemporarilyUnavailable) as refused:
        await here.registry.revoke_credential(VIN, credential.id)

    assert refused.value.may_have_happened
    assert not await knocks(here, secret)
    here.revoking_fails = False
    await here.registry.revoke_credential(VIN, credential.id)
    assert here.revoked == [VIN]


async def test_a_credential_of_another_vehicle(here: World) -> None:
    """It is unknown here, stays valid there, and no connection is ended."""
    credential, secret = await here.registry.add_credential(OTHER)

    with pytest.raises(CredentialUnknown):
        await here.registry.revoke_credential(VIN, credential.id)

    assert await knocks(here, secret, OTHER)
    assert here.revoked == []


async def test_a_grant(here: World) -> None:
    """For a person and some risks, each once, until a time or without end."""
    short = await here.registry.add_grant(VIN, "bob", [Risk.ACCESS, Risk.ACCESS], NOW + 5, "operator")
    long = await here.registry.add_grant(VIN, "bob", [Risk.COMFORT], 1e300, "operator")

    assert (short.risks, short.until, short.created_by) == ((Risk.ACCESS,), NOW + 5, "operator")
    assert long.until == FOREVER
    assert {g.id for g in await here.registry.grants(VIN, "", 9)} >= {short.id, long.id}


@pytest.mark.parametrize("until", [NOW, NOW - 1])
async def test_a_grant_ends_in_the_future(here: World, until: float) -> None:
    """One that is over already is a mistake."""
    with pytest.raises(WrongParameter) as refused:
        await here.registry.add_grant(VIN, "bob", [Risk.ACCESS], until, "operator")

    assert [c.field for c in refused.value.errors] == ["until"]
    assert len(await here.registry.grants(VIN, "", 9)) == 1


async def test_an_ended_grant_withdraws_what_waits(here: World) -> None:
    """A command that was not sent goes back, for it may not leave any more (law 11)."""
    await here.happens(birth("s"), will("s"))
    command = await here.ask()
    await here.happens(Accepted(vin=VIN, command_id=command.id))
    [grant] = await here.registry.grants(VIN, "", 9)

    ended = await here.registry.end_grant(grant.id)

    assert ended.ended_at == NOW
    assert await here.store.due(NOW, 9) == [VIN]
    await here.happens(TimePassed(vin=VIN))
    withdrawn = await here.now(command)
    assert (withdrawn.state, withdrawn.reason) == (State.CANCELLED, "grant_ended")


async def test_what_there_is_not(here: World) -> None:
    """Nothing can be given to a vehicle that is not registered, and no unknown grant ended."""
    for asked in (
        here.registry.vehicle(UNKNOWN),
        here.registry.credentials(UNKNOWN, "", 9),
        here.registry.add_credential(UNKNOWN),
        here.registry.grants(UNKNOWN, "", 9),
        here.registry.add_grant(UNKNOWN, "bob", [Risk.ACCESS], None, "operator"),
    ):
        with pytest.raises(VehicleUnknown):
            await asked
    with pytest.raises(GrantUnknown):
        await here.registry.end_grant("nobody's")
