"""Running the gateways of many products: each a process of its own, watched by one that none of them needs.

What can be known to go wrong is looked at before the first is started. A gateway that can't run is left out and named,
and the others run. While they do, the issuers' keys are brought to them and their logs are kept short.
"""

import asyncio
import fcntl
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path

import structlog

from outrider.common.child import ChildError
from outrider.gateway import addresses, envoy, generations, inotify, logs, users
from outrider.gateway.configuration import configuration
from outrider.gateway.draining import GRACE
from outrider.gateway.envoy import NoEnvoy, NotAnswering, NotRunning
from outrider.gateway.faults import Refused
from outrider.gateway.jwks import Keys, KeysUnreadable
from outrider.gateway.keys import LOOK_EVERY as KEYS_EVERY
from outrider.gateway.keys import renew
from outrider.gateway.release import Release
from outrider.gateway.store import Instance, ProductState, State
from outrider.gateway.watched import Gateway

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""How many start at the same time: more would only make each one slow."""
_LOOK_EVERY = 0.5
"""Seconds between two looks at whether others handed over or stopped a gateway; they take longer to do it."""
_ASKED_EVERY = 1.0
"""Seconds between two questions to a gateway whether it still answers; each takes a sixth of a millisecond here."""
_NEWCOMERS_EVERY = 2.0
_AGAIN_EACH = 5
"""In each so many of these turns, those that could not run are tried again."""
_LOGS_EVERY = 5.0


class Watch:
    """The gateways that are watched, by product; and why others are not. `failed` ends, with an error, if this does."""

    def __init__(self) -> None:
        self.gateways: dict[str, Gateway] = {}
        self.broken: dict[str, str] = {}
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.keys = Keys()

    def leave_out(self, name: str, why: str) -> None:
        """This one does not run."""
        self.gateways.pop(name, None)
        if self.broken.get(name) != why:
            log.error("gateway_left_out", product=name, why=why)
        self.broken[name] = why

    def some_are_left(self) -> None:
        """Refused if there is nothing to watch."""
        if not self.gateways:
            raise Refused(*(self.broken.values() or ["there is no product to run"]))


@asynccontextmanager
async def watching(
    state: State, names: Sequence[str], *, own_users: bool = True, grace: float = GRACE, newcomers: bool = False
) -> AsyncIterator[Watch]:
    """The gateways of these products serve what is live until the block ends; then each has `grace` seconds to finish.

    own_users: each gateway is a user of its own, where that can be. newcomers: what is published from now on is
    started, too, and what can't run is tried again. Raises NoEnvoy; and Refused before any is started: somebody watches
    here already, the machine can't have so many, or none can run. What serves already goes on serving.
    """
    envoy.version()
    with _only_watcher(state.folder):
        watch = Watch()
        known = _numbers(state)
        gateways = _prepare(watch, state, names, own_users)
        watch.some_are_left()
        tasks: list[asyncio.Task[None]] = []
        try:
            await _start(watch, gateways)
            watch.some_are_left()
            tasks = [asyncio.create_task(_again_and_again(watch, *work)) for work in _WORK]
            if newcomers:
                tasks.append(asyncio.create_task(_welcome(watch, state, own_users, known)))
            yield watch
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            found = generations.find(gateway.instance for gateway in watch.gateways.values())
            await asyncio.gather(
                *(one.stop(grace, found.get(one.instance.folder, ())) for one in watch.gateways.values())
            )


@contextmanager
def _only_watcher(folder: Path) -> Iterator[None]:
    """Be the one that watches here. The lock goes with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "watcher.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            raise Refused(
                f"the gateways in {folder} are watched by process {pid} already: stop that one, or keep these gateways "
                "in another folder with --state"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def watcher(folder: Path) -> int | None:
    """The process that watches the gateways of a state folder; None: nobody does."""
    try:
        with open(folder / "watcher.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int((folder / "watcher.lock").read_text().strip() or 0) or None
    except OSError:
        return None
    return None


def _live(watch: Watch, state: State, names: Sequence[str]) -> Iterator[tuple[str, Release]]:
    for name in names:
        try:
            product = state.product(name)
            yield name, product.release(product.published().release)
        except Refused as error:
            watch.leave_out(name, str(error))


def _prepare(watch: Watch, state: State, names: Sequence[str], own_users: bool) -> list[Gateway]:
    """What is to be started, without those that can't have their addresses. Refused: the machine can't have so many."""
    releases = dict(_live(watch, state, names))
    products = {name: state.product(name) for name in releases}
    found = generations.find(product.instance() for product in products.values())
    running = {name: found[product.instance().folder] for name, product in products.items()}
    claims = [
        addresses.Claim(
            product=name,
            addresses=addresses.addresses(release.placement),
            processes=tuple(one.process.pid for one in running[name]),
        )
        for name, release in releases.items()
    ]
    taken = addresses.refused(claims)
    for name, why in taken.items():
        watch.leave_out(name, why)
    runnable = {name: release for name, release in releases.items() if name not in taken}
    new = [(products[name], release.placement) for name, release in runnable.items() if not running[name]]
    chosen = users.choose(state, new) if own_users else {}
    gateways = {
        name: Gateway(products[name], release, running[name], chosen.get(name, os.geteuid()))
        for name, release in runnable.items()
    }
    _enough_inotify(gateways, releases)
    watch.gateways |= gateways
    return list(gateways.values())


def _enough_inotify(gateways: Mapping[str, Gateway], releases: Mapping[str, Release]) -> None:
    wanted: Counter[int] = Counter()
    for name, gateway in gateways.items():
        if not gateway.found:
            wanted[gateway.user] += inotify.needed(configuration(releases[name], gateway.product.published().split))
    inotify.check(wanted)


async def _start(watch: Watch, gateways: Iterable[Gateway]) -> None:
    """Start these; whatever keeps one from it, the others start."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def start(gateway: Gateway) -> None:
        async with turn:
            try:
                await _bring_keys(watch, gateway)
                await gateway.start()
                watch.broken.pop(gateway.name, None)
            except Exception as error:
                if not isinstance(error, Refused | ChildError | NoEnvoy | OSError):
                    log.exception("gateway_not_started", product=gateway.name)
                await gateway.unwatch()
                watch.leave_out(gateway.name, f"{gateway.name}: {error}")

    await asyncio.gather(*map(start, gateways))


async def _welcome(watch: Watch, state: State, own_users: bool, known: Mapping[str, int]) -> None:
    """Start what is published, and what could not run until now; forget what was retired."""
    for turn in count(1):
        await asyncio.sleep(_NEWCOMERS_EVERY)
        try:
            now = _numbers(state)
            for name in watch.gateways.keys() - now.keys():
                await watch.gateways.pop(name).stop(0.0)
            changed = {name for name in now if known.get(name) != now[name]}
            again = watch.broken.keys() & now.keys() if turn % _AGAIN_EACH == 0 else set()
            new, known = sorted((changed | again) - watch.gateways.keys()), now
            await _start(watch, _prepare(watch, state, new, own_users) if new else ())
        except Exception as error:  # whatever it is, those that run go on
            log.error("newcomers_not_started", why=str(error))


def _numbers(state: State) -> dict[str, int]:
    """The number of each product's live release."""
    return {name: number for name in state.products() if (number := _number(state.product(name))) is not None}


def _number(product: ProductState) -> int | None:
    """None: nothing is live. 0: that can't be read, which is no reason to end what runs, and concerns no other."""
    try:
        live = product.live()
    except (Refused, OSError):
        return 0
    return live.release if live else None


async def _again_and_again(watch: Watch, every: float, work: Callable[[Watch, Gateway], Awaitable[object]]) -> None:
    """Do this for each gateway, for ever. None waits for another, and what befalls one concerns no other."""
    under_way: dict[str, asyncio.Task[None]] = {}

    async def done(gateway: Gateway) -> None:
        try:
            await work(watch, gateway)
        except Exception:
            log.exception("gateway_not_looked_after", product=gateway.name)
        finally:
            del under_way[gateway.name]

    try:
        while True:
            await asyncio.sleep(every)
            for gateway in list(watch.gateways.values()):
                if gateway.name not in under_way:
                    under_way[gateway.name] = asyncio.create_task(done(gateway))
    except Exception as error:
        watch.failed.set_exception(error)
    finally:
        left = list(under_way.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _follow(_: Watch, gateway: Gateway) -> None:
    await gateway.look()


async def _ask(_: Watch, gateway: Gateway) -> None:
    await gateway.still_answers()


async def _bring_keys(watch: Watch, gateway: Gateway) -> None:
    """Keys that can't be read are said once by whoever reads them; the last good ones stay."""
    try:
        if await renew(gateway.product, watch.keys):
            log.info("keys_renewed", product=gateway.name)
    except KeysUnreadable:
        pass
    except Refused as error:
        log.warning("keys_not_renewed", product=gateway.name, why=str(error))


async def _shorten_logs(_: Watch, gateway: Gateway) -> None:
    await shorten_logs(gateway.instance)


async def shorten_logs(instance: Instance) -> None:
    """Put aside what has become too large of a gateway's logs."""
    if logs.rotate(instance.folder, logs.LARGEST):
        with suppress(NotRunning, NotAnswering):
            await instance.admin.post("/reopen_logs")


_WORK = ((_LOOK_EVERY, _follow), (_ASKED_EVERY, _ask), (KEYS_EVERY, _bring_keys), (_LOGS_EVERY, _shorten_logs))
