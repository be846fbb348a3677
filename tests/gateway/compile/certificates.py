"""Certificates for tests: one authority, and whatever it signs."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


class Authority:
    """Its own certificate is `NAME.pem` in the folder; what it issues for X is `X.pem` with the key `X.key`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.file = folder / f"{name}.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        built = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), critical=True)
        _replace(self.file, _pem(built.sign(self._key, hashes.SHA256())))

    def issue(self, name: str, *alternatives: str) -> int:
        """Issue a certificate, or renew it: first the key is replaced, then the certificate. Its serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [_general(one) for one in alternatives or (name,)]
        built = self._builder(_named(name), key).add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = built.sign(self._key, hashes.SHA256())
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        _replace(self.folder / f"{name}.key", key.private_bytes(*form))
        _replace(self.folder / f"{name}.pem", _pem(made))
        return made.serial_number

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _replace(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".draft")
    draft.write_bytes(content)
    os.replace(draft, file)
