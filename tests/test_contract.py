"""The contract document itself."""

import pytest

from tests.contract import document, validator


@pytest.mark.parametrize("message", ["command", "answer", "state", "presence"])
def test_examples_are_true(message: str) -> None:
    """Every example in the contract is a message that the contract allows."""
    described = document()["components"]["messages"][message]

    for example in described["examples"]:
        validator(described["payload"]["$ref"].rpartition("/")[2]).validate(example["payload"])


def test_topics() -> None:
    """The topics are those of the design, and each carries one kind of message."""
    addresses = {name: channel["address"] for name, channel in document()["channels"].items()}

    assert addresses == {name: f"outrider/v1/{{vin}}/{name}" for name in ("command", "answer", "state", "presence")}


@pytest.mark.parametrize(
    "presence",
    [
        {"session": "n4bQgYhMfWWaL-qg", "status": "online"},
        {"session": "short", "status": "offline"},
        {"session": "n4bQgYhMfWWaL-qg", "status": "asleep"},
    ],
    ids=["a birth without a time", "too short a session", "an unknown status"],
)
def test_what_breaks_the_contract(presence: dict[str, str]) -> None:
    """A presence message that nobody could use is not allowed."""
    assert not validator("Presence").is_valid(presence)
