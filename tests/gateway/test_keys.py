"""The issuer's keys in a real Envoy, while requests go through it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outrider.cli.bench.http_load import Request, traffic
from outrider.gateway import keys
from outrider.gateway.jwks import Keys, KeysUnreadable
from outrider.gateway.keys import renew
from outrider.gateway.product import Operation
from outrider.gateway.release import Live
from tests.gateway.published import Charging, charging


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Charging]:
    """The product, live and served, with the issuer's first key."""
    async with charging(tmp_path) as product:
        await product.publish()
        await product.start()
        yield product


async def status(product: Charging, key: str) -> int:
    return (await product.get("/sessions/7", **product.bearer(key))).status_code


async def test_keys_are_rotated_under_load_without_a_failed_request(running: Charging) -> None:
    """The new one is believed as soon as it is brought, and the withdrawn one is refused at once, cached or not."""
    old, new = (running.bearer(key) for key in ("first", "second"))
    session = running.url + "/sessions/7"
    async with traffic(Request(session, headers=old), 200) as before:
        assert await status(running, "second") == 401
        running.signer.publish(running.jwks, "first", "second")
        assert await renew(running.product)
        assert await status(running, "second") == 200
    async with traffic(Request(session, headers=new), 200) as after:
        assert (await running.get("/sessions/7", **old)).status_code == 200
        running.signer.publish(running.jwks, "second")
        assert await renew(running.product)
        assert (await running.get("/sessions/7", **old)).status_code == 401
        assert await status(running, "first") == 401

    assert (before.failed, after.failed) == (0, 0), f"{before}; {after}"


async def test_keys_that_did_not_change_are_not_written(running: Charging) -> None:
    """Nor when the set is only written in another way; tokens stay cached then."""
    written = next(running.instance.folder.glob("token-*.json")).stat()
    running.signer.publish(running.jwks, "first")
    running.jwks.write_bytes(running.jwks.read_bytes() + b"\n")

    assert not await renew(running.product)
    assert next(running.instance.folder.glob("token-*.json")).stat() == written


@pytest.mark.parametrize("broken", [b"", b'{"keys":[]}', b'{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"1"}]}', None])
async def test_keys_that_can_not_be_used_leave_the_old_ones(running: Charging, broken: bytes | None) -> None:
    """Whoever renews them is told why; the gateway goes on as it was."""
    running.jwks.unlink()
    if broken is not None:
        running.jwks.write_bytes(broken)

    with pytest.raises(KeysUnreadable, match=r"jwks\.json"):
        await renew(running.product, Keys())
    assert await status(running, "first") == 200


async def test_keys_are_brought_to_a_gateway_that_does_not_run(running: Charging) -> None:
    """It has them when it starts."""
    running.stop()
    running.signer.publish(running.jwks, "second")

    assert await renew(running.product)
    await running.start()
    assert [await status(running, key) for key in ("first", "second")] == [401, 200]


async def test_who_renews_keys_does_not_wait_for_who_publishes(
    running: Charging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher brings them itself."""
    monkeypatch.setattr(keys, "_BUSY_WITHIN", 0.1)
    running.signer.publish(running.jwks, "second")

    async with running.product.locked():
        assert not await renew(running.product)
    assert await renew(running.product)


async def test_a_killed_publish_does_not_keep_a_withdrawn_key_alive(running: Charging) -> None:
    """What was left half way is undone first."""
    running.product.begin(Live(release=1, split={"v1": 100}), Live(release=2, split={"v1": 100}))
    running.signer.publish(running.jwks, "second")

    assert await renew(running.product)
    assert running.product.journal() is None
    assert await status(running, "first") == 401


async def test_a_product_without_tokens_has_no_keys(tmp_path: Path) -> None:
    """Nor has one that was never published."""
    async with charging(tmp_path) as product:
        assert not await renew(product.product)
        await product.publish_read(product.read_public(Operation(id="open", method="get", path="/open", public=True)))
        assert not await renew(product.product)
        assert product.instance.tokens() == {}
