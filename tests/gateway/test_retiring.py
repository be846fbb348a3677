"""The end of a product."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.gateway.faults import Refused
from outrider.gateway.retiring import retire
from tests.gateway.published import NOW, Charging, charging


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Charging]:
    """The product with two releases."""
    async with charging(tmp_path) as made:
        await made.publish()
        await made.publish()
        yield made


async def test_a_retired_product_is_put_aside_whole(product: Charging) -> None:
    """It is none any more; what was kept of it is in a folder that only we can open."""
    kept = product.on_disk()
    aside = await retire(product.product, stop=False, now=NOW)

    assert aside == product.state.folder / ".retired" / "charging-20261122T021405.000000"
    assert {str(file.relative_to(aside)): file.read_bytes() for file in aside.rglob("*") if file.is_file()} == kept
    assert aside.parent.stat().st_mode & 0o777 == 0o700
    assert product.state.products() == []
    with pytest.raises(Refused, match="not published here"):
        await retire(product.product, stop=False, now=NOW)


async def test_its_name_can_be_used_again(product: Charging) -> None:
    """By a product that begins with release 1."""
    await retire(product.product, stop=False, now=NOW)

    assert (await product.publish()).number == 1


async def test_a_gateway_that_runs_is_stopped_only_if_that_is_wanted(product: Charging) -> None:
    """Otherwise nothing changes, and the message says how."""
    await product.start()
    with pytest.raises(Refused, match="--now"):
        await retire(product.product, stop=False, now=NOW)
    assert (await product.get("/state")).text == "v1"

    await retire(product.product, stop=True, now=NOW, grace=0.1)
    assert product.state.products() == []
    assert product.ended()
