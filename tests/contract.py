"""The message schemas of `contract/asyncapi.yaml`, for the tests of both sides."""

from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
import yaml


@cache
def document() -> dict[str, Any]:
    """The whole AsyncAPI document."""
    text = files("outrider.contract").joinpath("asyncapi.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@cache
def validator(schema: str) -> jsonschema_rs.Validator:
    """The validator of one schema of the contract: Command, Answer, State or Presence."""
    return jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"#/components/schemas/{schema}",
            "components": document()["components"],
        },
        validate_formats=True,
    )
