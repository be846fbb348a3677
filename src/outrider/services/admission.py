"""Admission: may this client connect as this vehicle, and what may it then say and hear?

A vehicle proves itself with its credential: user name and client id are its VIN, the password is the credential.
It then reaches its own topics and no others. Everything else is refused, unknown failures too. How the question comes
and how the answer goes is the business of `adapters/callout.py`.

In logs a vehicle appears as the last four digits of its VIN: enough to find it beside a time, too little to identify
its owner (a hash would not be: VINs can be listed and tried). Passwords never appear, nor user names that are no VIN,
for people put passwords into the wrong field.
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum

import msgspec

from outrider.domain.registry import VIN

HOURS_ADMITTED = 24.0
"""How long an admission lasts before the vehicle must connect anew. A void credential ends its connection at once; this
only bounds the case that the word of it was lost."""

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""VIN -> the hashes (`credential_hash`) of its valid credentials; none for a vehicle that nobody knows."""


class Knock(msgspec.Struct, frozen=True, kw_only=True):
    """A client that wants in, as the broker describes it."""

    protocol: str
    client_id: str
    user: str
    password: str


class Reason(StrEnum):
    """Why a client is refused; for our logs, a client never learns it."""

    NOT_MQTT = "not_mqtt"
    USER_IS_NO_VIN = "user_is_no_vin"
    CLIENT_ID_IS_NOT_VIN = "client_id_is_not_vin"
    UNKNOWN_VEHICLE = "unknown_vehicle"
    WRONG_CREDENTIAL = "wrong_credential"
    FAILURE = "failure"


class Refused(msgspec.Struct, frozen=True):
    """It stays outside."""

    reason: Reason


class Admitted(msgspec.Struct, frozen=True):
    """It may connect, as this vehicle."""

    vin: str

    @property
    def publishes(self) -> list[str]:
        """The subjects it may publish on."""
        return [f"outrider.v1.{self.vin}.{kind}" for kind in ("answer", "state", "presence")]

    @property
    def subscribes(self) -> list[str]:
        """The subjects it may subscribe to."""
        return [f"outrider.v1.{self.vin}.command"]


def judge(knock: Knock, hashes: Sequence[str]) -> Admitted | Refused:
    """The verdict, given the hashes of the credentials that the vehicle named as user has."""
    if knock.protocol != "mqtt":
        return Refused(Reason.NOT_MQTT)  # the services are known to the server itself and never ask here
    if not VIN.fullmatch(knock.user):
        return Refused(Reason.USER_IS_NO_VIN)  # it also keeps wildcards and dots out of subjects
    if knock.client_id != knock.user:
        return Refused(Reason.CLIENT_ID_IS_NOT_VIN)  # a client id that comes again throws the first client out
    if not hashes:
        return Refused(Reason.UNKNOWN_VEHICLE)
    given = credential_hash(knock.password)
    if not any(hmac.compare_digest(given, known) for known in hashes):
        return Refused(Reason.WRONG_CREDENTIAL)
    return Admitted(knock.user)


async def admit(knock: Knock, lookup: Lookup) -> Admitted | Refused:
    """The verdict, with the credentials looked up if the user name can be a vehicle's at all."""
    return judge(knock, await lookup(knock.user) if VIN.fullmatch(knock.user) else ())


def seconds_admitted(draw: float) -> int:
    """How long an admission lasts: 24 h, spread by a quarter to both sides so that a fleet that came back together does
    not come back together every day. `draw` is from 0 to 1."""
    return round(HOURS_ADMITTED * 3600 * (0.75 + 0.5 * draw))


def new_credential() -> str:
    """A fresh secret for one vehicle: 32 random bytes, urlsafe base64."""
    return secrets.token_urlsafe(32)


def credential_hash(credential: str) -> str:
    """What is stored of a credential: SHA-256, hex.

    Slow password hashes protect what people can remember. 256 random bits cannot be guessed at any speed, and a fleet
    that reconnects must not wait for them.
    """
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).hexdigest()


def shown(vin: str) -> str:
    """A vehicle as it may appear in logs."""
    return f"…{vin[-4:]}" if VIN.fullmatch(vin) else "?"
