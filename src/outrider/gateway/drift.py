"""Is what was read what is live? And does a gateway run that: the configuration on disk against what its release and
split make it, and what Envoy runs against what is on disk.
"""

from collections.abc import AsyncIterator, Iterator, Mapping

import msgspec

from outrider.gateway import certificates
from outrider.gateway.compile import compile_product
from outrider.gateway.configuration import applied, configuration, keys_in, token_content, token_file
from outrider.gateway.envoy import NotAnswering
from outrider.gateway.reading import Read
from outrider.gateway.release import Release
from outrider.gateway.store import Instance, ProductState
from outrider.gateway.switching import running_texts


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as published. instance: None where it concerns all. what: a file, or one of Envoy's
    statistics. problem: for people.
    """

    instance: int | None = None
    what: str
    problem: str


def differs(read: Read, release: Release) -> bool:
    """Would what was read make another release than this one? Refused if it can make none."""
    compiled = compile_product(read.product, read.placement, read.operations)
    says = (read.product, read.placement, read.operations, compiled)
    said = (release.product, release.placement, release.operations, release.compiled)
    return msgspec.json.encode(says, order="sorted") != msgspec.json.encode(said, order="sorted")


async def drift(product: ProductState) -> list[Difference]:
    """Everything that is different; changes nothing. Refused if the product was never published."""
    live = product.published()
    release = product.release(live.release)
    wanted = configuration(release, live.split)
    found = list(_killed(product))
    for instance in product.instances():
        found += _on_disk(instance, wanted, release)
        found += [difference async for difference in _in_envoy(instance)]
    return found


def _killed(product: ProductState) -> Iterator[Difference]:
    if product.journal() is not None:
        problem = "a switch is under way or was killed; the next command that changes something finishes or undoes it"
        yield Difference(what="journal.json", problem=problem)


def _on_disk(instance: Instance, wanted: Mapping[str, bytes], release: Release) -> Iterator[Difference]:
    there, tokens = instance.files(), instance.tokens()
    if name := token_file(release):
        # The keys come from elsewhere; all the rest of the file is the release's.
        own = {name: _with_its_keys(release, tokens[name])} if name in tokens else {name: b""}
        wanted = {**wanted, **own}
    there |= tokens
    for file in sorted({*there, *wanted}):
        if file not in wanted:
            yield Difference(instance=instance.number, what=file, problem="does not belong there")
        elif file not in there:
            yield Difference(instance=instance.number, what=file, problem="is missing")
        elif there[file] != wanted[file]:
            yield Difference(instance=instance.number, what=file, problem="is not what was published")


def _with_its_keys(release: Release, content: bytes) -> bytes:
    try:
        return token_content(release, keys_in(content))
    except (msgspec.DecodeError, RecursionError, LookupError, TypeError, AttributeError, StopIteration):
        return b""


async def _in_envoy(instance: Instance) -> AsyncIterator[Difference]:
    try:
        running = await running_texts(instance)
    except NotAnswering as error:
        yield Difference(instance=instance.number, what="admin.sock", problem=f"can't be asked: {error}")
        return
    if running is None:
        return
    for certificate in await certificates.missing(instance, instance.admin):
        yield Difference(instance=instance.number, what=certificate, problem="Envoy could not load it or its pair")
    for file, content in {**instance.files(), **instance.tokens()}.items():
        try:
            texts = applied(file, content)
        except (msgspec.DecodeError, RecursionError, LookupError, TypeError):
            continue  # said already: it is not what was published
        for statistic, value in texts.items():
            if file.startswith("secret-") and not running.get(statistic):
                continue  # it was broken as Envoy started; whether it is mended by now is told above
            if running.get(statistic) != value:
                now = running.get(statistic, "nothing")
                problem = f"Envoy runs {now}, not {value} as in {file}"
                yield Difference(instance=instance.number, what=statistic, problem=problem)
