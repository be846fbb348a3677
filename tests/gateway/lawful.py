"""OpenAPI documents that keep all shipped rules, made of operations, for tests that care about something else."""

from collections.abc import Iterable
from typing import Any

import msgspec

from outrider.gateway.documents import Source, parse
from outrider.gateway.openapi import read_document
from outrider.gateway.product import Operation

PROBLEM = {
    "description": "It did not work; `code` says why.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def document(operations: Iterable[Operation], *, name: str = "charging", version: str = "1.0.0") -> Source:
    """A document that says these operations, as a file that was read."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = operation(one)
    said = {
        "openapi": "3.1.0",
        "info": {
            "title": name.capitalize(),
            "version": version,
            "description": "Made for a test.",
            "contact": {"name": "A team", "email": "team@example.com"},
        },
        "servers": [{"url": f"https://{name}.example"}],
        "tags": [{"name": "all", "description": "All there is."}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": {"Problem": PROBLEM},
            "schemas": {
                "Problem": {
                    "type": "object",
                    "required": ["code"],
                    "properties": {"code": {"type": "string", "maxLength": 100}},
                }
            },
        },
    }
    return read_document(msgspec.json.encode(said), f"products/{name}/openapi.json")


def operation(one: Operation) -> dict[str, Any]:
    """What a document says of an operation that answers with nothing in particular."""
    names = [part.partition("}")[0] for part in one.path.split("{")[1:]]
    media_type = "text/event-stream" if one.streams else "application/json"
    return {
        "operationId": one.id,
        "tags": ["all"],
        "summary": one.summary or "Something",
        "description": "Something that a test asks for.",
        "security": [] if one.public else [{"token": list(scopes)} for scopes in one.scopes],
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": "Which one.",
                "schema": {"type": "string", "maxLength": 100},
            }
            for name in names
        ],
        "responses": {
            "200": {"description": "Done.", "content": {media_type: {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }


def declared(name: str = "charging") -> Source:
    """A product.yaml that declares nothing in particular."""
    return parse(f"name: {name}\n".encode(), f"products/{name}/product.yaml")
