"""The platform as the command line sees it: where it is, who asks, what it answers.

Only this module knows how a platform and a token are found, and what each way of not being answered is called.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from outrider.adapters.data_folder import Note, where

OPERATOR = "operator"
"""The person that a token minted for the command line is for."""
OWN_TOKEN_TTL = 24 * 3600.0
"""Seconds for which it is valid: a command may be followed for hours."""
PAGE = 200
"""Items in one page of a list, the most that the API gives."""
AT_ONCE = 16
"""Requests under way at the same time, where there are many to make."""
TOO_QUICK = frozenset(("person_limit", "client_limit", "product_limit"))
"""The codes with which a gateway refuses a request because of how many there were before; nothing was done."""
NOBODY_BEHIND = "not_reached"
"""The code with which the gateway of a platform that was killed answers; nothing was done."""
SLOWED_DOWN_FOR = 60.0
"""Seconds for which a request that is refused so is repeated."""
PATIENCE = 15.0
"""Seconds to wait for one answer, beyond what the request itself asks the platform to wait."""

T = TypeVar("T")


class NotReachable(Exception):
    """No platform answers; the message says what to do."""


class Refused(Exception):
    """The platform said no; `problem` is its RFC 9457 document."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("title", "refused"))
        self.problem = problem


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Which platform is meant, as the options say it. None: found in the data folder."""

    data: Path
    url: str | None = None
    token: str | None = None

    def address(self) -> str:
        """Where its API is. Raises NotReachable."""
        if self.url:
            return self.url.rstrip("/")
        return self._told().api

    def way_behind(self) -> str | None:
        """How to reach the API behind a gateway that speaks TLS: its certificate is for a name that we don't know.

        The path of a Unix socket, or an address; None where the public address will do. Raises NotReachable.
        """
        return None if self.url or not self._told().api.startswith("https:") else self._told().behind

    def _told(self) -> Note:
        told = where(self.data)
        if told is None:
            raise NotReachable(_NOT_RUNNING.format(data=self.data))
        return told

    def bearer(self, person: str = OPERATOR) -> str:
        """The token to show: the one given, else one minted for this person with the folder's development key.

        Raises NotReachable.
        """
        if self.token:
            return self.token
        from outrider.adapters.dev_key import mint

        try:
            return mint(self.data / "keys", person, "commands admin", OWN_TOKEN_TTL)
        except (OSError, ValueError):
            raise NotReachable(
                f"No token: {self.data} has no key to make one with. Give --token, set OUTRIDER_TOKEN, "
                "or name the platform's own folder with --data."
            ) from None


_NOT_RUNNING = "No platform is running for {data}: start one with `outrider up`"


class Platform:
    """A running platform, asked over HTTP. Every method raises Refused or NotReachable."""

    def __init__(self, target: Target, http: Any, person: str) -> None:
        self.target = target
        self.person = person
        self._http = http

    async def get(self, path: str, **query: Any) -> Any:
        """What is there. Query members that are None are left out."""
        return await self._ask("GET", path, params={k: v for k, v in query.items() if v is not None})

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        """What came of it. `key`: the Idempotency-Key, with which a repeat does nothing new."""
        headers = {} if key is None else {"Idempotency-Key": key}
        content = msgspec.json.encode(body)
        return await self._ask("POST", path, content=content, headers={"Content-Type": "application/json", **headers})

    async def delete(self, path: str) -> Any:
        """What came of it."""
        return await self._ask("DELETE", path)

    async def items(self, path: str, *, limit: int | None = None, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """A list, page by page as it is read; `limit` items at most (None: all)."""
        cursor, left = None, limit
        while left is None or left > 0:
            page = await self.get(path, limit=min(PAGE, left or PAGE), cursor=cursor, **query)
            for item in page["items"]:
                yield item
            left = None if left is None else left - len(page["items"])
            cursor = page.get("next")
            if cursor is None:
                return

    async def _ask(self, method: str, path: str, **request: Any) -> Any:
        """The answer; a gateway that finds us too quick is asked again when it says so."""
        gives_up = monotonic() + SLOWED_DOWN_FOR
        while True:
            response = await self._request(method, path, **request)
            if response.is_success:
                return _decoded(response)
            problem = _problem(response)
            if problem.get("code") == NOBODY_BEHIND and not self.target.url:
                raise NotReachable(_NOT_RUNNING.format(data=self.target.data))
            if problem.get("code") not in TOO_QUICK or monotonic() > gives_up:
                raise Refused(problem)
            await asyncio.sleep(_seconds(response.headers.get("Retry-After")))

    async def _request(self, method: str, path: str, **request: Any) -> Any:
        import httpx

        try:
            return await self._http.request(method, path, **request)
        except httpx.TimeoutException:
            raise NotReachable(
                f"{self._http.base_url} did not answer within {PATIENCE:g} s; what was asked may have been done."
            ) from None
        except httpx.TransportError as error:
            raise NotReachable(self._unreachable(error)) from None

    def _unreachable(self, error: Exception) -> str:
        if self.target.url:
            return f"No platform answers at {self.target.url}: {error or type(error).__name__}"
        return _NOT_RUNNING.format(data=self.target.data)


def path(pattern: str, *parts: str) -> str:
    """`path("/v1/vehicles/{}", vin)`: whatever was typed stays one part of the path."""
    return pattern.format(*(quote(part, safe="") for part in parts))


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Platform]:
    """Inside, the platform can be asked. Raises NotReachable where it is not known where it is, or who asks."""
    way, token = target.way_behind() or target.address(), target.bearer()
    import httpx

    socket, address = (way, "http://localhost") if way.startswith("/") else (None, way)
    try:
        http = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {token}", "User-Agent": "outrider-cli"},
            timeout=PATIENCE,
            transport=httpx.AsyncHTTPTransport(uds=socket, verify=False) if socket else None,
            limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE),
            # A proxy is no way to this machine.
            trust_env=not address.startswith(("http://127.0.0.1", "http://localhost")),
            # Where there is no TLS, the list of authorities is not needed, and reading it is slow.
            verify=not address.lower().startswith("http://"),
        )
    except httpx.InvalidURL:
        raise NotReachable(f"{address!r} is no address; write it as http://HOST:PORT") from None
    async with http:
        yield Platform(target, http, person_of(token))


async def side_by_side(work: Callable[[T], Awaitable[None]], over: Iterable[T]) -> None:
    """Do it for each, a few at once. The first that raises ends the rest, and its error is raised."""
    waiting = iter(over)

    async def one_after_another() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(one_after_another())
    except* (Refused, NotReachable) as failed:
        raise _first(failed) from None


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def person_of(token: str) -> str:
    """Whose token it is. Read, not verified: whether it counts is the platform's to say."""
    try:
        body = token.split(".")[1]
        return str(msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"])
    except (IndexError, KeyError, TypeError, ValueError, msgspec.MsgspecError):
        return OPERATOR


def _decoded(response: Any) -> Any:
    try:
        return msgspec.json.decode(response.content) if response.content else None
    except msgspec.DecodeError:
        raise NotReachable(f"{response.url} answers, but is no Outrider platform") from None


def _seconds(retry_after: str | None) -> float:
    """How long to wait, as the header says it."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else 1.0


def _problem(response: Any) -> Mapping[str, Any]:
    """The problem document; one of our own making where a proxy or a stranger answered."""
    try:
        problem = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        problem = None
    if isinstance(problem, dict):
        return {"status": response.status_code, "title": response.reason_phrase, **problem}
    return {"status": response.status_code, "title": response.reason_phrase, "detail": f"{response.url} said no more."}
