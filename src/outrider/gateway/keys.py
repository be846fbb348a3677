"""The issuer's keys in a running gateway: brought there, renewed, and kept where they can't be read.

Keys are no part of a release. They lie beside it in a file that Envoy watches, so that a key that is withdrawn is
refused as soon as the file is replaced, and no rollback ever brings it back.
"""

from functools import lru_cache
from pathlib import Path

from msgspec.structs import replace

from outrider.gateway.configuration import keys_in, token_content, token_file
from outrider.gateway.faults import Refused
from outrider.gateway.jwks import Keys, KeysUnreadable, read_keys
from outrider.gateway.release import Release
from outrider.gateway.store import Busy, ProductState
from outrider.gateway.switching import finish, write_keys

LOOK_EVERY = 2.0
"""Seconds between two renewals by whoever watches a gateway: so late at most is a withdrawn key of a file refused. For
a URL its own `refresh` comes on top."""
_BUSY_WITHIN = 1.0


async def renew(product: ProductState, keys: Keys | None = None) -> bool:
    """Bring what the issuer publishes now to the gateways of a product. Did anything change?

    keys: shared by whoever renews many. Raises KeysUnreadable, and Refused where Envoy does not take them; the last
    good ones stay then.
    """
    live = product.live()
    release = _as_far_as_keys_go(product, live.release) if live else None
    if release is None or (wanted := await _wanted(release, keys)) is None:
        return False
    name, content = wanted
    if all(instance.tokens().get(name) == content for instance in product.instances()):
        return False
    try:
        async with product.locked(within=_BUSY_WITHIN):
            await finish(product)
            now = product.live()
            if now is None or now.release != release.number:  # the next look is for that one
                return False
            for instance in product.instances():
                await write_keys(instance, name, content)
    except Busy:  # whoever publishes brings the keys
        return False
    return True


def _as_far_as_keys_go(product: ProductState, number: int) -> Release:
    """A release without what keys have nothing to do with."""
    file = product.folder / "releases" / f"{number}.json"
    return _kept(product.folder, number, file.stat().st_mtime_ns if file.exists() else 0)


@lru_cache(maxsize=1024)
def _kept(folder: Path, number: int, _changed: int) -> Release:
    """Kept in memory, for every gateway is asked every few seconds, and decoding is most of what that takes."""
    release = ProductState(folder).release(number)
    compiled = replace(release.compiled, bootstrap={}, clusters=(), listeners=(), routes={}, secrets=())
    return replace(release, operations=(), compiled=compiled)


async def fresh_keys(release: Release) -> str | None:
    """The keys (JWKS) for a release as the issuer publishes them now; None where it needs none. KeysUnreadable."""
    return (
        await read_keys(release.placement.issuer.jwks) if release.compiled.token and release.placement.issuer else None
    )


async def keys_at_hand(product: ProductState, release: Release) -> str | None:
    """The keys (JWKS) for a release as they are now or, where they can't be read, as its gateway has them.

    None where it needs none. Refused where there are none at hand, for the keys of one issuer are none of another's.
    """
    try:
        return await fresh_keys(release)
    except KeysUnreadable as error:
        live = product.live()
        before = product.release(live.release) if live else None
        if before and (name := token_file(before)) and _issuer(before) == _issuer(release):
            for instance in product.instances():
                if (content := instance.tokens().get(name)) is not None:
                    return keys_in(content)
        raise Refused(f"{product.name}: the issuer's keys can't be read, and none are at hand: {error}") from None


async def _wanted(release: Release, keys: Keys | None) -> tuple[str, bytes] | None:
    name, issuer = token_file(release), release.placement.issuer
    if name is None or issuer is None:
        return None
    return name, token_content(release, await (keys.of(issuer.jwks) if keys else read_keys(issuer.jwks)))


def _issuer(release: Release) -> str:
    return release.placement.issuer.issuer if release.placement.issuer else ""
