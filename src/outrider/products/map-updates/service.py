"""Map updates in memory: regions with packages that cars fetch, by parts if they like, and editors publish.

An upstream as a product team might have it; it knows nothing of gateways. `python service.py --listen 127.0.0.1:7003`
"""

import argparse
import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

MIB = 1024 * 1024
SHIPPED = {("benelux", "2026.4"): 4, ("benelux", "2026.11"): 8, ("alps", "2026.11"): 64, ("iberia", "2026.9"): 24}
"""Packages that are there from the start, in MiB."""
PIECE = 64 * 1024
"""Bytes that are sent at once."""
_VERSION = re.compile(r"[0-9]{4}\.[0-9]{1,2}")


class Check(msgspec.Struct, forbid_unknown_fields=True):
    """What a car says that it has."""

    installed: str


class Package:
    """One package. Shipped ones are made up as they are read, so that 100 MiB of map need no memory."""

    def __init__(self, size: int, content: bytes | None = None) -> None:
        self.size = size
        self._content = content
        self._block = b"" if content is not None else hashlib.shake_256(str(size).encode()).digest(PIECE)
        self.etag = f'"{hashlib.sha256(content or self._block).hexdigest()[:16]}-{size}"'

    def same_as(self, content: bytes) -> bool:
        return self._content == content

    def piece(self, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`, PIECE of them at most, and none across a border between pieces."""
        end = min(end, start - start % PIECE + PIECE)
        if self._content is not None:
            return self._content[start:end]
        return self._block[start % PIECE : start % PIECE + end - start]


class MapUpdates:
    """The service: `name` is shown in each answer; `pace`: bytes a second of each download, 0: as fast as it goes."""

    def __init__(self, name: str = "v1", pace: int = 0) -> None:
        self._name, self._pace = name, pace
        self._packages = {key: Package(size * MIB) for key, size in SHIPPED.items()}

    def app(self) -> Starlette:
        package = "/v1/regions/{region}/packages/{version}.map"
        routes = [
            Route("/v1/regions", self.list_regions),
            Route("/v1/regions/{region}", self.show_region),
            Route("/v1/regions/{region}/checks", self.check_for_update, methods=["POST"]),
            Route(package, self.download_package, methods=["GET"]),
            Route(package, self.publish_package, methods=["PUT"]),
            Route("/healthz", self.healthz),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _problem})

    async def list_regions(self, request: Request) -> Response:
        names = sorted({region for region, _ in self._packages})
        return self._answer({"regions": [{"name": name, "newest": self._versions(name)[0]} for name in names]})

    async def show_region(self, request: Request) -> Response:
        name = request.path_params["region"]
        versions = self._versions(name)
        packages = [self._shown(name, version) for version in versions]
        return self._answer({"name": name, "newest": versions[0], "packages": packages})

    async def check_for_update(self, request: Request) -> Response:
        name = request.path_params["region"]
        newest = self._versions(name)[0]
        try:
            installed = msgspec.json.decode(await request.body(), type=Check).installed
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise HTTPException(422, f"wrong_parameter: {error}") from None
        update = self._shown(name, newest) if _age(installed) < _age(newest) else None
        return self._answer({"newest": newest, "update": update})

    async def download_package(self, request: Request) -> Response:
        package = self._packages.get((request.path_params["region"], request.path_params["version"]))
        if package is None:
            raise HTTPException(404, "package_unknown: There is no such package.")
        start, end = _part(request.headers.get("range"), package.size)
        headers = {
            "content-length": str(end - start),
            "etag": package.etag,
            "accept-ranges": "bytes",
            "x-served-by": self._name,
        }
        if end - start < package.size:
            headers["content-range"] = f"bytes {start}-{end - 1}/{package.size}"
        body = self._pieces(package, start, end)
        status = 206 if "content-range" in headers else 200
        return StreamingResponse(body, status, headers, media_type="application/octet-stream")

    async def publish_package(self, request: Request) -> Response:
        key = region, version = request.path_params["region"], request.path_params["version"]
        _age(version)
        content = await request.body()
        known = self._packages.get(key)
        if known is not None and not known.same_as(content):
            raise HTTPException(409, "package_exists: This version was published with other bytes.")
        if known is None:
            self._packages[key] = Package(len(content), content)
        shown = self._shown(region, version)
        return self._answer(shown, 200 if known else 201, {"location": shown["path"]})

    async def healthz(self, request: Request) -> Response:
        return self._answer({"status": "alive"})

    async def _pieces(self, package: Package, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            piece = package.piece(start, end)
            yield piece
            start += len(piece)
            if self._pace:
                await asyncio.sleep(len(piece) / self._pace)

    def _answer(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        return JSONResponse(value, status, {"x-served-by": self._name, **(headers or {})})

    def _versions(self, region: str) -> list[str]:
        """The versions of a region, the newest first."""
        versions = [version for of, version in self._packages if of == region]
        if not versions:
            raise HTTPException(404, f"region_unknown: There is no region {region}.")
        return sorted(versions, key=_age, reverse=True)

    def _shown(self, region: str, version: str) -> dict[str, Any]:
        path = f"/v1/regions/{region}/packages/{version}.map"
        return {"region": region, "version": version, "bytes": self._packages[region, version].size, "path": path}


def _age(version: str) -> tuple[int, ...]:
    if not _VERSION.fullmatch(version):
        raise HTTPException(422, "wrong_parameter: A version is YEAR.NUMBER, such as 2026.11.")
    return tuple(map(int, version.split(".")))


def _part(wish: str | None, size: int) -> tuple[int, int]:
    """From where to before where; a wish that is not one range of bytes is ignored, as RFC 9110 says."""
    match = re.fullmatch(r"bytes=(\d{1,15})?-(\d{1,15})?", wish or "")
    if not match or match[1] is match[2] is None:
        return 0, size
    if match[1] is None:  # so many at the end
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2] or size) + 1)
    if start >= end:
        raise HTTPException(416, "range_unknown: The package has no such part.", {"content-range": f"bytes */{size}"})
    return start, end


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
    parser = argparse.ArgumentParser(description="The map update service, in memory.")
    parser.add_argument("--listen", default="127.0.0.1:7003", metavar="HOST:PORT")
    parser.add_argument("--name", default="v1", help="shown in the header x-served-by")
    parser.add_argument("--pace", type=int, default=0, help="bytes a second of each download; 0: no limit")
    given = parser.parse_args()
    host, _, port = given.listen.rpartition(":")
    app = MapUpdates(given.name, given.pace).app()
    uvicorn.run(app, host=host, port=int(port), log_level="warning", access_log=False, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main()
