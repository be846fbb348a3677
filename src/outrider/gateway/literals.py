"""Secrets that stand in a file although they should be named there: what they look like, and where they stand.

A file of a product is read by many and lives in a repository for ever. What is found is never repeated in a message.
"""

import re
from collections.abc import Iterator
from typing import Any

from outrider.common.json_path import JsonPath, dotted
from outrider.common.yaml_positions import Document, Position
from outrider.gateway.faults import Fault

# Each begins with a letter or more that are always the same: then a search takes microseconds, not milliseconds.
_LOOKS_LIKE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY"), "a private key"),
    (re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), "a token (JWT)"),
    (re.compile(r"A(?:KI|SI)A[A-Z0-9]{16}\b"), "an access key of AWS"),
    (re.compile(r"AIza[A-Za-z0-9_-]{35}\b"), "an API key of Google"),
    (re.compile(r"gh[pousr]_[A-Za-z0-9]{36,}"), "a token of GitHub"),
    (re.compile(r"github_pat_[A-Za-z0-9_]{40,}"), "a token of GitHub"),
    (re.compile(r"glpat-[A-Za-z0-9_-]{20,}"), "a token of GitLab"),
    (re.compile(r"xox[abeprs]-[A-Za-z0-9-]{10,}"), "a token of Slack"),
    (re.compile(r"k_live_[A-Za-z0-9]{16,}"), "a key of Stripe"),
    (re.compile(r"S[AOU][A-Z2-7]{56}\b"), "a seed of NATS"),
    (re.compile(r"://[^\s/:@'\"<>{}]*:[^\s/@'\"<>{}]+@"), "a password in an address"),
)
_NAMES = {
    **dict.fromkeys(("password", "passwd", "passphrase"), "a password"),
    **dict.fromkeys(("secret", "credential", "apikey", "accesskey", "privatekey"), "a secret"),
    "token": "a token",
}
_NAME_IT = "secrets are named, never written: put it into a file of its own, and the file's name here"
_REPLACE_IT = "write a placeholder such as <token>, and have it replaced where it opens something"
_REMOVE_IT = "remove it, and have it replaced where it opens something"


def literal_secrets(document: Document, raw: bytes, file: str, *, by_name: bool) -> Iterator[Fault]:
    """Every secret in a file that was read. `by_name`: a text in a field that is called `password` is one too, and
    fields are there to name a secret's file; an OpenAPI document has neither.
    """
    text = raw.decode("utf-8-sig")
    if not (any_is_there := bool(looks_like(text))) and not by_name:
        return
    advice = _NAME_IT if by_name else _REPLACE_IT
    told: set[int] = set()
    for path, value in _texts(document.data, ()):
        if what := looks_like(value) or (by_name and value.strip() and _named(path)):
            position = document.position(path)
            told.update(range(position.line, position.line + value.count("\n") + 2))
            yield Fault(file=file, position=position, field=dotted(path), message=f"holds {what}; {advice}")
    for number, line in enumerate(text.splitlines() if any_is_there else (), 1):
        if number not in told and (what := looks_like(line)):
            place = Position(number, 1)
            yield Fault(file=file, position=place, field="", message=f"the line holds {what}; {_REMOVE_IT}")


def looks_like(text: str) -> str:
    """What kind of secret the text holds; empty: none that we know."""
    return next((what for pattern, what in _LOOKS_LIKE if pattern.search(text)), "")


def _named(path: JsonPath) -> str:
    """What a field holds by its name, `clientSecret` and `client_secret` alike; empty: nothing secret."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    plain = re.sub(r"[^a-z]", "", name.lower())
    return next((what for word, what in _NAMES.items() if plain.endswith((word, f"{word}s"))), "")


def _texts(value: Any, path: JsonPath) -> Iterator[tuple[JsonPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _texts(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
