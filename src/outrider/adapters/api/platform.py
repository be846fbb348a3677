"""The operations that need no token: the contracts, and how the platform is."""

from collections.abc import Callable, Mapping

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import Response

from outrider.adapters.api.call import Call
from outrider.adapters.api.resource import answer
from outrider.adapters.openapi import asyncapi_document, openapi_document, openapi_template
from outrider.domain.catalog import Catalog
from outrider.domain.errors import NotReady


class Platform:
    """Documents, health and figures."""

    def __init__(
        self, catalog: Callable[[], Catalog], ready: Callable[[], Mapping[str, bool]], figures: CollectorRegistry
    ) -> None:
        self._catalog = catalog
        self._ready = ready
        self._figures = figures
        self._template = openapi_template()
        self._openapi: tuple[Catalog, bytes] | None = None
        self._asyncapi = msgspec.json.encode(asyncapi_document())

    async def openapi(self, call: Call) -> Response:
        catalog = self._catalog()
        if self._openapi is None or self._openapi[0] is not catalog:
            self._openapi = catalog, msgspec.json.encode(openapi_document(self._template, catalog))
        return Response(self._openapi[1], media_type="application/json")

    async def asyncapi(self, call: Call) -> Response:
        return Response(self._asyncapi, media_type="application/json")

    async def healthz(self, call: Call) -> Response:
        return answer({"status": "ok"})

    async def readyz(self, call: Call) -> Response:
        checks = self._ready()
        if broken := [name for name, works in checks.items() if not works]:
            raise NotReady(f"Not usable now: {', '.join(broken)}.", retry_after=1)
        return answer({"status": "ready", "checks": checks})

    async def metrics(self, call: Call) -> Response:
        return Response(generate_latest(self._figures), headers={"Content-Type": CONTENT_TYPE_LATEST})
