"""One request as the operations see it: reading what the caller wrote, strictly, and saying what is wrong with it."""

import asyncio
import base64
import re
from collections.abc import Collection, Mapping
from typing import TypeVar
from urllib.parse import parse_qs

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from outrider.adapters.api.trace import Trace
from outrider.adapters.tokens import Caller
from outrider.domain.catalog import Complaint
from outrider.domain.errors import (
    MalformedRequest,
    TokenInvalid,
    TokenMissing,
    TooLarge,
    WrongMediaType,
    WrongParameter,
)

T = TypeVar("T")

LARGEST_BODY = 64 * 1024
MOST_DISCARDED = 1024 * 1024
DISCARDED_FOR = 2.0
LONGEST_WAIT = 60
MOST_PER_PAGE = 200
PER_PAGE = 50

_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]+=*)")
_VISIBLE = re.compile(r"[!-~]{1,128}")
_WAIT = re.compile(r"wait=([1-9][0-9]{0,8})")
_WHERE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>\$.*)`)?", re.DOTALL)
_MEMBER = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
_WHAT = {"missing required": "is required", "contains unknown": "is not known here"}


class Call:
    """A request to one operation. `path` has the parts of the path by name; `caller` is set where a token is needed."""

    __slots__ = ("_receive", "_scope", "caller", "headers", "path", "trace")

    def __init__(self, scope: Scope, receive: Receive, headers: Mapping[str, str], trace: Trace) -> None:
        self._scope = scope
        self._receive = receive
        self.headers = headers
        self.trace = trace
        self.path: Mapping[str, str] = scope.get("path_params", {})
        self.caller = Caller("", frozenset())

    def token(self) -> str:
        """The token, which comes in the Authorization header and nowhere else. Raises TokenMissing, TokenInvalid."""
        header = self.headers.get("authorization")
        if header is None:
            raise TokenMissing("Send a token: `Authorization: Bearer TOKEN`.")
        match = _BEARER.fullmatch(header)
        if match is None:
            raise TokenInvalid("Send one token in one header: `Authorization: Bearer TOKEN`.")
        return match[1]

    def idempotency_key(self) -> str | None:
        """The caller's own name for this request. Raises MalformedRequest."""
        key = self.headers.get("idempotency-key")
        if key is not None and not _VISIBLE.fullmatch(key):
            raise MalformedRequest("Idempotency-Key must be 1 to 128 visible ASCII characters; a UUID is a good one.")
        return key

    def wait(self) -> int:
        """For how many seconds the caller would rather wait (`Prefer: wait=10`); 0 for not at all.

        A preference that is not understood is ignored (RFC 7240), one that is too long is cut.
        """
        for preference in self.headers.get("prefer", "").split(","):
            if match := _WAIT.fullmatch(preference.strip().replace(" ", "")):
                return min(int(match[1]), LONGEST_WAIT)
        return 0

    def check_length(self) -> None:
        """Refuse a body that says itself that it is too large. Raises TooLarge."""
        length = self.headers.get("content-length", "0")
        if length.isdigit() and int(length[:20]) > LARGEST_BODY:
            raise _too_large()

    async def decoded(self, decoder: "msgspec.json.Decoder[T]", *, empty: bytes = b"") -> T:
        """The body as the value it must be; `empty` stands for a body that was left out.

        Raises TooLarge, WrongMediaType, MalformedRequest, WrongParameter.
        """
        body = await self._body()
        if not body and empty:
            body = empty
        elif not _is_json(self.headers):
            raise WrongMediaType("Send JSON, plain, with `Content-Type: application/json`.")
        try:
            return decoder.decode(body)
        except msgspec.ValidationError as error:
            raise WrongParameter(
                "The body is not what is asked for here; see errors.", errors=[_complaint(error)]
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedRequest(f"The body is not JSON: {_first_line(error)}.") from None
        except RecursionError:
            raise MalformedRequest("The body is nested too deeply.") from None

    async def discard_body(self) -> None:
        """Read on for a moment and keep nothing: a connection that is closed over unread data loses the answer too."""
        if "expect" in self.headers:
            return  # the caller waits for us and has not sent it
        left = MOST_DISCARDED
        try:
            async with asyncio.timeout(DISCARDED_FOR):
                while left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            pass

    async def _body(self) -> bytes:
        """The whole body, counted while it comes: a length need not be given, nor be true."""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ClientDisconnect
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > LARGEST_BODY:
                raise _too_large()
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    def query(self, *known: str) -> "Query":
        """The query. Raises WrongParameter if it has a member that is not known here."""
        try:
            values = parse_qs(self._scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise MalformedRequest("The query has too many members.") from None
        if unknown := values.keys() - known:
            raise wrong(min(unknown), f"is not known here; known: {', '.join(known) or 'none'}")
        return Query(values)


class Query:
    """The members of a query."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def many(self, name: str) -> list[str]:
        """All values that were given."""
        return self._values.get(name, [])

    def one(self, name: str, pattern: "re.Pattern[str]", must: str) -> str | None:
        """The value, if it was given; `must` says in words what the pattern asks for. Raises WrongParameter."""
        values = self.many(name)
        if not values:
            return None
        if len(values) > 1 or not pattern.fullmatch(values[0]):
            raise wrong(name, must)
        return values[0]

    def some_of(self, name: str, options: Collection[str]) -> list[str] | None:
        """The values, each one of the options, at most as many; None where none was given. Raises WrongParameter."""
        values = self.many(name)
        if len(values) > len(options) or any(value not in options for value in values):
            raise wrong(name, f"must be one of {', '.join(options)}, each once")
        return values or None

    def limit(self) -> int:
        """How many items a page may have. Raises WrongParameter."""
        must = f"must be a whole number from 1 to {MOST_PER_PAGE}"
        given = self.one("limit", _NUMBER, must)
        limit = PER_PAGE if given is None else int(given)
        if not 1 <= limit <= MOST_PER_PAGE:
            raise wrong("limit", must)
        return limit

    def cursor(self, pattern: "re.Pattern[str]") -> str | None:
        """Where the page begins. Raises WrongParameter if no list of this kind gave it."""
        values = self.many("cursor")
        if not values:
            return None
        try:
            padding = "=" * (-len(values[0]) % 4)
            place = base64.b64decode(values[0] + padding, b"-_", validate=True).decode()
        except ValueError:
            place = ""
        if len(values) > 1 or not pattern.fullmatch(place):
            raise wrong("cursor", "must be the `next` of the page before, as it was given")
        return place


_NUMBER = re.compile("[0-9]{1,9}")


def cursor_at(place: str) -> str:
    """The cursor of the page that begins after this place."""
    return base64.urlsafe_b64encode(place.encode()).rstrip(b"=").decode()


def read_headers(scope: Scope) -> dict[str, str]:
    """The headers; one that comes twice is joined with a comma, as HTTP has it, which makes no valid token of two."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _is_json(headers: Mapping[str, str]) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" and headers.get("content-encoding", "identity") == "identity"


def _complaint(error: msgspec.ValidationError) -> Complaint:
    """Where and what, out of a sentence such as "Expected `str`, got `int` - at `$.service`"."""
    match = _WHERE.fullmatch(str(error))
    what, path = (match["what"], (match["path"] or "$")[1:].lstrip(".")) if match else (str(error), "")
    if member := _MEMBER.fullmatch(what):
        return Complaint(field=f"{path}.{member[2]}".lstrip("."), message=_WHAT[member[1]])
    return Complaint(field=path, message=what)


def _first_line(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error).splitlines()[0]


def wrong(field: str, message: str) -> WrongParameter:
    """The error for one field; the message says what it must be, or is."""
    return WrongParameter(f"{field} {message}.", errors=[Complaint(field=field, message=message)])


def _too_large() -> TooLarge:
    return TooLarge(f"The body may have at most {LARGEST_BODY} bytes.")
