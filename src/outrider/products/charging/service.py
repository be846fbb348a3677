"""Charging in memory: stations, and sessions in which a car gains one percent a second.

An upstream as a product team might have it; it knows nothing of gateways. `python service.py --listen 127.0.0.1:7001`
"""

import argparse
import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TARIFFS = {"ac": 0.45, "dc": 0.65}
"""Euros per kWh."""
STATIONS = {"harbour": ("dc", 150.0), "market": ("ac", 22.0), "north-gate": ("dc", 300.0), "old-mill": ("ac", 11.0)}
"""Kind and power in kW, by name."""


class NewSession(msgspec.Struct, forbid_unknown_fields=True):
    """What a caller asks for."""

    station: str
    from_percent: Annotated[int, msgspec.Meta(ge=0, le=99)] = 20
    to_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 80


class Session:
    """One car at one station. What it has charged follows from the clock."""

    def __init__(self, wish: NewSession, rate: float) -> None:
        self.id, self.wish = str(uuid.uuid4()), wish
        self.started_at = datetime.now(UTC)
        self._rate = rate
        self._began = time.monotonic()
        self._stopped_at: float | None = None

    @property
    def percent(self) -> int:
        elapsed = (self._stopped_at or time.monotonic()) - self._began
        # An end below the beginning is reached at once.
        return max(
            self.wish.from_percent, min(self.wish.to_percent, self.wish.from_percent + int(elapsed * self._rate))
        )

    @property
    def state(self) -> str:
        if self.percent >= self.wish.to_percent:
            return "complete"
        return "charging" if self._stopped_at is None else "stopped"

    def stop(self) -> None:
        if self.state == "charging":
            self._stopped_at = time.monotonic()

    def shown(self) -> dict[str, Any]:
        began = self.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        shown = {"id": self.id, "station": self.wish.station, "state": self.state, "percent": self.percent}
        return {**shown, "to_percent": self.wish.to_percent, "started_at": began}


class Charging:
    """The service: `name` is shown in each answer, so that one sees which version gave it; `rate`: percent a second."""

    def __init__(self, name: str = "v1", rate: float = 1.0) -> None:
        self._name, self._rate = name, rate
        self._sessions: dict[str, Session] = {}

    def app(self) -> Starlette:
        routes = [
            Route("/v1/stations", self.list_stations),
            Route("/v1/stations/{station}", self.show_station),
            Route("/v1/tariffs", self.list_tariffs),
            Route("/v1/prices", self.list_prices),
            Route("/v1/sessions", self.start_session, methods=["POST"]),
            Route("/v1/sessions/{session}", self.show_session, methods=["GET"]),
            Route("/v1/sessions/{session}", self.stop_session, methods=["DELETE"]),
            Route("/v1/sessions/{session}/events", self.watch_session),
            Route("/healthz", self.healthz),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _problem})

    async def list_stations(self, request: Request) -> Response:
        limit, after = _limit(request), request.query_params.get("cursor", "")
        only_free = request.query_params.get("free") == "true"
        stations = [self._station(name) for name in sorted(STATIONS) if name > after]
        found = [each for each in stations if each["free"] or not only_free]
        more = found[limit - 1]["name"] if len(found) > limit else None
        return self._answer({"stations": found[:limit], "next": more})

    async def show_station(self, request: Request) -> Response:
        name = request.path_params["station"]
        if name not in STATIONS:
            raise HTTPException(404, f"station_unknown: There is no station {name}.")
        return self._answer(self._station(name))

    async def list_tariffs(self, request: Request) -> Response:
        tariffs = [{"kind": kind, "per_kwh": price, "currency": "EUR"} for kind, price in TARIFFS.items()]
        return self._answer({"tariffs": tariffs})

    async def list_prices(self, request: Request) -> Response:
        return self._answer(TARIFFS)

    async def start_session(self, request: Request) -> Response:
        try:
            wish = msgspec.json.decode(await request.body(), type=NewSession)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise HTTPException(422, f"wrong_parameter: {error}") from None
        if wish.station not in STATIONS:
            raise HTTPException(422, f"station_unknown: There is no station {wish.station}.")
        if not self._is_free(wish.station):
            raise HTTPException(409, f"station_busy: Somebody charges at {wish.station}.")
        session = Session(wish, self._rate)
        self._sessions[session.id] = session
        return self._answer(session.shown(), 201, {"location": f"/v1/sessions/{session.id}"})

    async def show_session(self, request: Request) -> Response:
        return self._answer(self._session(request).shown())

    async def stop_session(self, request: Request) -> Response:
        session = self._session(request)
        session.stop()
        return self._answer(session.shown())

    async def watch_session(self, request: Request) -> Response:
        headers = {"x-served-by": self._name, "cache-control": "no-store"}
        return StreamingResponse(_events(self._session(request)), media_type="text/event-stream", headers=headers)

    async def healthz(self, request: Request) -> Response:
        return self._answer({"status": "alive"})

    def _answer(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        return JSONResponse(value, status, {"x-served-by": self._name, **(headers or {})})

    def _station(self, name: str) -> dict[str, Any]:
        kind, power = STATIONS[name]
        return {"name": name, "kind": kind, "power_kw": power, "free": self._is_free(name)}

    def _is_free(self, name: str) -> bool:
        return not any(each.wish.station == name and each.state == "charging" for each in self._sessions.values())

    def _session(self, request: Request) -> Session:
        session = self._sessions.get(request.path_params["session"])
        if session is None:
            raise HTTPException(404, "session_unknown: There is no such session.")
        return session


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "50")
    if not (given.isdecimal() and len(given) < 4 and 1 <= int(given) <= 100):
        raise HTTPException(422, "wrong_parameter: limit must be a whole number from 1 to 100.")
    return int(given)


async def _events(session: Session) -> AsyncIterator[bytes]:
    """What a session becomes, second by second; the last event says how it ended."""
    number = 0
    while session.state == "charging":
        number += 1
        yield _event(number, "progress", session)
        await asyncio.sleep(1.0)
    yield _event(number + 1, "ended", session)


def _event(number: int, kind: str, session: Session) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), msgspec.json.encode(session.shown()))


async def _problem(request: Request, error: Exception) -> Response:
    """A problem document (RFC 9457). `detail` is `code: sentence` where this service raised it."""
    assert isinstance(error, HTTPException)
    code, found, detail = error.detail.partition(": ")
    if not found:
        code, detail = error.detail.lower().replace(" ", "_"), error.detail
    title = code.replace("_", " ").capitalize()
    shown = {"type": f"/problems/{code}", "title": title, "status": error.status_code, "detail": detail, "code": code}
    return JSONResponse(shown, error.status_code, error.headers, media_type="application/problem+json")


def main() -> None:
    parser = argparse.ArgumentParser(description="The charging service, in memory.")
    parser.add_argument("--listen", default="127.0.0.1:7001", metavar="HOST:PORT")
    parser.add_argument("--name", default="v1", help="shown in the header x-served-by")
    parser.add_argument("--rate", type=float, default=1.0, help="percent that a car gains in a second")
    given = parser.parse_args()
    host, _, port = given.listen.rpartition(":")
    app = Charging(given.name, given.rate).app()
    uvicorn.run(app, host=host, port=int(port), log_level="warning", access_log=False, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main()
