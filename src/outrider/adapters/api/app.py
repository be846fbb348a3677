"""The table of operations: every method and path, the scope that it needs, and who performs it.

It and `openapi.yaml` say the same; a test holds them together.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route

from outrider.adapters.api.admin import Admin, Letters
from outrider.adapters.api.commands import Commands
from outrider.adapters.api.metrics import Metrics
from outrider.adapters.api.platform import Platform
from outrider.adapters.api.resource import Operation, Resource
from outrider.adapters.api.vehicles import Vehicles
from outrider.adapters.tokens import Tokens
from outrider.domain.catalog import Catalog
from outrider.services.creation import Creation
from outrider.services.registry import Registry

COMMANDS, ADMIN = "commands", "admin"
"""The scopes of tokens."""


def build_app(
    *,
    creation: Creation,
    registry: Registry,
    tokens: Tokens,
    catalog: Callable[[], Catalog],
    letters: Letters,
    ready: Callable[[], Mapping[str, bool]],
    figures: CollectorRegistry | None = None,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The API as an ASGI application.

    letters: finds dead letters. ready: which parts work now, by name. figures: what `/metrics` shows; requests are
    counted into it.
    """
    figures = CollectorRegistry() if figures is None else figures
    metrics = Metrics(figures)
    operations = table(
        Commands(creation, clock),
        Vehicles(creation, catalog, clock),
        Admin(registry, letters, catalog, clock),
        Platform(catalog, ready, figures),
    )
    app = Starlette(routes=[Route(each.path, each) for each in _resources(operations, tokens, metrics)])
    app.router.redirect_slashes = False  # a path is right or wrong
    app.router.default = Resource("unknown", {}, tokens, metrics)
    return app


def table(commands: Commands, vehicles: Vehicles, admin: Admin, platform: Platform) -> Sequence[Operation]:
    """All operations. Paths are tried in this order, so the busiest come first."""
    vehicle = "/v1/admin/vehicles/{vin}"
    return (
        Operation("POST", "/v1/vehicles/{vin}/commands", COMMANDS, commands.ask),
        Operation("GET", "/v1/vehicles/{vin}/commands", COMMANDS, commands.list),
        Operation("GET", "/v1/commands/{id}", COMMANDS, commands.show),
        Operation("DELETE", "/v1/commands/{id}", COMMANDS, commands.cancel),
        Operation("GET", "/v1/vehicles", COMMANDS, vehicles.list),
        Operation("GET", "/v1/vehicles/{vin}", COMMANDS, vehicles.show),
        Operation("GET", "/v1/catalog", COMMANDS, vehicles.catalog),
        Operation("GET", "/v1/admin/vehicles", ADMIN, admin.vehicles),
        Operation("POST", "/v1/admin/vehicles", ADMIN, admin.add_vehicle),
        Operation("GET", vehicle, ADMIN, admin.vehicle),
        Operation("GET", f"{vehicle}/credentials", ADMIN, admin.credentials),
        Operation("POST", f"{vehicle}/credentials", ADMIN, admin.add_credential),
        Operation("DELETE", f"{vehicle}/credentials/{{id}}", ADMIN, admin.revoke_credential),
        Operation("GET", f"{vehicle}/grants", ADMIN, admin.grants),
        Operation("POST", f"{vehicle}/grants", ADMIN, admin.add_grant),
        Operation("DELETE", "/v1/admin/grants/{id}", ADMIN, admin.end_grant),
        Operation("GET", "/v1/admin/dead-letters", ADMIN, admin.dead_letters),
        Operation("GET", "/openapi.json", None, platform.openapi),
        Operation("GET", "/asyncapi.json", None, platform.asyncapi),
        Operation("GET", "/healthz", None, platform.healthz),
        Operation("GET", "/readyz", None, platform.readyz),
        Operation("GET", "/metrics", None, platform.metrics),
    )


def _resources(operations: Sequence[Operation], tokens: Tokens, metrics: Metrics) -> list[Resource]:
    """One per path, in the order of the table."""
    paths: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation
    return [Resource(path, methods, tokens, metrics) for path, methods in paths.items()]
