"""What callers know of a product by now: its document as it is live, or as it was at a commit."""

from pathlib import Path

import msgspec

from outrider.gateway import governed
from outrider.gateway.history import Past
from outrider.gateway.reading import OPENAPI, OPENAPI_JSON, PRODUCT
from outrider.gateway.store import State


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """called: such as `release 7`. document: the OpenAPI document, and file, how it is named in messages; declared: the
    product.yaml; each None where there was none.
    """

    called: str
    file: str = ""
    document: bytes | None = None
    declared: bytes | None = None


def at_commit(past: Past, folder: Path) -> Known:
    """What was in a product's folder. Raises `Refused`: git doesn't give it."""
    called = past.commit[:10]
    declared = past.content(folder / PRODUCT)
    for name in (OPENAPI, OPENAPI_JSON):
        document = past.content(folder / name)
        if document is not None:
            return Known(called=called, file=past.name(folder / name), document=document, declared=declared)
    return Known(called=called, declared=declared)


def live(state: Path, folder: Path) -> Known:
    """What is live of a product; nothing before it is published. Raises `Refused`: what is kept of it was damaged."""
    number, kept = governed.known(State(state).product(folder.name))
    if kept is None:
        return Known(called="nothing")
    return Known(called=f"release {number}", file=kept.file, document=kept.document)
