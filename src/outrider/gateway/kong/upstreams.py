"""Where Kong sends requests: one upstream with the addresses of all versions, and the split as weights."""

from collections import Counter
from math import ceil, gcd, lcm
from typing import Any

from outrider.gateway.environment import Placement
from outrider.gateway.product import Health, Product
from outrider.gateway.release import Split

_LARGEST_WEIGHT = 65535
_LARGEST_COUNT = 255


def upstream_name(product: Product) -> str:
    """What services name as their host."""
    return f"{product.name}.upstream"


def certificate_names(product: Product, placement: Placement) -> list[str]:
    """The names that certificates of the versions must have, one for each version with TLS."""
    return [tls.name for version in product.versions if (tls := placement.versions[version].tls)]


def upstream(product: Product, placement: Placement, split: Split) -> dict[str, Any]:
    """The upstream with its targets."""
    name = next(iter(certificate_names(product, placement)), None)
    return {
        "name": upstream_name(product),
        "algorithm": "round-robin",
        **({"host_header": name} if name else {}),
        **({"healthchecks": _health(product, product.health, name)} if product.health else {}),
        "tags": [product.name],
        "targets": [
            {"target": target, "weight": weight, "tags": [product.name]}
            for target, weight in weights(product, placement, split).items()
        ],
    }


def weights(product: Product, placement: Placement, split: Split) -> dict[str, int]:
    """Every TCP address with its weight: a version's share is spread evenly over its addresses."""
    versions = {
        version: [str(u.address) for u in placement.versions[version].upstreams if u.address]
        for version in product.versions
    }
    parts = lcm(*map(len, filter(None, versions.values())))
    shares: Counter[str] = Counter()
    for version, addresses in versions.items():
        for address in addresses:
            shares[address] += split.get(version, 0) * parts // len(addresses)
    divisor = max(gcd(*shares.values()), 1)
    excess = max(1.0, max(shares.values(), default=0) / divisor / _LARGEST_WEIGHT)
    return {address: ceil(share / divisor / excess) for address, share in shares.items()}


def _health(product: Product, health: Health, name: str | None) -> dict[str, Any]:
    """Kong takes whole seconds, and counts up to 255."""
    every, failures = ceil(health.every), min(product.outliers.after, _LARGEST_COUNT)
    kind = "https" if name else "http"
    return {
        "active": {
            "type": kind,
            **({"https_sni": name} if name else {}),
            "http_path": health.path,
            "timeout": ceil(health.within),
            "healthy": {"interval": every, "successes": 1, "http_statuses": [200]},
            "unhealthy": {"interval": every, "http_failures": 2, "tcp_failures": 2, "timeouts": 2},
        },
        "passive": {
            "type": kind,
            "unhealthy": {
                "http_failures": failures,
                "http_statuses": [500, 501, 502, 503, 504],
                "tcp_failures": failures,
                "timeouts": failures,
            },
        },
    }
