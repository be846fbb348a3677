"""What is known of vehicles besides their commands: who may use them, and how they prove who they are."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from outrider.domain.catalog import Risk
from outrider.domain.lane import Presence

VIN = re.compile(r"[0-9A-HJ-NPR-Z]{13}[0-9]{4}")
"""A vehicle identification number as VSS v6 has it: 17 characters without I, O and Q, the last four digits."""

PERSON = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,128}")
"""The name of a person, as tokens and grants have it: up to 128 characters, none of them a control character."""

FOREVER = 253_402_300_799.0
"""The end of the year 9999: a grant without an end."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A person may use a vehicle, for some risk classes, until a time."""

    id: str
    person: str
    vin: str
    risks: tuple[Risk, ...]
    until: float
    created_at: float
    created_by: str
    ended_at: float | None = None

    def covers(self, risk: Risk, now: float) -> bool:
        """Does it allow services of this class now?"""
        return self.ended_at is None and now < self.until and risk in self.risks


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What a vehicle connects with; the secret itself is shown once and only its hash is kept."""

    id: str
    vin: str
    created_at: float
    revoked_at: float | None = None


class VehicleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle as people see it: its model, and what we last heard of it."""

    vin: str
    model: str
    added_at: float
    presence: Presence
    heard_at: float | None = None
    clock_offset: float = 0.0
    signals: Mapping[str, Any] = {}
    signals_at: float | None = None
