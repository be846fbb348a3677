"""One gateway while it is watched: started or taken over, started again when it dies, handed over, drained and ended.

What serves is what its record says. So others can hand it over or stop it while it is watched, and need not tell: the
watch follows the record to the next Envoy, and waits where there is none.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence

import structlog

from outrider.common.child import Child, ChildError
from outrider.common.processes import end, until_gone
from outrider.gateway import envoy, generations, users
from outrider.gateway.configuration import static_form
from outrider.gateway.draining import HAND_OVER_GRACE
from outrider.gateway.envoy import NotAnswering, NotRunning
from outrider.gateway.faults import Refused
from outrider.gateway.files import problem
from outrider.gateway.generations import Generation
from outrider.gateway.release import Release
from outrider.gateway.starting import bring_up
from outrider.gateway.store import ProductState
from outrider.gateway.switching import finish

log = structlog.get_logger(__name__)

_FORGOTTEN_AFTER = 600.0
"""Seconds in which others end an Envoy that they handed over or stopped; later this is done here."""
_ANSWERS_WITHIN = 2.0
"""Seconds for one that serves to answer; it takes a millisecond."""
_HANGS_AFTER = 5
"""So many questions in a row without an answer, and it is taken to hang."""


class Gateway:
    """One product's gateway. found: those of its Envoys that ran before. user: as whom it is started."""

    def __init__(self, product: ProductState, release: Release, found: Sequence[Generation], user: int) -> None:
        self.name = product.name
        self.product = product
        self.instance = product.instance()
        self.address = release.placement.listen
        self.user = found[-1].user if found else user
        self.found = tuple(found)
        self._child: Child | None = None
        self._number = 0
        self._restarts = 0
        self._silent = 0
        self._seen: tuple[int, int] | None = None
        self._leaving: dict[asyncio.Task[None], Generation] = {}
        self._changing = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process that serves; None while there is none."""
        return self._child.process.pid if self._child and self._child.process else None

    @property
    def restarts(self) -> int:
        """How often it died and was started again since it is watched."""
        return self._restarts + (self._child.restarts if self._child else 0)

    async def start(self) -> None:
        """Make it serve what is live: the newest Envoy that runs is taken over, or one is started.

        Raises Refused, ChildError, NoEnvoy, OSError.
        """
        async with self._changing:
            await self._start()

    async def look(self) -> None:
        """Follow the record to where others have led it."""
        if not self._changing.locked():
            async with self._changing:
                await self._look()

    async def still_answers(self) -> None:
        """End it if it has not answered for so long that it hangs; then it is started again."""
        its, asked = self._present(), time.monotonic()
        if not (its and self._child and self._child.watched):
            self._silent = 0
            return
        try:
            await generations.admin(self.instance, self._number, _ANSWERS_WITHIN).get("/ready")
        except NotAnswering:
            if time.monotonic() - asked > 2 * _ANSWERS_WITHIN or its != self._present():
                return  # so busy is this process, or the machine, that it tells nothing of the other one
            self._silent += 1
        except NotRunning:  # it is about to start, or has ended
            self._silent = 0
        else:
            self._silent = 0
        if self._silent >= _HANGS_AFTER:
            self._silent = 0
            log.error("gateway_hangs", product=self.name, pid=self.pid)
            await end(its[0].process, 0.0)

    async def unwatch(self) -> None:
        """Leave it as it is; it goes on."""
        if self._child:
            await self._child.unwatch()

    async def stop(self, grace: float, found: Sequence[Generation] = ()) -> None:
        """Drain and end all of it, at most `grace` seconds and a moment. found: all of its Envoys that run now, for
        others may just have started one.
        """
        leaving = {one.process.pid: one for one in (*self._leaving.values(), *self._present(), *found)}
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self.unwatch()
        await asyncio.gather(*(generations.dismiss(self.instance, one, grace=grace) for one in leaving.values()))
        if self._child:
            await self._child.stop()
            self._child = None
        if leaving:
            try:
                self.instance.set_process(None)
            except OSError as error:  # whoever broke into it may have been at its folder, and others are to stop, too
                log.error("gateway_record_damaged", product=self.name, why=problem(error))
            log.info("gateway_stopped", product=self.name)

    async def _start(self) -> None:
        async with self.product.locked():
            serves = await generations.serving(self.instance, self.found)
            if serves:
                self._follow(await generations.take_over(self.instance, serves, self._again), serves.number)
                await self._try_to_finish()
            else:
                self._follow(*await bring_up(self.product, self.found, self.user, self._again))
        generations.tidy(self.instance, [*self.found, *self._present()])
        log.info("gateway_serves", product=self.name, address=str(self.address), pid=self.pid, adopted=bool(serves))
        for other in self.found:
            if other is not serves:
                self._part(other, None)
        if serves and not generations.is_current(self.instance, serves):
            await self._try_to_hand_over()

    async def _look(self) -> None:
        changed = generations.when_recorded(self.instance)
        settled = self._child.watched if self._child else changed is None
        if changed == self._seen and settled:
            return
        self._seen, started = changed, generations.recorded(self.instance)
        if started is None:
            if self._child and generations.is_damaged(self.instance):
                await self._record_again()
            elif self._child:
                log.info("gateway_stopped_by_others", product=self.name, pid=self.pid)
                self._let_go()
            return
        if any(one.process.is_same(started.process) for one in self._present()):
            return
        found = generations.find([self.instance]).get(self.instance.folder, [])
        serves = next((one for one in found if one.process.is_same(started.process)), None)
        if serves:
            log.info("gateway_taken_over", product=self.name, pid=serves.process.pid)
            self._let_go()
            self._follow(await generations.take_over(self.instance, serves, self._again), serves.number)
        elif not (self._child and self._child.watched):  # its successor is dead already
            self._let_go()
            async with self.product.locked():
                if generations.when_recorded(self.instance) == changed:
                    await self._begin()

    async def _try_to_finish(self) -> None:
        """What a killed command left of a switch; if it can't be, what runs goes on as it is."""
        try:
            await finish(self.product)
        except Refused as error:
            log.error("switch_not_finished", product=self.name, why=str(error))

    async def _try_to_hand_over(self) -> None:
        """The next generation takes over, and then the present one finishes."""
        old = self._present()[0]
        log.info("gateway_hands_over", product=self.name, pid=old.process.pid)
        try:
            async with self.product.locked():
                live = self.product.published()
                await envoy.validate(static_form(self.product.release(live.release), live.split, None))
                child, number = await generations.succeed(self.instance, old, self._again)
        except (Refused, ChildError, OSError) as error:
            log.error("gateway_not_handed_over", product=self.name, pid=old.process.pid, why=str(error))
            return
        child_before = self._child
        self._follow(child, number)
        self._part(old, child_before)

    async def _record_again(self) -> None:
        """The record was damaged, and what runs goes on."""
        log.error("gateway_record_damaged", product=self.name, pid=self.pid)
        if self._child and self._child.watched and self._child.process:
            generations.record(self.instance, self._child.process, self._number)
            self._seen = generations.when_recorded(self.instance)
        else:
            self._let_go()
            async with self.product.locked():
                if generations.is_damaged(self.instance):
                    await self._begin()

    async def _begin(self) -> None:
        users.give(self.instance, self.user)
        child, number = await generations.begin(self.instance, self.found, self.user, self._again)
        self._follow(child, number)

    def _again(self) -> bool:
        """Asked at each death: is it still this one that is to serve?"""
        if generations.is_damaged(self.instance):
            return True
        started = generations.recorded(self.instance)
        return started is not None and (self.pid == started.process.pid or not started.process.alive())

    def _follow(self, child: Child, number: int) -> None:
        self._restarts = self.restarts
        self._child, self._number = child, number
        self._seen = generations.when_recorded(self.instance)

    def _present(self) -> list[Generation]:
        if not (self._child and self._child.process):
            return []
        return [Generation(process=self._child.process, number=self._number, user=self.user)]

    def _let_go(self) -> None:
        """Somebody else ends it; it is only waited for."""
        if child := self._child:
            for one in self._present():
                self._spawn(self._until_gone(one, child), one)
            self._restarts, self._child = self.restarts, None

    def _part(self, old: Generation, child: Child | None) -> None:
        """One that has been succeeded finishes what it has to do; nobody waits for it."""
        self._spawn(self._retired(old, child), old)

    async def _retired(self, old: Generation, child: Child | None) -> None:
        if child:
            await child.unwatch()
        await generations.dismiss(self.instance, old, grace=HAND_OVER_GRACE, succeeded=True)
        if child:
            await child.stop()
        log.info("gateway_retired", product=self.name, pid=old.process.pid)

    async def _until_gone(self, old: Generation, child: Child) -> None:
        await child.unwatch()
        try:
            async with asyncio.timeout(_FORGOTTEN_AFTER):
                await until_gone(old.process)
        except TimeoutError:  # whoever was to end it was killed
            await generations.dismiss(self.instance, old, grace=HAND_OVER_GRACE, succeeded=True)
        await child.stop()

    def _spawn(self, work: Coroutine[None, None, None], about: Generation) -> None:
        task = asyncio.create_task(work)
        self._leaving[task] = about
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        old = self._leaving.pop(task, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("gateway_not_retired", product=self.name, pid=old and old.process.pid, why=repr(error))
