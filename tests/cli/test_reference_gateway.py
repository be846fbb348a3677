"""The gateway's reference page against what gateways go by."""

from collections.abc import Iterator, Mapping
from typing import Any

from outrider.cli.reference_gateway import gateway_markdown, schema
from outrider.common.ports import Address
from outrider.gateway.compile.problems import ROWS
from outrider.gateway.environment import KeySource, Placement, Tracing
from outrider.gateway.governance.governance import UNGOVERNED
from outrider.gateway.product import Cors, Health, Limit, Limits, Product

PAGE = gateway_markdown()
ROWS_OF_FIELDS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("\n## Codes\n")[0].splitlines()
    if line.startswith("| `")
]


def fields(member: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    """The name of every field that a schema knows, wherever it stands."""
    if "$ref" in member:
        member = {**document["$defs"][member["$ref"].rpartition("/")[2]], **member}
    for name, below in member.get("properties", {}).items():
        yield name
        yield from fields(below, document)
    for others in (member.get("additionalProperties"), member.get("items")):
        if isinstance(others, dict):
            yield from fields(others, document)


def test_every_field_of_the_files_has_its_row() -> None:
    """With what it is for; nothing goes undocumented."""
    told = {row[0].strip("`").rpartition(".")[2] for row in ROWS_OF_FIELDS}

    for name in ("product", "environment", "governance"):
        assert set(fields(schema(name), schema(name))) <= told
    assert all(row[1] for row in ROWS_OF_FIELDS)


def test_the_defaults_on_the_page_are_those_of_the_program() -> None:
    """What a field is when it is left out, the schema says for people and the program for itself."""
    product = Product(name="p", owner="o", versions=("v1",), audiences=())
    here = Address("127.0.0.1", 1)
    defaults: dict[str, object] = {
        "limits.person": f"{Limits().person.requests} a second",
        "limits.person.per": Limit(requests=1).per,
        "limits.client": f"{Limits().client.requests} a second",
        "limits.product": f"{Limits().product.requests} a second",
        "limits.headers": Limits().headers,
        "body_limit": product.body_limit,
        "timeout": product.timeout,
        "cors.credentials": Cors().credentials,
        "cors.max_age": Cors().max_age,
        "retries": product.retries,
        "breakers.connections": product.breakers.connections,
        "breakers.pending": product.breakers.pending,
        "breakers.requests": product.breakers.requests,
        "health.every": Health(path="/").every,
        "health.within": Health(path="/").within,
        "outliers.after": product.outliers.after,
        "outliers.out_for": product.outliers.out_for,
        "issuer.jwks.refresh": KeySource().refresh,
        "trusted_proxies": Placement(environment="e", listen=here).trusted_proxies,
        "tracing.sample_percent": Tracing(otlp=here).sample_percent,
        "rulesets.openapi": UNGOVERNED.rulesets.openapi,
        "rulesets.asyncapi": UNGOVERNED.rulesets.asyncapi,
        "longest_waiver": UNGOVERNED.longest_waiver,
        "notice": UNGOVERNED.notice,
    }

    written = {row[0].strip("`"): row[3] for row in ROWS_OF_FIELDS if row[3] not in ("", "required")}

    assert written == {name: _as_written(value) for name, value in defaults.items()}


def _as_written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def test_every_code_has_its_row() -> None:
    """Whoever gets a problem document finds its code."""
    assert all(f"\n| `{row.code}` | " in PAGE for row in ROWS)
