"""A product, read whole: what its team says, where it runs, and which operations it has, each checked against the rest.

    products/charging/product.yaml      WHAT, owned by the team
                      openapi.yaml      the API (or openapi.json)
    environments/local.yaml             WHERE, owned by the operator, one file for all products

Everything that is wrong is told at once, each with its file, line and field. Nothing outside of the product's folder
and the files that the environment names is opened, and nothing is fetched.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec

from outrider.common.json_path import JsonPath
from outrider.common.json_schema import Schema, SchemaError
from outrider.common.yaml_positions import Position
from outrider.gateway import openapi
from outrider.gateway.compile.clusters import OWN
from outrider.gateway.compile.parts import SHORTEST
from outrider.gateway.documents import Source, absolute, content, converted, form_faults, gathering, parse, refuse
from outrider.gateway.environment import Placement
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.placing import Environment, place, read_environment
from outrider.gateway.product import Cors, Operation, Product
from outrider.gateway.templates import pattern

PRODUCT, OPENAPI, OPENAPI_JSON, ENVIRONMENTS = "product.yaml", "openapi.yaml", "openapi.json", "environments"

_ESCAPE = r"\\(?:[^a-zA-Z0-9<>]|[dDwWsSbBAznrtfv]|x[0-9a-fA-F]{2})"
_GROUP = r"\((?:(?!\?)|\?(?:[imsU]*(?:-[imsU]+)?[:)]|P?<\w+>))"
_SET = rf"\[\^?\]?(?:{_ESCAPE}|(?!--|&&|~~)[^\\\[\]])*\]"
_OF_RE2 = re.compile(rf"(?:{_ESCAPE}|{_GROUP}|{_SET}|[^\\(\[])*")
"""What the expressions of our own check (Rust) and of Envoy (RE2) have in common, and mean alike."""
_NOT_OF_RE2 = (
    "has what RE2 does not know; of flags it has (?i), (?m), (?s) and (?U), of escapes those such as \\. \\d \\w, "
    "and no set within a set"
)


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A product as its files say now. folder: absolute."""

    product: Product
    placement: Placement
    operations: tuple[Operation, ...]
    folder: str


def read_product(folder: Path, environment: Path) -> Read:
    """A product's folder, and its place in an environment's file. Raises `Refused` with everything that is wrong."""
    name = absolute(folder).name
    faults: list[Fault | str] = []
    source = product = operations = where = placement = None
    with gathering(faults):
        source, product = _product(folder, name)
    with gathering(faults):
        operations = openapi.read_operations(*_document(folder))
    with gathering(faults):
        where = read_environment(environment)
        placement = place(where, name)
    if source and product and operations:
        faults += _against_operations(source, product, operations)
    if source and product and where:
        faults += _against_environment(source, product, where)
    if product and where and placement and not placement.issuer and operations:
        faults += _lacks_issuer(where, operations)
    refuse(faults)
    assert product
    assert placement
    assert operations
    return Read(product=product, placement=placement, operations=operations, folder=str(absolute(folder)))


def read_products(folder: Path, environment: Path) -> list[Read]:
    """All products of a folder, by name. Raises `Refused` with everything that is wrong, also between two of them."""
    faults: list[Fault | str] = []
    reads: list[Read] = []
    for each in products_in(folder):
        with gathering(faults):
            reads.append(read_product(each, environment))
    if reads:
        faults += _same_paths(reads, read_environment(environment))
    refuse(faults)
    return reads


def products_in(folder: Path) -> list[Path]:
    """The folders with a product.yaml, by name; of a product itself, that one. Raises `Refused`: there is none."""
    if (folder / PRODUCT).exists():
        return [folder]
    if not folder.is_dir():
        raise Refused(f"{folder}: there is no such folder")
    found = sorted(each.parent for each in folder.glob(f"*/{PRODUCT}") if not each.parent.name.startswith("."))
    if not found:
        raise Refused(f"{folder}: has no product; `outrider gateway init NAME` makes one")
    return found


