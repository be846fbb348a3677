"""The reference pages that are written by the program itself; `python -m outrider.cli.reference docs` writes them anew,
and the OpenAPI document of Outrider's own product too.

A test holds each page equal to what its function returns.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from outrider.adapters.catalog_files import load
from outrider.cli.reference_changes import changes_markdown
from outrider.cli.reference_commands import cli_markdown
from outrider.cli.reference_gateway import gateway_markdown
from outrider.cli.reference_lifecycle import lifecycle_markdown
from outrider.cli.reference_product import PRODUCT, product_openapi
from outrider.cli.reference_rules import rules_markdown
from outrider.cli.reference_tables import as_json, listed, table, values
from outrider.domain.catalog import Catalog, Model, Repeat, Service
from outrider.flow import FLOW, TOGETHER, WRITERS

_NOTE = "<!-- Written by `python -m outrider.cli.reference docs`; change the catalog, not this page. -->"


def catalog_markdown(catalog: Catalog) -> str:
    """The catalog as a page: an overview, each service with its terms and parameters, each model with its quirks."""
    return "\n".join(_catalog_lines(catalog)) + "\n"


def _catalog_lines(catalog: Catalog) -> Iterator[str]:
    services, models = _by_name(catalog.services), _by_name(catalog.models)
    yield from ("# Catalog", "", _NOTE, "")
    yield "What vehicles can be asked to do, and which model can do what. Times are in seconds; signals are COVESA VSS"
    yield "v6.0, those marked * are our own because VSS lacks them."
    yield from ("", "## Services", "")
    head = ("service", "what", "risk", "sent within", "sent again to", *models)
    yield from table(head, _overview(services, models))
    for service in services.values():
        yield from ("", *_service_lines(service, catalog))
    yield from ("", "## Models")
    for model in models.values():
        yield from ("", *_model_lines(model, services))


def _overview(services: Mapping[str, Service], models: Mapping[str, Model]) -> Iterator[tuple[str, ...]]:
    for name, service in services.items():
        marks = ["yes" if name in model.services else "" for model in models.values()]
        yield f"[{name}](#{name})", service.title, service.risk, f"{service.ttl:g}", _REPEATED[service.repeat], *marks


_REPEATED = {Repeat.NEVER: "nobody", Repeat.IF_DEDUPLICATING: "whoever de-duplicates"}


def _service_lines(service: Service, catalog: Catalog) -> Iterator[str]:
    yield from (f"### {service.name}", "", service.description, "")
    yield f"* Sent within {service.ttl:g} s or not at all; settled {service.finish_within:g} s later at the latest."
    if service.repeat is Repeat.NEVER:
        yield "* Never sent twice."
    else:
        yield f"* Sent again after {service.ack_within:g} s of silence, to a vehicle that de-duplicates."
    if service.conflicts:
        yield f"* Conflicts with {listed(service.conflicts)}."
    if service.verify:
        yield f"* Its effect shows in {listed(_assignments(service.verify, catalog))}."
    else:
        yield "* No signal shows that it was done."
    if service.effects:
        yield f"* A simulated vehicle sets {listed(_assignments(service.effects, catalog))}."
    for title, schema in (("Parameter", service.params), ("Result", service.result or {})):
        if schema.get("properties"):
            yield ""
            yield from table((title, "what", "values", "if left out"), _members(schema))


def _members(schema: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", ())
    for name, member in schema["properties"].items():
        absent = "required" if name in required else as_json(member["default"]) if "default" in member else ""
        yield f"`{name}`", member["description"], values(member), absent


def _model_lines(model: Model, services: Iterable[str]) -> Iterator[str]:
    yield from (f"### {model.name}", "", f"{model.title}, {model.powertrain.replace('_', '-')}.", "")
    lacking = [name for name in services if name not in model.services]
    yield f"* Lacks {listed(lacking)}." if lacking else "* Supports every service."
    yield f"* Reports its state at least every {model.state_every:g} s."
    if not model.quirks.deduplicates:
        yield "* Quirk: it performs whatever arrives, also twice, so a message is sent once at most."
    if model.quirks.forgets_on_reboot:
        yield "* Quirk: it forgets what it performed when it reboots, so a message is sent once at most."


def _assignments(values: Mapping[str, Any], catalog: Catalog) -> Iterator[str]:
    for name, value in values.items():
        mark = "*" if (signal := catalog.signals.get(name)) and signal.overlay else ""
        yield f"{name}{mark} = {value['param'] if isinstance(value, dict) else as_json(value)}"


def _by_name(entries: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(entries.items()))


def flow_markdown() -> str:
    """The way of a command as a page, drawn from flow.py."""
    head = ("service", "what it does", "takes", "gives")
    stops = ((f"`{stop.service}`", stop.does, listed(stop.takes), listed(stop.gives)) for stop in FLOW)
    note = "<!-- Written by `python -m outrider.cli.reference docs`; change flow.py, not this page. -->"
    end = f"`outrider up` runs {listed(TOGETHER)} in one process; only {listed(sorted(WRITERS))} write to the store."
    return "\n".join(("# The way of a command", "", note, "", *table(head, stops), "", end)) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "breaking-changes.md": changes_markdown,
    "catalog.md": lambda: catalog_markdown(load()),
    "cli.md": cli_markdown,
    "flow.md": flow_markdown,
    "gateway-reference.md": gateway_markdown,
    "lifecycle.md": lifecycle_markdown,
    "rules.md": rules_markdown,
}
"""Every page by its file."""


def write_pages(folder: Path) -> None:
    """Write every page into the folder."""
    for name, written in PAGES.items():
        (folder / name).write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
    PRODUCT.write_text(product_openapi(), encoding="utf-8")
