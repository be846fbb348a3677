"""Values in their documents: what is the same, and where references lead."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.gateway.diff.placed import alike, key, missing, root, same
from outrider.gateway.faults import Refused
from tests.gateway.diff.documents import document


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": [0]}, {"b": [0.0], "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (None, False, False),
        ("1", 1, False),
    ],
)
def test_the_same_to_json(one: Any, other: Any, expected: bool) -> None:
    """Numbers by their value, and no number is true or false; objects without order."""
    assert same(one, other) is same(other, one) is expected


def test_what_is_written_out_is_alike_to_a_reference() -> None:
    """However often it is referred to, also around in a circle."""
    round_and_round = {"next": {"$ref": "#/components/a"}, "value": [1]}
    old = root(document(components={"a": round_and_round, "b": {"$ref": "#/components/a"}}))
    new = root(document(components={"b": {"next": round_and_round, "value": [1.0]}, "a": round_and_round}))

    assert alike(old.get("components"), new.get("components"))


def test_what_differs_behind_references_is_not_alike() -> None:
    """Though both are written in the same way."""
    old = root(document(components={"a": {"$ref": "#/x"}}, x=[{"y": 1}]))
    new = root(document(components={"a": {"$ref": "#/x"}}, x=[{"y": 2}]))

    assert not alike(old.get("components"), new.get("components"))
    assert not alike(old.get("x"), None)


def test_what_stands_beside_a_reference_counts_with_what_it_leads_to() -> None:
    """Either may differ."""
    one, other, third = (
        root(document(a={"$ref": "#/x", "b": b}, x=x)).get("a") for b, x in ((1, [1]), (1, [2]), (2, [1]))
    )

    assert alike(one, one)
    assert not alike(one, other)
    assert not alike(one, third)


def test_a_reference_that_is_data_is_compared_as_it_stands() -> None:
    """Examples may hold anything."""
    one, other = (root(document(x={"$ref": ref})) for ref in ("nowhere", "elsewhere"))

    assert alike(one.get("x"), one.get("x"))
    assert not alike(one.get("x"), other.get("x"))


def test_a_definition_has_its_own_place() -> None:
    """What is told of it leads there."""
    found = root(document(a={"$ref": "#/b~1c"}, **{"b/c": {"$ref": "#/d"}, "d": {"e": 1}})).get("a")

    assert found is not None
    assert found.followed().place.pointer == "#/d"
    assert found.followed().place.position.line > found.place.position.line


def test_a_circle_of_references_leads_nowhere() -> None:
    """Refused with the place where it was met."""
    found = root(document(a={"$ref": "#/b"}, b={"$ref": "#/a"})).get("a")

    assert found is not None
    with pytest.raises(Refused, match="leads back to itself"):
        found.followed()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 1.5, "", "1", "object"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(VALUES, VALUES)
def test_equal_keys_are_those_of_the_same(one: Any, other: Any) -> None:
    """So that a value is found among very many at once."""
    assert (key(one) == key(other)) is same(one, other)
    assert missing([one], [other]) == ([] if same(one, other) else [one])


def test_a_long_chain_of_references_is_followed_to_its_end() -> None:
    """However deep what is referred to refers on."""
    chain: dict[str, Any] = {f"a{n}": {"next": {"$ref": f"#/x/a{n + 1}"}} for n in range(3000)}
    old, new, other = (document(x={**chain, "a3000": last}) for last in (1, 1.0, 2))

    assert alike(root(old).get("x"), root(new).get("x"))
    assert not alike(root(old).get("x"), root(other).get("x"))
