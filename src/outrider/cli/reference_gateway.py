"""docs/gateway-reference.md, drawn from what the gateways themselves go by: the schemas of their files, and the
codes of their problem documents.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import msgspec

from outrider.cli.reference_tables import as_json, span, table
from outrider.gateway.compile.problems import ROWS, Row

_NOTE = "<!-- Written by `python -m outrider.cli.reference docs`; change the schemas, not this page. -->"
_DEFAULT = re.compile(r" ?Default: (.+)\.$")
_TYPES = {"object": "fields", "array": "list", "string": "text", "integer": "whole number", "boolean": "true or false"}
_STATUSES = {
    "token_missing": "401",
    "token_expired": "401",
    "token_malformed": "401",
    "scope_missing": "403",
    "upgrade_refused": "403",
    "malformed_request": "400",
    "busy": "503",
    "not_reached": "503",
    "no_upstream": "503",
    "overloaded": "503",
    "broken_off": "502, 503",
    "gateway_error": "500, 502, 503",
}
"""Where the row itself does not say for which status it is: with which one Envoy answers then."""

_FILES = {"product": "product.yaml", "environment": "environments/NAME.yaml", "governance": "governance.yaml"}
"""The schemas, each with the file that it is for."""

Rows = Iterator[tuple[str, ...]]


def gateway_markdown() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of `product`, `environment` or `governance`."""
    raw = files("outrider.gateway").joinpath(f"schema/{name}.json").read_bytes()
    found: dict[str, Any] = msgspec.json.decode(raw)
    return found


def _lines() -> Iterator[str]:
    yield from ("# Gateway reference", "", _NOTE, "")
    yield "Every field and every code; [gateway.md](gateway.md) is the page to begin with. Times are seconds."
    for name, title in _FILES.items():
        document = schema(name)
        yield from ("", f"## {title}", "", document["description"], "")
        yield from table(("field", "what", "values", "if left out"), _Fields(document).rows(document, ""))
    yield from ("", "## Codes", "")
    yield "The `code` of the problem documents with which a gateway itself answers; upstreams' own pass unchanged."
    yield ""
    yield from table(("code", "status", "what", "trying again may help", "may have happened"), _codes())


def _codes() -> Rows:
    for row in {row.code: row for row in ROWS}.values():  # two rows may have the same code
        yield f"`{row.code}`", _status(row), row.title, _yes(row.retryable), _yes(row.may_have_happened)


def _status(row: Row) -> str:
    said = re.search(r"response\.code == (\d+)", row.when)
    return str(row.status) if row.status else said[1] if said else _STATUSES[row.code]


def _yes(holds: bool) -> str:
    return "yes" if holds else ""


class _Fields:
    """The fields of one schema. What is referred to a second time is named by where it stood first."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._told: dict[str, str] = {}

    def rows(self, member: Mapping[str, Any], path: str) -> Rows:
        """Those below one field, which may be the whole document."""
        for name, below in member.get("properties", {}).items():
            yield from self._field(f"{path}{name}", below, name in member.get("required", ()))
        if isinstance(others := member.get("additionalProperties"), dict):
            yield from self._field(f"{path}NAME", others, required=False)

    def _field(self, path: str, written: Mapping[str, Any], required: bool) -> Rows:
        member, first = self._resolved(written, path)
        what = member.get("description", "")
        default = _DEFAULT.search(what)
        absent = "required" if required else default[1] if default else ""
        item, again = self._resolved(member.get("items", {}), f"{path}[]")
        values = f"as `{first}`" if first else _values(member) + (f", each as `{again}`" if again else "")
        yield f"`{path}`", _DEFAULT.sub("", what), values, absent
        if not first:
            yield from self.rows(member, f"{path}.")
        if not again:
            yield from self.rows(item, f"{path}[].")

    def _resolved(self, written: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], str]:
        """The member with what its $ref says, and where fields of that stood before; empty: nowhere."""
        if "$ref" not in written:
            return written, ""
        name = written["$ref"].removeprefix("#/$defs/")
        member = {**self._document["$defs"][name], **written}
        if "properties" not in member:
            return member, ""
        first = self._told.setdefault(name, path)
        return member, first if first != path else ""


def _values(member: Mapping[str, Any]) -> str:
    items = member.get("items", {})
    facts = [
        _TYPES.get(member["type"], member["type"]),
        member.get("x-words"),
        as_json(member["enum"]) if "enum" in member else None,
        span(member.get("minimum"), member.get("maximum")),
        span(member.get("minItems"), member.get("maxItems")),
        None if "x-words" in member else span(member.get("minLength"), member.get("maxLength"), " characters"),
        member.get("x-unit"),
        f"each {_values(items)}" if "type" in items else None,
    ]
    return ", ".join(str(fact) for fact in facts if fact)
