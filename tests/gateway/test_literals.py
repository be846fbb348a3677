"""A secret that stands in a file is found by its look or by its field's name, and what only names one is let be."""

import pytest

from outrider.gateway.documents import parse
from outrider.gateway.literals import literal_secrets, looks_like

# Put together here, so that no file of this repository looks as if it held a secret.
SECRETS = {
    "a private key": ["-----BEGIN PRIVATE" + " KEY-----", "-----BEGIN RSA PRIVATE" + " KEY-----\nMII"],
    "a token (JWT)": ["Bearer eyJhbGciOiJFUzI1NiJ9." + "eyJzdWIiOiJhZGEifQ.c2ln"],
    "an access key of AWS": ["AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE"],
    "an API key of Google": ["AIza" + "x" * 35],
    "a token of GitHub": ["ghp_" + "x" * 36, "github_pat_" + "x" * 50],
    "a token of GitLab": ["glpat-" + "x" * 20],
    "a token of Slack": ["xoxb-" + "1" * 12],
    "a key of Stripe": ["sk_live_" + "x" * 24],
    "a seed of NATS": ["SU" + "A" * 56],
    "a password in an address": ["postgres://ada:" + "hunter2@db", "https://:" + "hunter2@idp.example/"],
}


@pytest.mark.parametrize(("what", "text"), [(what, text) for what, texts in SECRETS.items() for text in texts])
def test_a_secret_is_known_by_its_look(what: str, text: str) -> None:
    """Alone, and in the middle of a text."""
    assert looks_like(text) == what
    assert looks_like(f"it is '{text}', as you know") == what


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "https://idp.example:8443/jwks.json",
        "https://<user>:<password>@idp.example",
        "mailto:team@example.com",
        "/run/secrets/key.pem",
        "eyJhbGciOiJFUzI1NiJ9",
        "tokens are JWTs (RFC 7519)",
    ],
)
def test_what_is_public_is_no_secret(text: str) -> None:
    """Certificates, addresses, placeholders, names of files."""
    assert looks_like(text) == ""


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("password: hunter2", "holds a password"),
        ("clientSecret: hunter2", "holds a secret"),
        ("client_secret: hunter2", "holds a secret"),
        ("API-Key: hunter2", "holds a secret"),
        ("tokens: [hunter2]", "holds a token"),
        ("tls: {privateKey: hunter2}", "holds a secret"),
        ("password: ''", None),
        ("password_file: /run/secrets/password", None),
        ("refreshToken: 5", None),
        ("token: {type: http}", None),
        ("owner: team-secrets", None),
    ],
)
def test_a_text_in_a_field_that_says_so_is_a_secret(field: str, found: str | None) -> None:
    """Whatever it looks like; a number and an object are none, nor is the name of a file."""
    source = parse(field.encode(), "product.yaml")
    faults = list(literal_secrets(source.document, source.raw, "product.yaml", by_name=True))

    assert [fault.message.partition(";")[0] for fault in faults] == ([found] if found else [])
    assert list(literal_secrets(source.document, source.raw, "product.yaml", by_name=False)) == []


def test_a_secret_is_told_once_where_it_stands() -> None:
    """A key of several lines is one fault at its field; a remark has a line and no field."""
    key = "-----BEGIN PRIVATE" + " KEY-----"
    raw = f"a: 1\ntls:\n  key: |\n    {key}\n    MII\nb: 2\n# {key}\n".encode()
    source = parse(raw, "product.yaml")
    faults = list(literal_secrets(source.document, raw, "product.yaml", by_name=True))

    assert [(fault.position.line, fault.field) for fault in faults] == [(3, "tls.key"), (7, "")]
