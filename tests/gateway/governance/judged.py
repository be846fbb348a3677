"""A product that is judged, and what checks might have found of it, for tests to change."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from outrider.common.json_path import steps
from outrider.common.yaml_positions import Position
from outrider.gateway.documents import Source, parse
from outrider.gateway.findings import Change, Finding, Place, Severity
from outrider.gateway.governance.governance import Governance, read_governance
from outrider.gateway.governance.judging import Found, judge
from outrider.gateway.governance.report import Report
from outrider.gateway.governance.signatures import PrivateKey
from outrider.gateway.product import Product

TODAY = date(2026, 11, 22)
PLACE = "#/paths/~1v1~1places/get"
WAIVER: dict[str, Any] = {
    "rule": "array-bounded",
    "place": PLACE,
    "owner": "team-parking",
    "approver": "jane",
    "reason": "The pages come with the new year.",
    "until": "2026-12-24",
}
APPROVAL = {**WAIVER, "rule": "api-removed-without-deprecation"}


def governance(folder: Path, **said: Any) -> Governance:
    """A governance.yaml by which jane and joe may let something pass, with other settings."""
    file = folder / "governance.yaml"
    file.write_bytes(msgspec.json.encode({"approvers": [{"name": "jane"}, {"name": "joe"}], **said}))
    return read_governance(file)


def declared(**said: Any) -> tuple[Source, Product]:
    """A product.yaml with waivers and approvals; an entry begins on line 6, its fields follow line by line."""
    product = {"name": "parking", "owner": "team-parking", "versions": ["v1"], "audiences": ["parking"], **said}
    raw = msgspec.json.format(msgspec.json.encode(product))
    return parse(raw, "products/parking/product.yaml"), msgspec.convert(product, Product)


def finding(rule: str = "array-bounded", at: str = PLACE, severity: Severity = Severity.ERROR) -> Finding:
    """A rule that is broken at a place of the document."""
    return Finding(rule=rule, severity=severity, message="is not bounded", place=place(at), mend="write maxItems")


def change(
    rule: str = "api-removed-without-deprecation",
    *,
    old: str | None = PLACE,
    new: str | None = None,
    severity: Severity = Severity.ERROR,
) -> Change:
    """Something that differs, at places of both documents."""
    return Change(
        rule=rule,
        severity=severity,
        message="was removed",
        operation="GET /v1/places",
        old=place(old) if old else None,
        new=place(new) if new else None,
    )


def place(at: str) -> Place:
    """A place of the document by its pointer; numbers are items of lists."""
    path = tuple(int(step) if step.isdigit() else step for step in steps(at))
    return Place("products/parking/openapi.yaml", Position(12, 7), path)


def judged(
    by: Governance,
    *found: Finding | Change,
    today: date = TODAY,
    new_major: bool = False,
    **said: Any,
) -> Report:
    """The verdict on a product that declares this, of which that was found."""
    source, product = declared(**said)
    changes = tuple(one for one in found if isinstance(one, Change))
    seen = Found(
        version="1.2.0",
        ruleset="outrider:openapi",
        ruleset_sha256="12",
        ran={"array-bounded": 3},
        findings=tuple(one for one in found if isinstance(one, Finding)),
        changes=changes,
        against="release 7" if changes else "",
        new_major=new_major,
    )
    return judge(product, source, by, seen, today)


def keys(kind: str = "ed25519") -> tuple[PrivateKey, str]:
    """A private key, and the PEM of the public one."""
    key: PrivateKey = (
        ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    )
    return key, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def pem(key: PrivateKey) -> bytes:
    """A private key as a file has it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
