"""A product, read whole: what its team says, where it runs, and which operations it has, each checked against the rest.

    products/charging/product.yaml      WHAT, owned by the team
                      openapi.yaml      the API (or openapi.json)
    environments/local.yaml             WHERE, owned by the operator, one file for all products
    governance.yaml                     WHICH RULES hold, owned by those who govern, one file for all products

Everything that is wrong is told at once, each with its file, line and field. Nothing outside of the product's folder
and the files that the environment names is opened, and nothing is fetched.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec

from outrider.common.yaml_positions import Position
from outrider.gateway import openapi
from outrider.gateway.documents import Source, absolute, content, converted, form_faults, gathering, parse, refuse
from outrider.gateway.environment import Placement
from outrider.gateway.faults import Fault, Refused
from outrider.gateway.governance.governance import UNGOVERNED, Governance, find_governance, read_governance
from outrider.gateway.placing import Environment, place, read_environment
from outrider.gateway.product import Operation, Product
from outrider.gateway.product_faults import product_faults

PRODUCT, OPENAPI, OPENAPI_JSON, ENVIRONMENTS = "product.yaml", "openapi.yaml", "openapi.json", "environments"


class Declaration(msgspec.Struct, frozen=True, kw_only=True):
    """What a team says, wherever it is to run. folder: absolute. declared: product.yaml, source: the OpenAPI document,
    both as they are written.
    """

    product: Product
    operations: tuple[Operation, ...]
    folder: str
    declared: Source
    source: Source


class Read(Declaration, frozen=True, kw_only=True):
    """A product as its files say now, in one environment. governance: what holds for it there."""

    placement: Placement
    governance: Governance = UNGOVERNED


def read_product(folder: Path, environment: Path) -> Read:
    """A product's folder, and its place in an environment's file. Raises `Refused` with everything that is wrong."""
    faults: list[Fault | str] = []
    parts = _parts(folder, faults)
    placement, governance = _place(parts, environment, faults, here=True)
    return _read(_declaration(parts, faults), placement, governance)


def declaration(folder: Path) -> Declaration:
    """What is in a product's folder. Raises `Refused` with everything that is wrong."""
    faults: list[Fault | str] = []
    return _declaration(_parts(folder, faults), faults)


def written(folder: Path) -> tuple[Declaration, Governance]:
    """What is in a product's folder, whether a gateway could serve it or not: operations are not read; and what holds
    for it beside its products. Raises `Refused` with everything that is wrong.
    """
    faults: list[Fault | str] = []
    parts, governance = _parts(folder, faults, served=False), UNGOVERNED
    with gathering(faults):
        governance = governance_of(folder)
    return _declaration(parts, faults), governance


def placed(declared: Declaration, environment: Path) -> Read:
    """A product in an environment that need not be here, so that nobody asks whether the files it names are. Raises
    `Refused` with everything else that is wrong.
    """
    faults: list[Fault | str] = []
    parts = _Parts(
        folder=Path(declared.folder),
        declared=declared.declared,
        product=declared.product,
        source=declared.source,
        operations=declared.operations,
    )
    placement, governance = _place(parts, environment, faults, here=False)
    refuse(faults)
    return _read(declared, placement, governance)


class _Parts(msgspec.Struct, kw_only=True):
    """What of a folder could be read."""

    folder: Path
    declared: Source | None = None
    product: Product | None = None
    source: Source | None = None
    operations: tuple[Operation, ...] | None = None


def _parts(folder: Path, faults: list[Fault | str], *, served: bool = True) -> _Parts:
    parts = _Parts(folder=folder)
    with gathering(faults):
        parts.declared, parts.product = read_declared(folder)
    with gathering(faults):
        parts.source = read_source(folder)
        parts.operations = openapi.operations_of(parts.source) if served else ()
    if parts.declared and parts.product and parts.operations:
        faults += _against_operations(parts.declared, parts.product, parts.operations)
    return parts


