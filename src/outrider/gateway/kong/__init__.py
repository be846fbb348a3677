"""The same product for Kong: a decK file with its services, routes, upstream targets and plugins. Pure.

Only what open-source Kong 3 can do is written; `gaps` says what is left over. Neither Kong nor decK is needed here; a
test holds the file to decK's own JSON Schema. It holds no secret: keys are the issuer's public ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from outrider.common.yaml_writing import write_yaml
from outrider.gateway.environment import Placement
from outrider.gateway.kong.consumers import PublicKey, consumer
from outrider.gateway.kong.services import services
from outrider.gateway.kong.upstreams import upstream
from outrider.gateway.product import Operation, Product
from outrider.gateway.release import Split


def kong(
    product: Product, placement: Placement, operations: Sequence[Operation], split: Split, keys: Sequence[PublicKey]
) -> dict[str, Any]:
    """The decK file as data. keys: the issuer's; none where every operation is public."""
    return {
        "_format_version": "3.0",
        "_info": {"select_tags": [product.name]},
        "services": list(services(product, placement, operations)),
        "upstreams": [upstream(product, placement, split)],
        **({"consumers": [consumer(placement.issuer.issuer, keys)]} if placement.issuer and keys else {}),
    }


def written(document: Mapping[str, Any], head: Sequence[str]) -> str:
    """The decK file as text, with `head` as lines of comment at its top."""
    comment = "".join(f"# {_printable(line)}".rstrip() + "\n" for line in head)
    return comment + write_yaml(document)


def _printable(line: str) -> str:
    """What YAML may have in a comment; and no line of it ends early."""
    return "".join(character if character.isprintable() else " " for character in line)
