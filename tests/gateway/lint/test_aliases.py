"""Aliases: names for path expressions."""

import pytest

from outrider.gateway.lint.aliases import expanded
from outrider.gateway.lint.not_understood import NotUnderstood
from outrider.gateway.lint.rule import Aliases, Target

OAS30, OAS31 = frozenset({"oas3", "oas3_0"}), frozenset({"oas3", "oas3_1"})
ALIASES: Aliases = {
    "Paths": (Target(None, ("$.paths",)),),
    "Item": (Target(None, ("#Paths[*]", "$.x[*]")),),
    "Schema": (Target(frozenset({"oas3"}), ("$.a",)), Target(frozenset({"oas3_0"}), ("#Item.b",))),
}


@pytest.mark.parametrize(
    ("expression", "formats", "expressions"),
    [
        ("$.info", OAS31, ["$.info"]),
        ("#Paths", OAS31, ["$.paths"]),
        ("#Item.get", OAS31, ["$.paths[*].get", "$.x[*].get"]),
        ("#Item[?(@.a)]", OAS31, ["$.paths[*][?(@.a)]", "$.x[*][?(@.a)]"]),
        ("#Schema.c", OAS31, ["$.a.c"]),
        ("#Schema.c", OAS30, ["$.paths[*].b.c", "$.x[*].b.c"]),
        ("#Schema", frozenset({"aas3"}), []),
        ("#Schema", None, ["$.a", "$.paths[*].b", "$.x[*].b"]),
    ],
)
def test_an_alias_is_its_expressions_with_what_follows(
    expression: str, formats: frozenset[str] | None, expressions: list[str]
) -> None:
    """Also through others; of its targets, the last that fits the document counts."""
    assert expanded(expression, ALIASES, formats) == expressions


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("#Nothing", "there is no alias Nothing"),
        ("#", "must begin with"),
        ("#A.b", r"A -> A"),
        ("info", "must begin with"),
    ],
)
def test_what_stands_for_nothing_is_refused(expression: str, message: str) -> None:
    """With those that there are."""
    with pytest.raises(NotUnderstood, match=message):
        expanded(expression, {**ALIASES, "A": (Target(None, ("#A.c",)),)})
