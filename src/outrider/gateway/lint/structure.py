"""Whether a document is what it says it is: OpenAPI 3.0 or 3.1, or AsyncAPI 3.0, in form and in what it refers to.

The form of OpenAPI is that of the schemas which openapi-spec-validator carries and keeps up to date. They are read as
files and compiled here: a document is checked in milliseconds, and nothing can be fetched. What that package does in
Python besides is not used: a pattern with a default beside it can make it run for ever, a schema that refers to itself
ends it, it names no places, and bodies of requests are not looked at (docs/decisions/0007). So what no
schema can say is said by the modules beside this one.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import distribution
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from outrider.common.json_path import JsonPath
from outrider.common.json_schema import FAULTS_LIMIT, Fault, Schema
from outrider.gateway.documents import SCHEMAS, Source
from outrider.gateway.findings import Finding, Place, Severity
from outrider.gateway.lint.asyncapi_structure import asyncapi_faults
from outrider.gateway.lint.objects import ASYNCAPI, OPENAPI, reference_faults, things, unseen_faults
from outrider.gateway.lint.openapi_structure import openapi_faults
from outrider.gateway.lint.schema_objects import schema_faults
from outrider.gateway.lint.specifications import specification

RULE = "structure"
_NAMES = r"^[a-zA-Z0-9\.\-_]+$"
_WHY = "What is not as the specification says is read differently by every tool, or not at all."
_URLS = {
    "3.0": "https://spec.openapis.org/oas/v3.0.4.html",
    "3.1": "https://spec.openapis.org/oas/v3.1.1.html",
    "asyncapi": "https://www.asyncapi.com/docs/reference/specification/v3.0.0",
}


def structure_findings(source: Source) -> list[Finding]:
    """What is wrong, in the order of the document: first of its form, and where that is right, of what it means.

    At most `FAULTS_LIMIT` at a time.
    Raises `Refused`: it is no such document, or of a version that is not known.
    """
    specification(source)
    known = "asyncapi" if "asyncapi" in source.data else source.data["openapi"][:3]
    found = _form(known).faults(source.data) or list(islice(_meaning(source), FAULTS_LIMIT))
    findings = {_finding(source, fault, _URLS[known]): None for fault in found}
    return sorted(findings, key=lambda finding: (finding.place.position.line, finding.place.position.column))


def _meaning(source: Source) -> Iterator[Fault]:
    is_openapi = "openapi" in source.data
    found = {thing.path: thing for thing in things(source.data, OPENAPI if is_openapi else ASYNCAPI)}
    wrong = list(reference_faults(source, found)) or list(unseen_faults(source, found))
    yield from wrong
    if not wrong:
        yield from (openapi_faults if is_openapi else asyncapi_faults)(source, found)
        yield from schema_faults(source, [thing for thing in found.values() if thing.kind == "schema"])


@cache
def _form(known: str) -> Schema:
    if known == "asyncapi":
        return Schema(msgspec.json.decode((SCHEMAS / "asyncapi.json").read_bytes()))
    file = f"openapi_spec_validator/resources/schemas/v{known}/schema.json"
    written = Path(str(distribution("openapi-spec-validator").locate_file(file))).read_bytes()
    schema = _adapted(msgspec.json.decode(written))
    if known == "3.1":
        _mend(schema["$defs"])
    return Schema({name: value for name, value in schema.items() if name not in ("$schema", "$id", "id")})


def _mend(definitions: Mapping[str, Any]) -> None:
    """What the schema of OpenAPI 3.1 says otherwise than the specification."""
    definitions["server"]["properties"]["url"].pop("format", None)  # of a URL; it is the template of one
    link = definitions["link"]["properties"]
    link.setdefault("server", link.pop("body", {}))  # only there it is called body


def _adapted(schema: Any) -> Any:
    """The specification's schema as one of JSON Schema 2020-12; that of OpenAPI 3.0 is of draft 4.

    What is either a thing or a reference to one is a reference if it has `$ref`, so that only what was meant is judged.
    Of a reference only that it is text: where it leads is told better, and braces in a path need no escaping.
    """
    if isinstance(schema, list):
        return [_adapted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: _adapted(value) for name, value in schema.items()}
    for name in ("$ref", "^\\$ref$"):
        if isinstance(schema.get(name), dict):
            schema[name] = {"type": "string"}
    reference = {"$ref": "#/definitions/Reference"}
    if isinstance(choices := schema.get("oneOf"), list) and reference in choices:
        del schema["oneOf"]
        others = [each for each in choices if each != reference]
        schema |= {"if": {"type": "object", "required": ["$ref"]}, "then": reference}
        schema["else"] = others[0] if len(others) == 1 else {"oneOf": others}
    if [*schema.get("patternProperties", ())] == [_NAMES]:  # 3.0 says nothing of other names; 3.1 forbids them
        schema["propertyNames"] = {"pattern": _NAMES}
    if schema.get("exclusiveMinimum") is True:
        schema["exclusiveMinimum"] = schema.pop("minimum")
    return schema


def _finding(source: Source, fault: Fault, url: str) -> Finding:
    return Finding(
        rule=RULE,
        severity=Severity.ERROR,
        message=f"{_name(fault.path)} {fault.message}",
        place=Place(source.file, source.document.position(fault.path), fault.path),
        why=_WHY,
        url=url,
    )


def _name(path: JsonPath) -> str:
    """The last name of the path, with the numbers behind it."""
    start = max((index for index, step in enumerate(path) if isinstance(step, str)), default=None)
    if start is None:
        return "The document"
    return f"`{path[start]}{''.join(f'[{step}]' for step in path[start + 1 :])}`"
