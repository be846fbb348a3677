"""How the gateways are."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from outrider.gateway import by_hand, draining, generations
from outrider.gateway.running import watching
from outrider.gateway.status import DOWN, SERVES, SILENT, Standing, standings
from tests.gateway.published import Charging, charging
from tests.gateway.several import Several, several


@pytest.fixture
async def products(tmp_path: Path) -> AsyncIterator[Several]:
    """Two products, published."""
    async with several(tmp_path, "maps", "parking") as made:
        yield made


async def status(products: Several) -> list[Standing]:
    return await standings(products.product(name) for name in (*products.names, "unknown"))


async def test_what_serves_tells_what_it_does_and_what_does_not_is_down(products: Several) -> None:
    """Whether or not anybody watches. What was never published is no gateway."""
    async with watching(products.state, ["maps"]) as watch, httpx.AsyncClient(trust_env=False) as client:
        for path in ("/state", "/state", "/unknown"):
            await client.get(products.url("maps", path))
        maps, parking = await status(products)

        assert (maps.product, maps.owner, maps.address.port) == ("maps", "a team", products.ports["maps"])
        assert (maps.release, maps.split, maps.state) == (1, {"v1": 100}, SERVES)
        assert (maps.pid, maps.envoy[:2], maps.others) == (watch.gateways["maps"].pid, "1.", ())
        assert maps.since is not None
        assert maps.figures is not None
        assert (maps.figures.requests, maps.figures.successes, maps.figures.client_errors) == (3, 2, 1)
        assert maps.figures.upstreams == {"v1": (1, 1)}
        assert (maps.drift, maps.restart, maps.keys_since, maps.keys_problem) == ((), False, None, None)
        assert (parking.state, parking.pid, parking.figures, parking.since) == (DOWN, None, None, None)


async def test_what_is_not_as_published_and_what_hangs_is_told(
    products: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that it was started with something else than it would be now."""
    monkeypatch.setattr(generations, "_ANSWERS_WITHIN", 0.3)
    async with watching(products.state, ["maps"]) as watch:
        instance = watch.gateways["maps"].instance
        before = instance.files()["bootstrap.json"]
        instance.write("bootstrap.json", before + b"\n")
        maps, _ = await status(products)
        assert maps.drift == ("bootstrap.json: is not what was published",)
        assert maps.restart
        instance.write("bootstrap.json", before)

        os.kill(watch.gateways["maps"].pid or 0, signal.SIGSTOP)
        maps, _ = await status(products)
        os.kill(watch.gateways["maps"].pid or 0, signal.SIGCONT)
        assert (maps.state, maps.pid, maps.figures) == (SILENT, watch.gateways["maps"].pid, None)


async def test_an_envoy_that_still_finishes_is_told_beside_the_one_that_serves(
    products: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a hand-over."""
    monkeypatch.setattr(draining, "NOTICE", 0.1)
    async with watching(products.state, ["maps"]) as watch:
        first = watch.gateways["maps"].pid
        made = await by_hand.restart(products.product("maps"))
        maps, _ = await status(products)
        assert (maps.pid, maps.others) == (made.pid, (first,))
        await by_hand.dismiss(products.product("maps"), made)


async def test_one_that_is_damaged_hides_no_other(products: Several) -> None:
    """It is named, with what to do."""
    (products.product("maps").folder / "live.json").write_text("{")
    products.product("parking").instance().remove("cds.json")
    faults: list[str] = []
    found = await standings(map(products.product, products.names), faults)
    assert [one.product for one in found] == ["parking"]
    assert "maps/live.json was damaged" in faults[0]

    (products.product("parking").instance().folder / "cds.json").mkdir()
    assert await standings(map(products.product, products.names), faults) == []
    assert faults[2].endswith(
        "cds.json: Is a directory: a folder is where a file has to be: move it away, and try again"
    )


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Charging]:
    """A product that asks for tokens."""
    async with charging(tmp_path) as made:
        await made.publish()
        yield made


async def test_keys_that_can_t_be_read_are_told(product: Charging) -> None:
    """And since when it has those that it has."""
    (now,) = await standings([product.product])
    assert now.keys_since is not None
    assert now.keys_problem is None

    product.jwks.unlink()
    (now,) = await standings([product.product])
    assert now.keys_since is not None
    assert now.keys_problem == f"{product.jwks}: No such file or directory"
