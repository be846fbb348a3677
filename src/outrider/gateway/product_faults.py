"""What a product.yaml says that no gateway could do, although its form is right."""

import re
from collections.abc import Iterator

from outrider.common.json_path import JsonPath
from outrider.common.json_schema import Schema, SchemaError
from outrider.gateway.compile.clusters import OWN
from outrider.gateway.compile.parts import SHORTEST
from outrider.gateway.documents import Source
from outrider.gateway.faults import Fault
from outrider.gateway.product import Cors, Product

_ESCAPE = r"\\(?:[^a-zA-Z0-9<>]|[dDwWsSbBAznrtfv]|x[0-9a-fA-F]{2})"
_GROUP = r"\((?:(?!\?)|\?(?:[imsU]*(?:-[imsU]+)?[:)]|P?<\w+>))"
_SET = rf"\[\^?\]?(?:{_ESCAPE}|(?!--|&&|~~)[^\\\[\]])*\]"
_OF_RE2 = re.compile(rf"(?:{_ESCAPE}|{_GROUP}|{_SET}|[^\\(\[])*")
"""What the expressions of our own check (Rust) and of Envoy (RE2) have in common, and mean alike."""
_NOT_OF_RE2 = (
    "has what RE2 does not know; of flags it has (?i), (?m), (?s) and (?U), of escapes those such as \\. \\d \\w, "
    "and no set within a set"
)


def product_faults(source: Source, product: Product, name: str) -> Iterator[Fault]:
    """Each with its place. name: that of its folder."""
    if product.name != name:
        yield source.fault(("name",), f"differs from the folder's name; write {name}, or rename the folder")
    for index, version in enumerate(product.versions):
        if version in OWN:
            yield source.fault(("versions", index), "is a name of the gateway's own; choose another, such as v1")
    times: dict[JsonPath, float] = {("timeouts", name): seconds for name, seconds in product.timeouts.items()}
    for field, seconds in {("timeout",): product.timeout, **times}.items():
        if 0 < seconds < SHORTEST:
            yield source.fault(field, f"must be at least {SHORTEST}, or 0 for no limit (seconds)")
    if product.cors is not None:
        yield from _cors_faults(source, product.cors)


def _cors_faults(source: Source, cors: Cors) -> Iterator[Fault]:
    if not (cors.origins or cors.origin_patterns):
        yield source.fault(("cors",), "names no origin; write origins, or remove cors")
    if cors.credentials and "*" in cors.origins:
        yield source.fault(("cors", "credentials"), 'with credentials, origins are named one by one; remove "*"')
    for index, origin in enumerate(cors.origin_patterns):
        place = ("cors", "origin_patterns", index)
        try:
            compiled = Schema({"pattern": f"^(?:{origin})$"})
        except SchemaError:
            yield source.fault(place, "is no regular expression of RE2; it has no lookahead and no backreferences")
            continue
        if not _OF_RE2.fullmatch(origin):
            yield source.fault(place, _NOT_OF_RE2)
        elif cors.credentials and compiled.accepts("https://any.invalid"):
            yield source.fault(place, "matches any origin; with credentials, say whose pages are meant")
