"""`outrider catalog`: what vehicles can be asked to do, and whether an operator's own files are right."""

from pathlib import Path
from typing import Annotated, Any

import typer

from outrider.cli.asking import Exit, Json, asks, example
from outrider.cli.client import Platform
from outrider.cli.shown import complain, print_json, say, show_facts, show_table

app = typer.Typer(no_args_is_help=True, help="What vehicles can be asked to do: list, show, check.")


@app.command("list", epilog=example("catalog list"))
@asks
async def list_(platform: Platform, as_json: Json = False) -> None:
    """The services and models that are in force on the platform now."""
    catalog = await platform.get("/v1/catalog")
    if as_json:
        return print_json(catalog)
    services = ((s["name"], s["title"], s["risk"], f"{s['ttl']:g} s") for s in catalog["services"])
    show_table(("SERVICE", "WHAT", "RISK", "LEAVES WITHIN"), services, none="No services.")
    typer.echo()
    models = ((m["name"], m["title"], m["powertrain"], f"{len(m['services'])} services") for m in catalog["models"])
    return show_table(("MODEL", "WHAT", "POWERTRAIN", "SUPPORTS"), models, none="No models.")


@app.command("show", epilog=example("catalog show climate-start", "catalog show falcon-electric --json"))
@asks
async def show(
    platform: Platform,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A service or a model.", show_default=False)],
    as_json: Json = False,
) -> None:
    """One service with its parameters, or one model with what it supports."""
    catalog = await platform.get("/v1/catalog")
    entry = next((e for part in ("services", "models") for e in catalog[part] if e["name"] == name), None)
    if entry is None:
        complain(f"The catalog has no {name!r}.", "`outrider catalog list` shows what there is.")
        raise typer.Exit(Exit.NO)
    if as_json:
        return print_json(entry)
    show_facts(_facts(entry))
    if params := entry.get("params", {}).get("properties"):
        typer.echo()
        required = entry["params"].get("required", ())
        rows = [(n, _values(s), _if_left_out(n, s, required), s.get("description", "")) for n, s in params.items()]
        show_table(("PARAMETER", "VALUES", "IF LEFT OUT", "WHAT"), rows, none="")
    return None


@app.command("check", epilog=example("catalog check", "catalog check ./my-catalog"))
def check(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Your own catalog; laid over the shipped one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check catalog files before a platform reads them; needs no running platform.

    Each mistake is one line, FILE:LINE: FIELD: MESSAGE, and the exit code is 1.
    """
    from outrider.adapters.catalog_files import CatalogError, load

    try:
        catalog = load([] if folder is None else [folder])
    except CatalogError as error:
        if as_json:
            mistakes = [
                {"file": str(m.file), "line": m.line, "field": m.field, "message": m.message} for m in error.mistakes
            ]
            print_json({"ok": False, "mistakes": mistakes})
        else:
            typer.echo("\n".join(map(str, error.mistakes)))
        raise typer.Exit(Exit.NO) from None
    if as_json:
        print_json({"ok": True, "services": sorted(catalog.services), "models": sorted(catalog.models)})
    else:
        say(f"Right: {len(catalog.services)} services, {len(catalog.models)} models.")


def _facts(entry: dict[str, Any]) -> list[tuple[str, str]]:
    """What is known of a service or a model, schemas and signals apart."""
    plain = {k: v for k, v in entry.items() if k not in ("params", "result", "signals", "verify", "effects", "answers")}
    return [(name.replace("_", " "), _words(value)) for name, value in plain.items() if value not in (None, [], {}, ())]


def _words(value: Any) -> str:
    match value:
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{name.replace('_', ' ')}: {_words(held)}" for name, held in value.items())
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return str(value).strip()


def _values(schema: dict[str, Any]) -> str:
    """`number, 16 to 28, degrees Celsius`."""
    least, greatest = schema.get("minimum"), schema.get("maximum")
    span = f"{least:g} to {greatest:g}" if least is not None and greatest is not None else None
    one_of = "/".join(map(str, schema["enum"])) if "enum" in schema else None
    return ", ".join(str(fact) for fact in (schema.get("type"), span, one_of, schema.get("x-unit")) if fact)


def _if_left_out(name: str, schema: dict[str, Any], required: Any) -> str:
    return "required" if name in required else _words(schema["default"]) if "default" in schema else ""
