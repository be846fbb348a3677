"""Who may call: told is what turns somebody away, and nothing else."""

from collections.abc import Mapping
from itertools import chain, combinations, product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.diff.documents import OK, document, rules

SCHEMES = {"token": {"type": "http", "scheme": "bearer"}, "key": {"type": "apiKey", "in": "header", "name": "Key"}}
SCOPES = ("read", "write")
SETS = [frozenset(each) for each in chain.from_iterable(combinations(SCOPES, n) for n in range(3))]
CALLERS = [
    {name: scopes for name, scopes in zip(SCHEMES, held, strict=True) if scopes is not None}
    for held in product([None, *SETS], repeat=2)
]
"""Everything that somebody may come with: a token or none, a key or none, each with any scopes."""

needs = st.dictionaries(st.sampled_from(sorted(SCHEMES)), st.lists(st.sampled_from(SCOPES), unique=True))
security = st.none() | st.lists(needs, max_size=3)


def lets_in(said: list[dict[str, list[str]]], caller: Mapping[str, frozenset[str]]) -> bool:
    """As OpenAPI 3.1.1, 4.8.30 says: one of the alternatives, all of its schemes; without any everybody."""
    return not said or any(all(name in caller and caller[name] >= set(of) for name, of in one.items()) for one in said)


@given(old=security, new=security, old_global=security, new_global=security)
def test_told_is_what_turns_somebody_away(old: Any, new: Any, old_global: Any, new_global: Any) -> None:
    """Against everybody who could come, however the two documents say who may."""
    pair, said = [], []
    for own, of_all in ((old, old_global), (new, new_global)):
        members = {} if of_all is None else {"security": of_all}
        operation = OK if own is None else {**OK, "security": own}
        pair.append(document(paths={"/a": {"get": operation}}, components={"securitySchemes": SCHEMES}, **members))
        said.append(own if own is not None else of_all or [])
    turned_away = any(lets_in(said[0], caller) and not lets_in(said[1], caller) for caller in CALLERS)

    assert bool(rules(*pair)) is turned_away


def test_the_schemes_may_have_other_names() -> None:
    """Also each the name of the other."""
    swapped = {"token": SCHEMES["key"], "key": SCHEMES["token"]}
    old = document(
        paths={"/a": {"get": {**OK, "security": [{"token": ["read"]}]}}}, components={"securitySchemes": SCHEMES}
    )

    for name, found in (("key", []), ("token", ["api-security-removed"])):
        paths = {"/a": {"get": {**OK, "security": [{name: ["read"]}]}}}
        assert rules(old, document(paths=paths, components={"securitySchemes": swapped})) == found


def test_a_scheme_that_nobody_needs_may_change() -> None:
    """Only what an operation asked for counts."""
    paths = {"/a": {"get": {**OK, "security": [{"key": []}]}}}
    other = {"key": SCHEMES["key"], "token": {"type": "openIdConnect", "openIdConnectUrl": "https://a"}}

    old = document(paths=paths, components={"securitySchemes": SCHEMES})
    assert rules(old, document(paths=paths, components={"securitySchemes": other})) == []
