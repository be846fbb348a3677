"""Who plays in the demo of gateways, and the changes that charging's team makes."""

from math import gcd
from pathlib import Path

import pytest
import yaml

import outrider
from outrider.cli.gateway.demo.cast import CHARGING, NEW_OPERATION, PARTS, PERSONS, Draft, Part, requests
from outrider.common.ports import Address

SHIPPED = Path(outrider.__file__).parent / "products"
HERE = Address("127.0.0.1", 9000)


def _draft() -> Draft:
    folder = SHIPPED / CHARGING
    return Draft(openapi=(folder / "openapi.yaml").read_text(), product=(folder / "product.yaml").read_text())


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_is_a_product_that_is_shipped(part: Part) -> None:
    """Its owner and its audience are those of its files."""
    product = yaml.safe_load((SHIPPED / part.name / "product.yaml").read_text())

    assert (part.name, part.owner) == (product["name"], product["owner"])
    assert part.audience in product["audiences"]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_no_person_is_slowed_down(part: Part) -> None:
    """So many persons take turns, at every kind of request, that each stays far below the limit of one."""
    limit = yaml.safe_load((SHIPPED / part.name / "product.yaml").read_text())["limits"]["person"]["requests"]
    alone = sum(ask.only is not None for ask in part.asks) / len(part.asks)

    assert gcd(len(part.asks), len(PERSONS)) == 1
    assert part.rate / len(PERSONS) + part.rate * alone < limit / 1.5


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_callers_do_what_is_refused_too(part: Part) -> None:
    """Some have no token, some ask for what they must not; most ask for what they may."""
    expected = [status for ask in part.asks for status in ask.expects]

    assert 401 in expected
    assert {403, 404, 405} & {*expected}
    assert sum(status < 300 for status in expected) > len(expected) / 2


def test_each_request_shows_the_token_of_its_person() -> None:
    """One for each person and set of scopes, and none where none is wanted."""
    [part] = [part for part in PARTS if part.name == CHARGING]
    made = requests(part, HERE, lambda person, audience, scopes: f"{person}/{audience}/{scopes}")

    assert len(made) == len(part.asks) * len(PERSONS)
    assert b"authorization: Bearer ada/charging/charging:read\r\n" in made[0].message
    assert sum(b"authorization" not in request.message for request in made) == len(PERSONS)


def test_the_change_is_an_operation_and_a_higher_limit() -> None:
    """What was there yesterday is what is shipped, less these two."""
    today, yesterday = _draft(), _draft().before_the_change()
    paths, before = (yaml.safe_load(one.openapi)["paths"] for one in (today, yesterday))
    limits, lower = (yaml.safe_load(one.product)["limits"]["person"]["requests"] for one in (today, yesterday))

    assert paths.keys() - before.keys() == {NEW_OPERATION}
    assert lower < limits


def test_each_mistake_is_in_one_file() -> None:
    """And is YAML all the same."""
    today = _draft()
    twice, pattern = today.with_a_name_used_twice(), today.with_a_pattern_too_long()
    forgotten = today.with_callers_forgotten()

    assert (twice.product, pattern.openapi, forgotten.product) == (today.product, today.openapi, today.product)
    assert NEW_OPERATION not in yaml.safe_load(forgotten.openapi)["paths"]
    assert "access_token" in str(yaml.safe_load(forgotten.openapi)["paths"]["/v1/stations"])
    assert "listStations" in str(yaml.safe_load(twice.openapi)["paths"]["/v1/stations/{station}"])
    assert yaml.safe_load(pattern.product)["cors"]["origin_patterns"]


def test_a_change_that_does_not_fit_the_files_is_an_error() -> None:
    """Rather than a demo that shows nothing."""
    with pytest.raises(ValueError, match="is there 0 times"):
        Draft(openapi="paths: {}", product="").before_the_change()
