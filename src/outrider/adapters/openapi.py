"""The contracts as documents: OpenAPI 3.1 for people and apps, AsyncAPI 3 for vehicles.

`openapi.yaml` says everything but the services; they come from the catalog in force: what can be asked for, with which
parameters, within which time.
"""

import copy
from importlib.resources import files
from typing import Any

from outrider.common.yaml_positions import read_yaml
from outrider.domain.catalog import Catalog, Service


def openapi_template() -> dict[str, Any]:
    """The part of the OpenAPI document that no catalog changes."""
    return _yaml("outrider.adapters", "openapi.yaml")


def asyncapi_document() -> dict[str, Any]:
    """The contract between platform and vehicles."""
    return _yaml("outrider.contract", "asyncapi.yaml")


def openapi_document(template: dict[str, Any], catalog: Catalog) -> dict[str, Any]:
    """The template with the services and models of the catalog; neither of them is changed."""
    document = copy.deepcopy(template)
    schemas = document["components"]["schemas"]
    places = {name: f"#/components/schemas/ask.{name}" for name in sorted(catalog.services)}
    for name, place in places.items():
        schemas[f"ask.{name}"] = _ask(catalog.services[name], place)
    schemas["Ask"] |= {
        "oneOf": [{"$ref": place} for place in places.values()],
        "discriminator": {"propertyName": "service", "mapping": places},
    }
    schemas["NewVehicle"]["properties"]["model"]["enum"] = sorted(catalog.models)
    return document


def _ask(service: Service, place: str) -> dict[str, Any]:
    """The body that asks for one service; its schema lies at `place`."""
    params = _moved(service.params, f"{place}/properties/params")
    return {
        "title": service.title,
        "description": service.description,
        "type": "object",
        "additionalProperties": False,
        "required": ["service", "params"] if params.get("required") else ["service"],
        "properties": {
            "service": {"const": service.name},
            "params": params,
            "expires_in": {
                "description": f"Seconds in which it must have been sent; {service.ttl:g} if not given, and at most.",
                "type": ["number", "null"],
                "exclusiveMinimum": 0,
                "maximum": service.ttl,
            },
        },
    }


def _moved(schema: Any, place: str) -> Any:
    """A schema whose references into itself hold at its new place."""
    if isinstance(schema, dict):
        moved = {name: _moved(value, place) for name, value in schema.items()}
        target = moved.get("$ref")
        return {**moved, "$ref": place + target[1:]} if isinstance(target, str) and target.startswith("#") else moved
    return [_moved(item, place) for item in schema] if isinstance(schema, list) else schema


def _yaml(package: str, name: str) -> dict[str, Any]:
    document: dict[str, Any] = read_yaml((files(package) / name).read_bytes()).data
    return document
