"""The function `schema`: does a value fit a JSON Schema, as Spectral asks it (AJV 8, not strict, the first error only).

AJV reads a schema otherwise than its draft says: keywords beside `$ref` count, `nullable` is known, numbers are
doubles, patterns are JavaScript's. And which error comes first decides the place of a finding. So the evaluation is our
own. What AJV would pass over, such as an unknown keyword or format, or a `$ref` that leads nowhere, is refused.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import jsonschema_rs
import msgspec

from outrider.gateway.lint.functions.results import PROPERTY, Check, Function, Result, Target, read_options
from outrider.gateway.lint.functions.schema_compiling import compile_schema
from outrider.gateway.lint.functions.schema_errors import told
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.not_understood import Failed, NotUnderstood

_DRAFT = re.compile(r"https?://json-schema\.org/(?:draft-0([467])|draft/(2019-09|2020-12))/schema#?")
_DRAFTS: Mapping[str, str] = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}


class _Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    schema: dict[str, Any]
    dialect: Literal["auto", "draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"] = "auto"
    all_errors: bool = False


def schema(given: Any) -> Check:
    """Fits a schema of the `dialect` (default: by its `$schema`, else draft 7); a value that is missing does not."""
    options = read_options("schema", given, _Schema)
    dialect = _dialect(options)
    _check_form(options.schema, dialect)
    compiled = compile_schema(options.schema, dialect, options.all_errors)

    def check(value: Any, target: Target) -> Iterator[Result]:
        if value is UNDEFINED:
            yield Result(f"{PROPERTY}must exist")
            return
        try:
            errors = compiled.errors(value)
        except RecursionError:
            raise Failed("the schema of the rule, or the value, is nested too deeply, or refers to itself") from None
        for path, message in told(errors, value, target.path):
            yield Result(message, (*target.path, *path))

    return check


def _dialect(options: _Schema) -> str:
    named = options.schema.get("$schema")
    found = _DRAFT.fullmatch(named) if isinstance(named, str) else None
    written = f"draft{found[1] or found[2]}" if found else None
    if named is not None and written is None:
        known = "http://json-schema.org/draft-07/schema# or https://json-schema.org/draft/2020-12/schema"
        raise NotUnderstood(f"$schema names a draft that is not known; write {known}", path=("schema", "$schema"))
    if options.dialect != "auto" and written not in (None, options.dialect):
        raise NotUnderstood(
            f"dialect is {options.dialect}, and $schema says {written}; leave one out", path=("dialect",)
        )
    return written or (options.dialect if options.dialect != "auto" else "draft7")


def _check_form(document: dict[str, Any], dialect: str) -> None:
    try:
        jsonschema_rs.meta.validate({**document, "$schema": _DRAFTS[dialect]})
    except jsonschema_rs.ValidationError as error:
        path, message = tuple(error.instance_path), error.message
        raise NotUnderstood(f"schema is no JSON Schema of {dialect}: {message}", path=("schema", *path)) from None
    except ValueError as error:
        raise NotUnderstood(f"schema is no JSON Schema of {dialect}: {error}", path=("schema",)) from None


SCHEMA: Mapping[str, Function] = {"schema": schema}
