"""Vehicles, their credentials and grants, and what they said that nobody believes; on a running platform."""

import asyncio
import itertools
import re
import time
from collections.abc import Callable

import pytest

from outrider.adapters.data_folder import where
from outrider.common.ports import Address
from tests.cli.conftest import Running
from tests.cli.outrider import Said, outrider
from tests.raw_mqtt import NOT_AUTHORISED, RawMqtt

Ask = Callable[..., Said]
_serial = itertools.count(1)


@pytest.fixture
def ask(running: Running) -> Ask:
    """Run a command line against the platform."""
    return lambda *words: outrider(*words, "--data", running.data)


@pytest.fixture
def vin() -> str:
    """A vehicle that nobody has heard of."""
    return f"WVWZZZ1KZAW{next(_serial):06}"


def _knocks(running: Running, vin: str, secret: str, answer: bytes = b"") -> int:
    """What the broker says when a vehicle connects with a secret: 0 is welcome. Then it may say something."""
    told = where(running.data)
    assert told is not None
    address = Address.parse(told.mqtt or "")

    async def knock() -> int:
        vehicle = await RawMqtt.connect(address, vin, vin, secret)
        if answer:
            await vehicle.publish(f"outrider/v1/{vin}/answer", answer)
        vehicle.writer.close()
        return vehicle.accepted

    return asyncio.run(knock())


def test_a_vehicle_is_added_with_what_it_connects_with(running: Running, ask: Ask, vin: str) -> None:
    """The credential is printed once, in a line that works when pasted, and opens the broker."""
    said = ask("vehicle", "add", vin, "--model", "falcon-electric")

    line = re.search(
        r"^mosquitto_sub -h (\S+) -p (\d+) -i (\S+) -u (\S+) -P '(\S+)' -t (\S+) -v$", said.out, re.MULTILINE
    )
    assert said.code == 0
    assert "operator may use it" in said.err
    assert line is not None
    assert line.groups()[2:4] == (vin, vin)
    assert line[6] == f"outrider/v1/{vin}/command"
    assert _knocks(running, vin, line[5]) == 0
    assert line[5] not in ask("credential", "list", vin, "--json").out


def test_a_vehicle_is_added_once(ask: Ask, vin: str) -> None:
    """The second time the platform says no, in words, and with exit code 1."""
    ask("vehicle", "add", vin, "--model", "falcon-electric")

    said = ask("vehicle", "add", vin, "--model", "falcon-electric")

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("This vehicle is registered already\n")


def test_what_is_wrong_is_said_by_field(ask: Ask) -> None:
    """A problem document is shown as title, detail, and errors by field; never as a traceback."""
    said = ask("vehicle", "add", "NOT-A-VIN", "--model", "falcon-electric")

    assert said.code == 1
    assert said.err.startswith("A parameter is wrong\n")
    assert "\n  vin: must have 17 characters" in said.err


def test_a_vehicle_is_shown_to_those_who_may_use_it(ask: Ask, vin: str) -> None:
    """Nobody may use it until there is a grant, and nobody may after its end."""
    ask("vehicle", "add", vin, "--model", "merlin-classic", "--no-grant")
    assert ask("vehicle", "show", vin).code == 1
    assert vin not in ask("vehicle", "list").out
    assert vin in ask("vehicle", "list", "--all", "--limit", "1000").out

    granted = ask(
        "grant", "add", vin, "operator", "--risks", "access", "--until", "2099-01-01T00:00:00Z", "--json"
    ).data

    shown = ask("vehicle", "show", vin)
    assert shown.code == 0
    assert re.search(r"^you may ask for +door-lock, door-unlock$", shown.out, re.MULTILINE)
    assert ask("vehicle", "show", vin, "--json").data["services"] == ["door-lock", "door-unlock"]
    assert re.search(
        rf"^{granted['id']}  operator  access +2099-01-01 00:00:00Z$", ask("grant", "list", vin).out, re.MULTILINE
    )

    assert ask("grant", "end", granted["id"]).code == 0

    assert ask("vehicle", "show", vin).code == 1


def test_a_revoked_credential_opens_nothing(running: Running, ask: Ask, vin: str) -> None:
    """Its vehicle is refused; another credential of the same vehicle still counts."""
    old = ask("vehicle", "add", vin, "--model", "falcon-electric", "--json").data["credential"]
    new = ask("credential", "add", vin, "--json").data

    assert ask("credential", "revoke", vin, old["id"]).code == 0

    listed = {
        credential["id"]: credential["revoked_at"] for credential in ask("credential", "list", vin, "--json").data
    }
    assert listed[old["id"]] is not None
    assert listed[new["id"]] is None
    assert _knocks(running, vin, old["secret"]) == NOT_AUTHORISED
    assert _knocks(running, vin, new["secret"]) == 0


def test_what_broke_the_contract_is_listed_with_the_reason(running: Running, ask: Ask, vin: str) -> None:
    """A vehicle that talks nonsense is found by its VIN."""
    secret = ask("vehicle", "add", vin, "--model", "falcon-electric", "--json").data["credential"]["secret"]
    _knocks(running, vin, secret, b"nonsense")

    while not (said := ask("deadletter", "list", "--vin", vin, "--json")).data:
        time.sleep(0.05)

    assert [letter["vin"] for letter in said.data] == [vin]
    assert said.data[0]["payload"] == "nonsense"
    assert vin in ask("deadletter", "list").out


def test_lists_fit_a_hundred_columns(running: Running, ask: Ask) -> None:
    """A table is no wider than terminals are."""
    for words in (
        ["vehicle", "list"],
        ["grant", "list", running.obeys],
        ["credential", "list", running.obeys],
        ["catalog", "list"],
    ):
        said = ask(*words)

        assert said.code == 0
        assert max(map(len, said.out.splitlines())) <= 100


def test_the_catalog_in_force_is_listed_and_shown(ask: Ask) -> None:
    """A service with its parameters, a model with what it supports; an unknown name is said so."""
    assert "climate-start" in ask("catalog", "list").out
    assert re.search(
        r"^temperature +number, 16 to 28, degrees Celsius +21 ",
        ask("catalog", "show", "climate-start").out,
        re.MULTILINE,
    )
    assert "door-lock, door-unlock, horn-blow" in ask("catalog", "show", "merlin-classic").out
    assert ask("catalog", "show", "seat-heat").code == 1


def test_of_many_vehicles_every_page_is_read(running: Running, ask: Ask) -> None:
    """A list goes on over the platform's pages, up to the limit that was asked for."""
    assert len(ask("vehicle", "list", "--all", "--json", "--limit", "2").data) == 2
    assert "--limit gives more" in ask("vehicle", "list", "--all", "--limit", "2").err