def find_environment(product_or_products: Path, name: str) -> Path:
    """The file of an environment: `environments/NAME.yaml` beside the products; or `name` itself, where it is a file's.

    Raises `Refused`: there is none.
    """
    places = _environment_files(product_or_products, name)
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise Refused(f"there is no environment {name}: {places[0]} would be its file")
    return found


def environment_file(product_or_products: Path, name: str) -> Path:
    """Where the file of a new environment belongs."""
    return _environment_files(product_or_products, name)[0]


def _environment_files(product_or_products: Path, name: str) -> list[Path]:
    """The files that may be meant by a name, the best first."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return [Path(name)]
    folder, here = absolute(product_or_products), Path.cwd()
    products = folder.parent if (folder / PRODUCT).exists() else folder
    files = [beside / ENVIRONMENTS / f"{name}.yaml" for beside in (products.parent, products)]
    return [file.relative_to(here) if file.is_relative_to(here) else file for file in files]


def _product(folder: Path, name: str) -> tuple[Source, Product]:
    path = folder / PRODUCT
    source = parse(content(path, inside=folder), str(path))
    refuse(form_faults(source, "product"))
    product = converted(source.data, Product)
    refuse(list(_product_faults(source, product, name)))
    return source, product


def _product_faults(source: Source, product: Product, name: str) -> Iterator[Fault]:
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


def _document(folder: Path) -> tuple[bytes, str]:
    """The OpenAPI document and its name."""
    path, json = folder / OPENAPI, folder / OPENAPI_JSON
    if json.exists() and path.exists():
        message = f"{OPENAPI} is there too; keep one of them"
        raise Refused(Fault(file=str(json), position=Position(1, 1), field="", message=message))
    path = json if json.exists() else path
    return content(path, openapi.SIZE_LIMIT, inside=folder), str(path)


def _against_operations(source: Source, product: Product, operations: Sequence[Operation]) -> Iterator[Fault]:
    known = [operation.id for operation in operations]
    for name in product.timeouts:
        if name not in known:
            meant = get_close_matches(name, known, 1)
            hint = f"did you mean {meant[0]}?" if meant else f"it has {', '.join(known[:5])}{' ...' * (len(known) > 5)}"
            yield source.fault(("timeouts", name), f"the OpenAPI document has no such operation; {hint}")
    guarded = [operation.id for operation in operations if not operation.public]
    if guarded and not product.audiences:
        message = f"is empty, but {guarded[0]} needs a token; write for whom it must be, such as [{product.name}]"
        yield source.fault(("audiences",), message)


def _against_environment(source: Source, product: Product, where: Environment) -> Iterator[Fault]:
    entry = where.products.get(product.name)
    placed = entry.get("versions") if isinstance(entry, dict) else None
    if not isinstance(placed, dict):
        return
    place = ("products", product.name, "versions")
    for version in product.versions:
        if version not in placed:
            advice = f'{version}: {{upstreams: ["http://127.0.0.1:7001"]}}'
            yield where.source.fault(place, f"says no address for {version} of {PRODUCT}; write {advice}")
    for version in placed:
        if version not in product.versions:
            message = f"{source.file} names no such version; add it there, or remove it here"
            yield where.source.fault((*place, version), message)


def _lacks_issuer(where: Environment, operations: Sequence[Operation]) -> Iterator[Fault]:
    guarded = next((operation.id for operation in operations if not operation.public), None)
    if guarded is not None:
        message = f"is required, for {guarded} needs a token: issuer: {{issuer: NAME, jwks: {{file: FILE}}}}"
        yield where.source.fault(("issuer",), message)


def _same_paths(reads: Sequence[Read], where: Environment) -> Iterator[Fault]:
    """Two products that would answer for the same path of the same host."""
    first: dict[tuple[str, str], str] = {}
    told: set[tuple[str, str, str]] = set()
    for read in reads:
        name = read.product.name
        for host in read.placement.hosts:
            for path in dict.fromkeys(operation.path for operation in read.operations):
                other = first.setdefault((host, pattern(path)), name)
                if other != name and (host, other, name) not in told:
                    told.add((host, other, name))
                    message = f"{other} serves {path} at {host} too; give one of them another host, or another path"
                    yield where.source.fault(("products", name, "hosts"), message)
