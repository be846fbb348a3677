"""From one configuration on disk to another, and into the Envoy that runs there: step by step, each one confirmed.

Envoy counts what it takes and what it refuses, and shows the version of what it applied; so "is it live?" has an exact
answer. A gateway that does not run gets its files, and reads them when it starts.
"""

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from outrider.gateway import envoy
from outrider.gateway.configuration import Step, applied, configuration, steps, token_file
from outrider.gateway.envoy import NotAnswering, NotRunning
from outrider.gateway.faults import Refused
from outrider.gateway.release import Release
from outrider.gateway.store import Instance, ProductState

CONFIRM_WITHIN = 10.0
"""Seconds for Envoy to apply one step; it takes milliseconds."""
_AGREES_WITHIN = 0.2
"""Seconds for Envoy to read what a command wrote that was killed just now; then it is written once more."""
_LOOK_EVERY = 0.01
_TEXT = "version_text"
_STATS = rf"\.({_TEXT}|update_success|update_rejected|update_failure)$|\.total_listeners_warming$|\.warming_clusters$"

Stats = Mapping[str, str]


class _Named(msgspec.Struct):
    name: str


class _Resources(msgspec.Struct):
    version_info: str
    resources: list[_Named]


async def switch(instance: Instance, files: Mapping[str, bytes]) -> None:
    """Bring a gateway to these files, step by step. Refused with Envoy's reason; then a switch back is due.

    Token files that are not among them stay, for whoever switches back.
    """
    tokens = instance.tokens()
    there = {**instance.files(), **tokens}
    sound = {name: content for name, content in there.items() if name == "bootstrap.json" or _is_sound(content)}
    for step in steps(sound, {**tokens, **files}):
        await _take(instance, step)
    for name in there.keys() - sound.keys() - files.keys():
        instance.remove(name)
    await _agree(instance, files)


async def write_keys(instance: Instance, name: str, content: bytes) -> None:
    """Replace the keys that a gateway uses. Refused with Envoy's reason; the old ones are back then."""
    before = instance.tokens().get(name)
    if before == content:
        return
    try:
        await _take(instance, Step(file=name, content=content, confirm=applied(name, content)))
    except Refused:
        if before is not None:
            await _take(instance, Step(file=name, content=before, confirm=applied(name, before)))
        raise


async def finish(product: ProductState) -> bool:
    """Finish or undo what a killed command left; to be called under the lock. Was there anything?

    Refused: a gateway that runs does not take back what was live before.
    """
    if product.journal() is None:
        return False
    live = product.live()
    release = product.release(live.release) if live else None
    for instance in product.instances():
        instance.tidy()
        if live and release:
            kept = {name: text for name, text in instance.tokens().items() if name == token_file(release)}
            await switch(instance, {**configuration(release, live.split), **kept})
        clear(instance, release)
    product.end()
    return True


def clear(instance: Instance, release: Release | None) -> None:
    """Remove the files of tokens that this release does not use; of none: the whole configuration."""
    kept = token_file(release) if release else None
    for name in (*instance.tokens(), *(() if release else instance.files())):
        if name != kept:
            instance.remove(name)


async def running_texts(instance: Instance) -> Stats | None:
    """What a gateway runs now: versions by statistic; None where none runs. Raises NotAnswering."""
    try:
        return await instance.admin.stats(_STATS)
    except NotRunning:
        return None


def _is_sound(content: bytes) -> bool:
    """Is it a file of resources? A person may have changed it by hand."""
    try:
        return bool(msgspec.json.decode(content, type=_Resources).version_info)
    except (msgspec.DecodeError, RecursionError):
        return False


async def _take(instance: Instance, step: Step) -> None:
    """One step, until Envoy runs it. Refused, with the reason, if it does not."""
    before, log_end = await _stats(instance), _size(instance.folder / "envoy.log")
    if step.content is None:
        instance.remove(step.file)
    else:
        instance.write(step.file, step.content)
    if before is None:
        return
    if step.confirm:
        await _confirmed(instance, step, before, log_end)
    await asyncio.sleep(step.settle)


