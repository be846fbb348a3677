"""Documents around one schema, and pairs of them as files hold them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outrider.common.yaml_positions import read_yaml
from outrider.gateway.documents import Source
from tests.gateway.diff.documents import document

HERE = Path(__file__).parent
REQUESTS = ("request-body", "request-property", "request-parameter", "request-parameter-property")
RESPONSES = ("response-body", "response-property", "response-header", "response-header-property")


def around(subject: str, schema: Any, components: Any = None, openapi: str = "3.1.0") -> Source:
    """A document in which this schema is what the subject says: `request-body`, `response-header-property`..."""
    if subject.endswith("-property"):
        subject = "request-body" if subject == "request-property" else subject.removesuffix("-property")
        subject = "response-body" if subject == "response" else subject
        schema = {"type": "object", "properties": {"a": schema}}
    operation: dict[str, Any] = {"operationId": "a", "responses": {"200": {"description": "ok"}}}
    if subject == "request-body":
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    elif subject == "request-parameter":
        operation["parameters"] = [{"in": "query", "name": "q", "style": "form", "schema": schema}]
    elif subject == "response-body":
        operation["responses"]["200"]["content"] = {"application/json": {"schema": schema}}
    else:
        operation["responses"]["200"]["headers"] = {"X-A": {"schema": schema}}
    paths = {"/a": {"post": operation}}
    return document(openapi=openapi, paths=paths, components={"schemas": components or {}})


def cases(folder: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """All cases of the files in a folder: the file, the rule, the case."""
    for file in sorted((HERE / folder).glob("*.yaml")):
        held = read_yaml(file.read_bytes()).data
        for rule, some in held.items() if isinstance(held, dict) else [("", held)]:
            for case in some if isinstance(some, list) else [some]:
                yield file.stem, rule, case
