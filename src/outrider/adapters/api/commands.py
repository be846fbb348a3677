"""The operations on commands."""

import re
from collections.abc import Callable

import msgspec
import structlog
from starlette.responses import Response

from outrider.adapters.api import views
from outrider.adapters.api.call import Call
from outrider.adapters.api.resource import answer, page
from outrider.domain.lane import Command
from outrider.domain.lifecycle import State
from outrider.services.creation import Creation, Request

log = structlog.get_logger()

_request = msgspec.json.Decoder(Request)
_PLACE = re.compile("[0-9]{1,18}")
_SERVICE = re.compile("(?=.{1,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NEWEST = 2**63 - 1
_STATES = {state.value: state for state in State}


class Commands:
    """Asking for commands, and following them."""

    def __init__(self, creation: Creation, clock: Callable[[], float]) -> None:
        self._creation = creation
        self._clock = clock

    async def ask(self, call: Call) -> Response:
        key = call.idempotency_key()
        request = await call.decoded(_request)
        command, replayed = await self._creation.ask(
            call.caller.person, call.path["vin"], request, key, call.trace.child()
        )
        headers = {"Location": f"/v1/commands/{command.id}"}
        if replayed:
            headers["Idempotency-Replayed"] = "true"
        if wait := call.wait():
            command = await self._settled(command, wait)
            headers["Preference-Applied"] = f"wait={wait}"
        return answer(views.command(command, self._clock()), 202, headers)

    async def _settled(self, command: Command, wait: int) -> Command:
        """The command after waiting. It was accepted: whatever fails now must not sound as if it was not."""
        try:
            return await self._creation.settled(command, wait)
        except Exception as error:
            log.warning("wait_failed", command=command.id, error=type(error).__name__)
            return command

    async def show(self, call: Call) -> Response:
        command = await self._creation.command(call.caller.person, call.path["id"])
        hops = await self._creation.timeline(command)
        return answer(views.command_with_timeline(command, hops, self._clock()))

    async def cancel(self, call: Call) -> Response:
        command = await self._creation.cancel(call.caller.person, call.path["id"])
        status = 200 if command.state is State.CANCELLED else 202
        return answer(views.command(command, self._clock()), status)

    async def list(self, call: Call) -> Response:
        query = call.query("cursor", "limit", "state", "service")
        limit, before = query.limit(), query.cursor(_PLACE)
        states = query.some_of("state", _STATES)
        found = await self._creation.commands(
            call.caller.person,
            call.path["vin"],
            _NEWEST if before is None else int(before),
            limit + 1,
            None if states is None else [_STATES[state] for state in states],
            query.one("service", _SERVICE, "must be the name of a service, such as door-lock"),
        )
        now = self._clock()
        return page(found, limit, lambda each: str(each.seq), lambda each: views.command(each, now))