async def _confirmed(instance: Instance, step: Step, before: Stats, log_end: int) -> None:
    ends, restarted = time.monotonic() + CONFIRM_WITHIN, False
    while time.monotonic() < ends:
        now = await _stats(instance)
        if now is None:  # it died: whoever watches it starts it again, and it reads what is on disk
            restarted = True
        elif _refusals(now, step.confirm) > _refusals({} if restarted else before, step.confirm):
            raise Refused(f"Envoy refuses {step.file}: {await _why(instance, log_end)}")
        elif _says(now, step.confirm) and (restarted or _counted(now, before, step)):
            return
        await asyncio.sleep(_LOOK_EVERY)
    raise Refused(f"Envoy did not confirm {step.file} within {CONFIRM_WITHIN:g} s: {await _why(instance, log_end)}")


def _says(now: Stats, wanted: Mapping[str, str]) -> bool:
    return all(now.get(name) == value for name, value in wanted.items())


def _counted(now: Stats, before: Stats, step: Step) -> bool:
    """Has Envoy taken this file once more? When it goes back to a version that it still shows, only this tells."""
    texts = [text for text in applied(step.file, step.content or b"") if text.endswith(_TEXT)]
    counters = [text.removesuffix(_TEXT) + "update_success" for text in texts if text in step.confirm]
    return all(now.get(counter) != before.get(counter) for counter in counters)


def _refusals(stats: Stats, texts: Iterable[str]) -> int:
    prefixes = [text.removesuffix(_TEXT) for text in texts if text.endswith(_TEXT)]
    return sum(int(stats.get(f"{prefix}update_{no}", 0)) for prefix in prefixes for no in ("rejected", "failure"))


async def _agree(instance: Instance, files: Mapping[str, bytes]) -> None:
    """Envoy runs what is on disk, also where no step was due: a command that was killed may have left it behind.

    A token file may be shown with another's version: while an old listener drains both are in use, by one name.
    """
    wanted = {file: applied(file, content) for file, content in files.items()}
    await _until_says(instance, {name: value for texts in wanted.values() for name, value in texts.items()})
    for file, texts in wanted.items():
        now = await _stats(instance)
        if now is not None and not _says(now, texts):  # the same once more: a rename is what makes Envoy look
            await _take(instance, Step(file=file, content=files[file], confirm=texts))


async def _until_says(instance: Instance, texts: Mapping[str, str]) -> None:
    ends = time.monotonic() + _AGREES_WITHIN
    while (now := await _stats(instance)) is not None and not _says(now, texts) and time.monotonic() < ends:
        await asyncio.sleep(_LOOK_EVERY)


async def _stats(instance: Instance) -> Stats | None:
    try:
        return await running_texts(instance)
    except NotAnswering as error:
        raise Refused(f"the gateway runs but can't be asked: {error}") from None


async def _why(instance: Instance, log_end: int) -> str:
    """Envoy's reason: what it wrote since, or what it remembers of the update that it refused last."""
    if said := _since(instance.folder / "envoy.log", log_end):
        return envoy.reason(said)
    try:
        dump = msgspec.json.decode(await instance.admin.get("/config_dump"))
    except (NotRunning, NotAnswering, msgspec.DecodeError, RecursionError):
        return "it ended, and its log says nothing"
    return next(_error_states(dump), "it gives no reason; see its log")


def _error_states(dump: Any) -> Iterator[str]:
    if isinstance(dump, dict):
        if isinstance(state := dump.get("error_state"), dict):
            yield str(state.get("details", ""))
        for value in dump.values():
            yield from _error_states(value)
    elif isinstance(dump, list):
        for value in dump:
            yield from _error_states(value)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _since(file: Path, start: int) -> str:
    """What was written to a log since it had this size; all of it if it was begun anew."""
    try:
        with open(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as opened:
            opened.seek(start if start <= _size(file) else 0)
            return opened.read(64 * 1024).decode("utf-8", "replace").strip()
    except OSError:
        return ""
