import base64
from collections.abc import Sequence

import msgspec
import pytest

from outrider.services.admission import (
    Admitted,
    Knock,
    Reason,
    Refused,
    admit,
    credential_hash,
    judge,
    new_credential,
    seconds_admitted,
    shown,
)

VIN = "WVWZZZ1KZAW000001"
OTHER = "WVWZZZ1KZAW000002"
SECRET = "the-vehicle-credential"
HASHES = [credential_hash("an-older-credential"), credential_hash(SECRET)]
GOOD = Knock(protocol="mqtt", client_id=VIN, user=VIN, password=SECRET)


@pytest.mark.parametrize(
    ("changed", "hashes", "verdict"),
    [
        ({}, HASHES, Admitted(VIN)),
        ({"password": "an-older-credential"}, HASHES, Admitted(VIN)),
        ({"password": "guess"}, HASHES, Refused(Reason.WRONG_CREDENTIAL)),
        ({"password": ""}, HASHES, Refused(Reason.WRONG_CREDENTIAL)),
        ({"password": HASHES[1]}, HASHES, Refused(Reason.WRONG_CREDENTIAL)),
        ({}, [], Refused(Reason.UNKNOWN_VEHICLE)),
        ({"client_id": OTHER}, HASHES, Refused(Reason.CLIENT_ID_IS_NOT_VIN)),
        ({"client_id": ""}, HASHES, Refused(Reason.CLIENT_ID_IS_NOT_VIN)),
        ({"user": ""}, HASHES, Refused(Reason.USER_IS_NO_VIN)),
        ({"user": "outrider", "client_id": "outrider"}, HASHES, Refused(Reason.USER_IS_NO_VIN)),
        ({"user": "*", "client_id": "*"}, HASHES, Refused(Reason.USER_IS_NO_VIN)),
        ({"user": f"{VIN}\n", "client_id": f"{VIN}\n"}, HASHES, Refused(Reason.USER_IS_NO_VIN)),
        ({"user": VIN.lower(), "client_id": VIN.lower()}, HASHES, Refused(Reason.USER_IS_NO_VIN)),
        ({"protocol": "nats"}, HASHES, Refused(Reason.NOT_MQTT)),
        ({"protocol": "websocket"}, HASHES, Refused(Reason.NOT_MQTT)),
    ],
)
def test_who_is_admitted(changed: dict[str, str], hashes: Sequence[str], verdict: Admitted | Refused) -> None:
    """Only an MQTT client that is its VIN in user name and client id, with a valid credential of that vehicle."""
    assert judge(msgspec.structs.replace(GOOD, **changed), hashes) == verdict


def test_a_vehicle_reaches_its_own_topics_and_no_others() -> None:
    """It speaks on three subjects and hears one, all with its own VIN, none with a wildcard."""
    admitted = Admitted(VIN)

    assert admitted.publishes == [f"outrider.v1.{VIN}.{kind}" for kind in ("answer", "state", "presence")]
    assert admitted.subscribes == [f"outrider.v1.{VIN}.command"]


async def test_credentials_are_looked_up_for_what_can_be_a_vehicle_only() -> None:
    """What a stranger types as user name does not reach the database unless it is a VIN."""
    asked = []

    async def lookup(vin: str) -> list[str]:
        asked.append(vin)
        return HASHES

    assert await admit(msgspec.structs.replace(GOOD, user="' or 1=1"), lookup) == Refused(Reason.USER_IS_NO_VIN)
    assert await admit(GOOD, lookup) == Admitted(VIN)
    assert asked == [VIN]


def test_admissions_of_a_fleet_do_not_end_together() -> None:
    """A day, a quarter more or less."""
    assert [seconds_admitted(draw) / 3600 for draw in (0.0, 0.5, 1.0)] == [18, 24, 30]


def test_a_credential_is_32_random_bytes() -> None:
    """Too much to guess, so that a plain hash may keep it."""
    assert len(base64.urlsafe_b64decode(new_credential() + "=")) == 32
    assert new_credential() != new_credential()


@pytest.mark.parametrize(("named", "logged"), [(VIN, "…0001"), ("my-secret-password", "?"), ("", "?")])
def test_logs_show_little_of_a_vehicle_and_nothing_of_a_password(named: str, logged: str) -> None:
    """The last four digits of a VIN; a user name that is none may be a password in the wrong field."""
    assert shown(named) == logged
