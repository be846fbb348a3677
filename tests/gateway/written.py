"""A product and its environment as files: the least that is right, for tests to change."""

from collections.abc import Callable
from pathlib import Path

from outrider.gateway.documents import gathering, refuse
from outrider.gateway.faults import Fault
from outrider.gateway.reading import Read, products_in, read_product

PRODUCT = """\
name: parking
owner: team-parking
versions: [v1]
audiences: [parking]
"""
OPENAPI = """\
openapi: 3.1.0
info: {title: Parking, version: 1.0.0, contact: {name: Team Parking, email: parking@example.com}}
security: [{token: ['parking:read']}]
paths:
  /v1/places:
    get:
      operationId: listPlaces
      responses: {'200': {description: All.}}
  /v1/places/{place}:
    get:
      operationId: showPlace
      responses: {'200': {description: One.}}
    parameters: [{name: place, in: path, required: true, schema: {type: string}}]
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
"""
ENVIRONMENT = """\
issuer: {issuer: idp, jwks: {file: keys/jwks.json}}
products:
  parking:
    listen: 127.0.0.1:9001
    stats: 127.0.0.1:9101
    versions:
      v1:
        upstreams: ['http://127.0.0.1:7001']
"""
JWKS = '{"keys": []}'

Change = Callable[[Path], None]
"""Something that is done to the folder in which products/ and environments/ are."""
PRODUCT_FILE, OPENAPI_FILE = "products/parking/product.yaml", "products/parking/openapi.yaml"
ENVIRONMENT_FILE = "environments/local.yaml"


def written(root: Path, *changes: Change) -> Path:
    """The files, changed; all is right without changes."""
    write(PRODUCT_FILE, PRODUCT)(root)
    write(OPENAPI_FILE, OPENAPI)(root)
    write(ENVIRONMENT_FILE, ENVIRONMENT)(root)
    write("environments/keys/jwks.json", JWKS)(root)
    for change in changes:
        change(root)
    return root


def read(root: Path, *changes: Change) -> Read:
    """What is read of the files, changed."""
    written(root, *changes)
    return read_product(root / "products/parking", root / ENVIRONMENT_FILE)


def read_all(products: Path, environment: Path) -> list[Read]:
    """What is read of all products of a folder, or what is wrong with any of them."""
    faults: list[Fault | str] = []
    reads = []
    for each in products_in(products):
        with gathering(faults):
            reads.append(read_product(each, environment))
    refuse(faults)
    return reads


def write(name: str, content: str | bytes) -> Change:
    """Write a whole file."""

    def change(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def edit(name: str, *olds_and_news: str) -> Change:
    """Replace texts that are in a file; an old, its new, the next old, and so on."""

    def change(root: Path) -> None:
        text = (root / name).read_text("utf-8")
        for old, new in zip(olds_and_news[::2], olds_and_news[1::2], strict=True):
            assert old in text, old
            text = text.replace(old, new)
        (root / name).write_text(text, "utf-8")

    return change


def add(name: str, content: str) -> Change:
    """Write something behind what is in a file."""

    def change(root: Path) -> None:
        (root / name).write_text((root / name).read_text("utf-8") + content, "utf-8")

    return change


def remove(name: str) -> Change:
    """Remove a file."""
    return lambda root: (root / name).unlink()
