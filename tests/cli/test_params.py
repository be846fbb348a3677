"""What is typed as `-p name=value` becomes what the service's schema wants."""

from typing import Any

import pytest

from outrider.adapters.catalog_files import load
from outrider.cli.params import parsed
from outrider.cli.shown import plain

SCHEMA = {
    "properties": {
        "temperature": {"type": "number"},
        "duration": {"type": "integer"},
        "quiet": {"type": "boolean"},
        "name": {"type": "string"},
        "seats": {"type": "array"},
        "profile": {"type": ["string", "null"]},
    }
}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("temperature=21", 21),
        ("temperature=21.5", 21.5),
        ("duration=600", 600),
        ("duration=600.0", 600),
        ("quiet=true", True),
        ("name=21", "21"),
        ("name=a=b", "a=b"),
        ("name=", ""),
        ("seats=[1,2]", [1, 2]),
        ("profile=null", "null"),
        ("temperature=warm", "warm"),
        ("unheard=21", "21"),
    ],
)
def test_a_value_gets_the_type_that_its_schema_wants(typed: str, meant: Any) -> None:
    """Numbers are numbers and text stays text; what does not fit is left as typed, for the platform to name."""
    (value,) = parsed([typed], SCHEMA).values()

    assert value == meant
    assert type(value) is type(meant)


def test_every_parameter_of_the_catalog_can_be_typed() -> None:
    """The defaults of all services, written as a person would, come out as they are."""
    for service in load().services.values():
        typed = [f"{name}={plain(value)}" for name, value in service.defaults.items()]

        assert parsed(typed, service.params) == service.defaults


@pytest.mark.parametrize(
    ("pairs", "complaint"),
    [
        (["temperature"], "'temperature' is not NAME=VALUE"),
        (["=21"], "is not NAME=VALUE"),
        (["name=a", "name=b"], "name is given twice"),
    ],
)
def test_what_is_no_pair_is_refused(pairs: list[str], complaint: str) -> None:
    """A slip of the finger is named and sends nothing."""
    with pytest.raises(ValueError, match=complaint):
        parsed(pairs, SCHEMA)
