"""What becomes live: publish, go back to a release, split the traffic. Each is all or nothing, also when it is killed.

`live.json` is the truth. Before it is written a switch has not happened and is undone, afterwards it has and is
finished; by whoever began it, or, with the journal's help, by the next command.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from outrider.common.listeners import overlap
from outrider.common.times import rfc3339
from outrider.gateway import envoy
from outrider.gateway.addresses import Claim, addresses, refused
from outrider.gateway.compile import compile_product
from outrider.gateway.configuration import configuration, static_form, token_content, token_file
from outrider.gateway.envoy import NotAnswering, NotRunning
from outrider.gateway.faults import Refused
from outrider.gateway.governed import governed
from outrider.gateway.jwks import KeysUnreadable
from outrider.gateway.keys import fresh_keys, keys_at_hand
from outrider.gateway.release import Kept, Live, Release, Split
from outrider.gateway.store import ProductState, State
from outrider.gateway.switching import clear, switch
from outrider.gateway.switching import finish as finish

if TYPE_CHECKING:
    from outrider.gateway.reading import Read


async def publish(
    state: State,
    read: "Read",
    *,
    by: str,
    now: datetime,
    commit: str = "",
    reason: str = "",
    split: Split | None = None,
    advisory: bool = False,
) -> Release:
    """Make a product as it was read the live release, with the split that it has, or a new one.

    advisory: what breaks a rule or its callers is kept in the report, and refuses nothing.

    Refused: it breaks a rule or its callers, it can't be compiled, its keys can't be read, Envoy does not take it, it
    drops a version that has traffic, or it would listen where another does. Then nothing has changed.
    """
    release = msgspec.structs.replace(
        _release(read),
        at=rfc3339(now.timestamp()),
        by=by,
        commit=commit,
        reason=reason,
        envoy=envoy.version(),
        document=sha256(read.source.raw).hexdigest(),
    )
    product = state.product(read.product.name)
    _alone_at_its_address(state, read)
    try:
        jwks = await fresh_keys(release)
    except KeysUnreadable as error:
        raise Refused(f"{product.name}: the issuer's keys can't be read: {error}") from None
    async with product.locked():
        await finish(product)
        kept = await asyncio.to_thread(governed, product, read, now, advisory=advisory)
        return await _make_live(product, release, split, jwks, kept)


async def rollback(
    product: ProductState,
    number: int | None = None,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    split: Split | None = None,
) -> Release:
    """Take up a release again, as a new one that names its source; by default the one before what is live now.

    It needs nothing but what is stored, and no rule holds it up: what is taken up was judged when it was published.
    Where the issuer's keys can't be read, those that are there stay. Refused: there is no such release, it lacks a
    version that has traffic, or Envoy does not take it.
    """
    product.published()
    async with product.locked():
        await finish(product)
        source = product.release(number) if number is not None else _before(product.releases())
        release = msgspec.structs.replace(
            source, at=rfc3339(now.timestamp()), by=by, reason=reason, source=source.number, envoy=envoy.version()
        )
        return await _make_live(product, release, split, await keys_at_hand(product, release))


async def set_split(product: ProductState, split: Split) -> Live:
    """Give each version of the live release its share. Refused if that makes no sense, or Envoy does not take it."""
    product.published()
    async with product.locked():
        await finish(product)
        live = product.published()
        release = product.release(live.release)
        to = Live(release=live.release, split=_checked(split, release))
        await _switch(product, live, to, release, None)  # the keys stay as they are
    return to


def compiled_files(read: "Read", split: Split | None = None) -> dict[str, bytes]:
    """What would lie on disk, name to content, with no keys yet; all goes to the first version unless a split is given.

    Refused as in `publish`, as far as that depends on nothing but the product.
    """
    release = _release(read)
    files = configuration(release, {release.product.versions[0]: 100} if split is None else _checked(split, release))
    token = token_file(release)
    return {**files, **({token: token_content(release, '{"keys":[]}')} if token else {})}


def _release(read: "Read") -> Release:
    """What was read, compiled; it has no number yet, and nobody published it."""
    return Release(
        number=0,
        at="",
        by="",
        product=read.product,
        placement=read.placement,
        operations=read.operations,
        compiled=compile_product(read.product, read.placement, read.operations),
    )


async def _make_live(
    product: ProductState, made: Release, split: Split | None, jwks: str | None, kept: Kept | None = None
) -> Release:
    live = product.live()
    release = msgspec.structs.replace(made, number=live.release + 1 if live else 1)
    shares = _checked(split, release) if split is not None else _carried(product, live, release)
    await _switch(product, live, Live(release=release.number, split=shares), release, jwks, kept)
    return release


async def _switch(
    product: ProductState,
    before: Live | None,
    to: Live,
    release: Release,
    jwks: str | None,
    kept: Kept | None = None,
) -> None:
    await _can_switch(product, before, release)
    await envoy.validate(static_form(release, to.split, jwks))
    files, token = configuration(release, to.split), token_file(release)
    if token and jwks is not None:
        files[token] = token_content(release, jwks)
    product.begin(before, to)
    try:
        if before is None or release.number != before.release:
            product.add(release, kept)
        for instance in [product.instance(1), *product.instances()[1:]]:
            await switch(instance, files)
        product.set_live(to)
    except BaseException as error:  # also when it is interrupted
        await _undo(product, error)
        raise
    for instance in product.instances():
        clear(instance, release)
    product.end()


async def _undo(product: ProductState, error: BaseException) -> None:
    try:
        await finish(product)
    except Refused as again:
        raise Refused(f"{error}; and what was live before is not back yet: {again}") from error


async def _can_switch(product: ProductState, before: Live | None, release: Release) -> None:
    """Refused where a gateway that runs can't be asked, or would move to an address that is taken.

    Envoy itself would not notice: it shares an address with any other program of its user that shares it.
    """
    for instance in product.instances():
        try:
            await instance.admin.get("/ready")
        except NotRunning:
            continue
        except NotAnswering as error:
            raise Refused(f"{product.name}: its gateway runs but can't be asked: {error}") from None
        old = addresses(product.release(before.release).placement) if before else ()
        moved = tuple(address for address in addresses(release.placement) if address not in old)
        if moved and (why := refused([Claim(product=product.name, addresses=moved)]).get(product.name)):
            raise Refused(why)


def _alone_at_its_address(state: State, read: "Read") -> None:
    """Refused where another product that is live here has the address."""
    for name in state.products():
        other = state.product(name)
        if name == read.product.name:
            continue
        try:
            live = other.live()
            its_addresses = addresses(other.release(live.release).placement) if live else ()
        except Refused:  # it was damaged, which is no reason to keep another from being published
            continue
        for its in its_addresses:
            if any(overlap(mine, its) for mine in addresses(read.placement)):
                raise Refused(f"{read.product.name}: {name} listens on {its} already; choose another address")


def _before(releases: Sequence[Release]) -> Release:
    """The release to which one goes back: the newest with other content that is older than what is live now.

    What is live after a rollback is as old as its source, so that the next rollback goes further back and not forth.
    """
    by_number = {release.number: release for release in releases}
    live = origin = releases[-1]
    while origin.source is not None:
        origin = by_number[origin.source]
    older = [one for one in releases if one.number < origin.number and one.compiled != live.compiled]
    if not older:
        raise Refused(
            f"{live.product.name}: nothing else was live before release {origin.number}; "
            f"name the release to take up: outrider gateway rollback {live.product.name} N"
        )
    return older[-1]


def _carried(product: ProductState, live: Live | None, release: Release) -> Split:
    """The split as it was; all to the first version at first. Refused where a version with traffic would be gone."""
    versions = release.product.versions
    if live is None:
        return {versions[0]: 100}
    gone = [f"{name} ({share} %)" for name, share in live.split.items() if share and name not in versions]
    if gone:
        stays = [name for name in product.release(live.release).product.versions if name in versions]
        first = f"first outrider gateway split {product.name} {stays[0]}=100, or " if stays else ""
        raise Refused(
            f"{product.name}: the release has no version {', '.join(gone)}, and that has traffic: "
            f"{first}say with the release who gets it: --split {versions[0]}=100"
        )
    return live.split


def _checked(split: Split, release: Release) -> Split:
    """The split without those that get nothing. Refused if it names no versions of the release, or is no 100 %."""
    known = release.product.versions
    if strange := [name for name in split if name not in known]:
        raise Refused(f"{release.product.name} has no version {', '.join(strange)}; it has {', '.join(known)}")
    if any(share < 0 for share in split.values()) or sum(split.values()) != 100:
        raise Refused(f"{release.product.name}: the shares must be 0 or more and sum up to 100, not {_sum(split)}")
    return {name: split[name] for name in known if split.get(name)}


def _sum(split: Split) -> str:
    return f"{' + '.join(map(str, split.values()))} = {sum(split.values())}"