def _place(
    parts: _Parts, environment: Path, faults: list[Fault | str], *, here: bool
) -> tuple[Placement | None, Governance | None]:
    """Where it runs, and what holds for it there, as far as that can be read."""
    where = placement = governance = None
    with gathering(faults):
        where = read_environment(environment)
        placement = place(where, absolute(parts.folder).name, here=here)
    with gathering(faults):
        governance = governance_of(parts.folder, where)
    if parts.declared and parts.product and where:
        faults += _against_environment(parts.declared, parts.product, where)
    if parts.product and where and placement and not placement.issuer and parts.operations:
        faults += _lacks_issuer(where, parts.operations)
    return placement, governance


def _declaration(parts: _Parts, faults: list[Fault | str]) -> Declaration:
    refuse(faults)
    assert parts.declared
    assert parts.product
    assert parts.source
    assert parts.operations is not None
    return Declaration(
        product=parts.product,
        operations=parts.operations,
        folder=str(absolute(parts.folder)),
        declared=parts.declared,
        source=parts.source,
    )


def _read(declared: Declaration, placement: Placement | None, governance: Governance | None) -> Read:
    assert placement
    assert governance
    fields = {name: getattr(declared, name) for name in declared.__struct_fields__}
    return Read(**fields, placement=placement, governance=governance)


def products_in(folder: Path) -> list[Path]:
    """The folders with a product.yaml, by name; of a product itself, that one. Raises `Refused`: there is none."""
    if not folder.is_dir():
        raise Refused(f"{folder}: there is no such folder")
    found = sorted(each.parent for each in folder.glob(f"*/{PRODUCT}") if not each.parent.name.startswith("."))
    if found and (folder / PRODUCT).exists():
        hidden = ", ".join(each.name for each in found[:5])
        raise Refused(f"{folder / PRODUCT}: hides {hidden}, for no product is within another; move one of them")
    if (folder / PRODUCT).exists():
        return [folder]
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


def environments_beside(product_or_products: Path) -> list[Path]:
    """The files of all environments there are, by name."""
    products = folder_of_products(product_or_products)
    files = (file for beside in (products.parent, products) for file in sorted((beside / ENVIRONMENTS).glob("*.yaml")))
    return [_short(file) for file in files]


def _environment_files(product_or_products: Path, name: str) -> list[Path]:
    """The files that may be meant by a name, the best first."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return [Path(name)]
    products = folder_of_products(product_or_products)
    files = [beside / ENVIRONMENTS / f"{name}.yaml" for beside in (products.parent, products)]
    return [_short(file) for file in files]


def folder_of_products(product_or_products: Path) -> Path:
    """The folder of products, from the root; of one product that around it."""
    folder = absolute(product_or_products)
    return folder.parent if (folder / PRODUCT).exists() else folder


def _short(file: Path) -> Path:
    """As a person here would name it."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def read_declared(folder: Path) -> tuple[Source, Product]:
    """What a team declares in product.yaml, as it is written and as a value. Raises `Refused`."""
    path = folder / PRODUCT
    source = parse(content(path, inside=folder), str(path))
    refuse(form_faults(source, "product"))
    product = converted(source.data, Product)
    refuse(list(product_faults(source, product, absolute(folder).name)))
    return source, product


def read_source(folder: Path) -> Source:
    """A product's OpenAPI document, as it is written. Raises `Refused`."""
    path, json = folder / OPENAPI, folder / OPENAPI_JSON
    if json.exists() and path.exists():
        message = f"{OPENAPI} is there too; keep one of them"
        raise Refused(Fault(file=str(json), position=Position(1, 1), field="", message=message))
    path = json if json.exists() else path
    return openapi.read_document(content(path, openapi.SIZE_LIMIT, inside=folder), str(path))


def governance_of(folder: Path, where: Environment | None = None) -> Governance:
    """What holds for a product: what its environment names, or else what lies beside the products. Raises `Refused`."""
    data = where.source.data if where else None
    named = data.get("governance") if isinstance(data, dict) else None
    if where and isinstance(named, str):
        file = absolute(Path(where.folder) / named)
        if not file.is_file():
            message = f"there is no file {file}; put it there, or name another"
            raise Refused(where.source.fault(("governance",), message))
        return read_governance(_short(file))
    found = find_governance(folder_of_products(folder))
    return read_governance(_short(found)) if found else UNGOVERNED


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
