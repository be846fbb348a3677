"""What checks cost: the rules and the comparison of one large document, and all products of a company at once.

The documents are generated: each operation with a schema of its own, references, lists and errors as the shipped rules
ask for them. Every second product has changed since the commit with which it is compared, every tenth breaks callers.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from outrider.cli.shown import styled
from outrider.gateway.diff import compare
from outrider.gateway.documents import Source
from outrider.gateway.lint.engine import lint, read_ruleset
from outrider.gateway.lint.structure import structure_findings
from outrider.gateway.openapi import SIZE_LIMIT, read_document

ENGINE_SECONDS, CHECK_SECONDS, CHECK_COUNT = 0.1, 20.0, 140
"""What must be kept to: the rules on 100 paths, and the check of so many products (on 2 cores)."""
_PATHS, _PATHS_EACH, _TURNS = 100, 10, 5
_WITHIN = 600.0


def measure(count: int) -> dict[str, Any]:
    """Seconds of CPU, as medians of a few turns; the check of all products once, as a process of its own."""
    old, new = _source(_openapi("bench", _PATHS, changed=False)), _source(_openapi("bench", _PATHS, changed=True))
    ruleset = read_ruleset("outrider:openapi")
    today = datetime.now(UTC).date()
    linted = lint(new, ruleset)
    return {
        "paths": _PATHS,
        "document_bytes": len(new.raw),
        "rules": len(linted.ran),
        "places": sum(linted.ran.values()),
        "parse_seconds": _seconds(lambda: _source(new.raw)),
        "structure_seconds": _seconds(lambda: structure_findings(new)),
        "rules_seconds": _seconds(lambda: lint(new, ruleset)),
        "diff_seconds": _seconds(lambda: compare(old, new, today=today)),
        "changes": len(compare(old, new, today=today)),
        **_check(count),
    }


def wrong(result: Mapping[str, Any]) -> list[str]:
    """What does not hold of that which must."""
    told = []
    if result["rules_seconds"] >= ENGINE_SECONDS:
        told.append(f"the rules take {_ms(result['rules_seconds'])} for {_PATHS} paths, which must be below 100 ms")
    if result["check_seconds"] >= CHECK_SECONDS * max(1, result["products"] / CHECK_COUNT):
        told.append(f"the check takes {result['check_seconds']:.1f} s, which must be below {CHECK_SECONDS:g} s")
    if result["refused"] != result["broken"]:
        told.append(f"{result['refused']} products were refused, and {result['broken']} break callers")
    return told


def told(result: Mapping[str, Any]) -> Iterator[str]:
    """The figures for people."""
    paths = f"{result['paths']} paths, {result['document_bytes'] / 1000:.0f} kB"
    lines = {
        "one document": paths,
        "to read it": _ms(result["parse_seconds"]),
        "its structure": _ms(result["structure_seconds"]),
        "the rules": f"{_ms(result['rules_seconds'])} for {result['rules']} rules at {result['places']} places",
        "the comparison": f"{_ms(result['diff_seconds'])}, {result['changes']} changes",
        "check of products": f"{result['products']} in {result['check_seconds']:.1f} s, "
        f"CPU {result['check_cpu_seconds']:.1f} s; {result['refused']} refused",
    }
    yield from (f"{name:<18} {text}" for name, text in lines.items())
    yield from (styled(line, "red", bold=True) for line in wrong(result))


def _check(count: int) -> dict[str, Any]:
    with TemporaryDirectory(prefix="outrider-bench-") as temporary:
        folder = Path(temporary)
        _products(folder, count, changed=False)
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "as it was")):
            settings = ("-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
            subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)
        broken = _products(folder, count, changed=True)
        check = ("gateway", "check", "products", "--against", "HEAD", "--format", "json")
        argv = [sys.executable, "-m", "outrider", *check]
        began, cpu = time.perf_counter(), _cpu_of_children()
        said = subprocess.run(argv, cwd=folder, capture_output=True, timeout=_WITHIN, check=False)
        seconds, used = time.perf_counter() - began, _cpu_of_children() - cpu
    if not said.stdout:
        sys.stderr.buffer.write(said.stderr)
        raise SystemExit(1)
    refused = [one for one in msgspec.json.decode(said.stdout)["products"] if not one["passed"]]
    return {
        "products": count,
        "check_seconds": seconds,
        "check_cpu_seconds": used,
        "refused": len(refused),
        "broken": broken,
    }


def _products(folder: Path, count: int, *, changed: bool) -> int:
    """Write them, and where they run; how many of them break callers."""
    placed = {}
    for number in range(count):
        name = f"bench-{number:03}"
        (folder / "products" / name).mkdir(parents=True, exist_ok=True)
        document = _openapi(name, _PATHS_EACH, changed=changed and number % 2 == 0, breaks=changed and number % 10 == 0)
        (folder / "products" / name / "openapi.yaml").write_bytes(document)
        product = {"name": name, "owner": "bench", "versions": ["v1"], "audiences": [name]}
        (folder / "products" / name / "product.yaml").write_bytes(msgspec.json.encode(product))
        versions = {"v1": {"upstreams": ["http://127.0.0.1:7001"]}}
        placed[name] = {"listen": f"127.0.0.1:{20000 + number}", "hosts": [f"{name}.example"], "versions": versions}
    environment = {"issuer": {"issuer": "bench", "jwks": {"file": "jwks.json"}}, "products": placed}
    (folder / "environments").mkdir(exist_ok=True)
    (folder / "environments" / "local.yaml").write_bytes(msgspec.json.format(msgspec.json.encode(environment)))
    return sum(number % 10 == 0 for number in range(count)) if changed else 0


def _openapi(name: str, paths: int, *, changed: bool, breaks: bool = False) -> bytes:
    """A document as JSON, which is YAML: two operations for each path."""
    schemas = {f"Thing{number}": _schema(number, changed=changed, breaks=breaks) for number in range(paths)}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": "1.1.0" if changed else "1.0.0",
            "description": "Made to be measured.",
            "contact": {"name": "bench", "email": "bench@example.com"},
        },
        "servers": [{"url": f"https://{name}.example"}],
        "security": [{"token": ["things:read"]}],
        "tags": [{"name": "things", "description": "All there is."}],
        "paths": {f"/v1/things-{number}/{{id}}": _item(number) for number in range(paths)},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": schemas,
        },
    }
    return msgspec.json.format(msgspec.json.encode(document))


def _item(number: int) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/Thing{number}"}
    answer = {"description": "The thing.", "content": {"application/json": {"schema": schema}}}
    identity = {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "Which one.",
        "schema": {"type": "string", "maxLength": 40},
    }
    shared = {"tags": ["things"], "description": "What it does."}
    show = {"operationId": f"show{number}", "summary": "Show one", **shared, "responses": {"200": answer}}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    put = {"operationId": f"put{number}", "summary": "Put one", **shared, "requestBody": body}
    return {"parameters": [identity], "get": show, "put": {**put, "responses": {"200": answer}}}


def _schema(number: int, *, changed: bool, breaks: bool) -> dict[str, Any]:
    text = {"type": "string", "maxLength": 100}
    properties: dict[str, Any] = {
        **{f"field_{index}": text for index in range(8)},
        "next": {"$ref": f"#/components/schemas/Thing{number - 1 if number else 0}"},
        "list": {"type": "array", "maxItems": 10, "items": {"type": "integer", "minimum": 0, "maximum": 9}},
    }
    if changed:
        properties["added"] = text
    return {"type": "object", "required": ["field_0", *(["field_1"] if breaks else [])], "properties": properties}


def _source(raw: bytes) -> Source:
    assert len(raw) <= SIZE_LIMIT
    return read_document(raw, "openapi.yaml")


def _seconds(work: Callable[[], Any]) -> float:
    """Of CPU, which a machine that has other work too does not change; nothing here waits."""
    turns = []
    for _ in range(_TURNS):
        began = time.process_time()
        work()
        turns.append(time.process_time() - began)
    return median(turns)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
