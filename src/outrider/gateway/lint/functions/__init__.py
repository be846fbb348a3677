"""The functions that rules may name, by Spectral's names. Functions of a ruleset's own are not read."""

from collections.abc import Mapping

from outrider.gateway.lint.functions.order import ORDER
from outrider.gateway.lint.functions.presence import PRESENCE
from outrider.gateway.lint.functions.references import REFERENCES
from outrider.gateway.lint.functions.results import Check, Function, Result, Target
from outrider.gateway.lint.functions.schema import SCHEMA
from outrider.gateway.lint.functions.text import TEXT

FUNCTIONS: Mapping[str, Function] = {**ORDER, **PRESENCE, **REFERENCES, **SCHEMA, **TEXT}
"""By name: makes a check of the options, or raises `NotUnderstood`."""

__all__ = ["FUNCTIONS", "Check", "Function", "Result", "Target"]
