"""What holds for every request, whatever it asks: one thin layer between Starlette's router and the operations."""

import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from outrider.adapters.api.call import Call, cursor_at, read_headers
from outrider.adapters.api.metrics import Metrics
from outrider.adapters.api.problem import document_of
from outrider.adapters.api.trace import Trace, trace_of
from outrider.adapters.tokens import Tokens
from outrider.common import problems
from outrider.domain.errors import (
    MethodNotAllowed,
    NotFound,
    OutriderError,
    ScopeMissing,
    TemporarilyUnavailable,
    TooLarge,
)
from outrider.domain.registry import VIN
from outrider.services.needs import StoreUnavailable

log = structlog.get_logger()

T = TypeVar("T")

Act = Callable[[Call], Awaitable[Response]]

_NO_STORE = {"Cache-Control": "no-store"}
_READS = frozenset({"GET", "HEAD"})
_HEADERS: Mapping[str, Mapping[str, str]] = {
    "token_missing": {"WWW-Authenticate": "Bearer"},
    "token_invalid": {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    "token_expired": {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="expired"'},
    "scope_missing": {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
    "too_large": {"Connection": "close"},  # the rest of the body is not read
}
"""What an error says in headers beside its problem document."""


class Operation(msgspec.Struct, frozen=True):
    """What one method of one path does, and the scope that a token needs for it; None: no token is asked for."""

    method: str
    path: str
    scope: str | None
    act: Act


class Resource:
    """One path with its operations: an ASGI application that always answers, and never with a traceback."""

    def __init__(self, path: str, operations: Mapping[str, Operation], tokens: Tokens, metrics: Metrics) -> None:
        self.path = path
        self.operations = dict(operations)
        if "GET" in operations:
            self.operations["HEAD"] = operations["GET"]  # the server leaves the body out
        self._allow = ", ".join(sorted(self.operations))
        self._tokens = tokens
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        started, method = time.perf_counter(), scope["method"]
        headers = read_headers(scope)
        trace = trace_of(headers.get("traceparent"))
        call = Call(scope, receive, headers, trace)
        try:
            response = await self._answer(method, call)
        except OutriderError as error:
            if isinstance(error, TooLarge):
                await call.discard_body()
            response = _problem(error, trace)
        except StoreUnavailable as error:
            log.warning("store_unavailable", method=method, route=self.path, trace_id=trace.id, error=str(error))
            response = _problem(_not_stored(method), trace)
        except ClientDisconnect:
            return  # nobody is left to hear it
        except Exception as error:
            _log_failure(error, method, self.path, trace)
            response = _problem(_internal(method), trace)
        if response.status_code == MethodNotAllowed.status:
            response.headers["Allow"] = self._allow
        self._metrics.count(method, self.path, response.status_code, time.perf_counter() - started)
        await response(scope, receive, send)

    async def _answer(self, method: str, call: Call) -> Response:
        """The checks in order: what costs least comes first, and nothing of a body is read for a stranger."""
        call.check_length()
        if not self.operations:
            raise NotFound("There is nothing here; GET /openapi.json describes everything that there is.")
        operation = self.operations.get(method)
        if operation is None:
            raise MethodNotAllowed(f"Use {self._allow} here.")
        if operation.scope is not None:
            call.caller = await self._tokens.verify(call.token())
            if operation.scope not in call.caller.scopes:
                raise ScopeMissing(f"This needs a token with the scope {operation.scope}; get one that has it.")
        return await operation.act(call)


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, for this caller only."""
    all_headers = _NO_STORE if headers is None else {**_NO_STORE, **headers}
    return Response(msgspec.json.encode(value), status, all_headers, "application/json")


def page(found: Sequence[T], limit: int, place: Callable[[T], str], shown: Callable[[T], Any]) -> Response:
    """A page of at most `limit` items, and where the next begins: one item more was looked for than fits."""
    items = found[:limit]
    following = cursor_at(place(items[-1])) if len(found) > limit else None
    return answer({"items": [shown(item) for item in items], "next": following})


def _problem(error: OutriderError, trace: Trace) -> Response:
    headers = {**_NO_STORE, **_HEADERS.get(error.code, {})}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return Response(document_of(error, trace), error.status, headers, problems.MEDIA_TYPE)


def _not_stored(method: str) -> OutriderError:
    return TemporarilyUnavailable(
        "The database can't be used now. Repeat the request, with the same Idempotency-Key if it asks for a command.",
        retry_after=2,
        may_have_happened=method not in _READS,
    )


def _internal(method: str) -> OutriderError:
    if method in _READS:
        return OutriderError("This is our fault and was logged; tell the operator the trace_id.")
    return OutriderError(
        "This is our fault and was logged. It may have been done: look before you repeat it, or repeat it with the same"
        " Idempotency-Key.",
        may_have_happened=True,
    )


def _log_failure(error: Exception, method: str, route: str, trace: Trace) -> None:
    """Where it happened and what was said, without VINs and without the values of variables."""
    said = VIN.sub("(a VIN)", f"{type(error).__name__}: {error}")
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("request_failed", method=method, route=route, trace_id=trace.id, error=said, where=where)
