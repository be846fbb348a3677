"""`field`: what of a match a function sees."""

from typing import Any

import pytest

from outrider.gateway.lint.fields import compile_field
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.not_understood import NotUnderstood

MATCH = {"a": {"b": [{"c": 1}, {"c": None}]}, "d.e": 2, "f": "text", "g": []}


@pytest.mark.parametrize(
    ("field", "seen"),
    [
        (None, [((), MATCH)]),
        ("f", [(("f",), "text")]),
        ("a.b[1].c", [(("a", "b", "1", "c"), None)]),
        ("a['b'].0.c", [(("a", "b", "0", "c"), 1)]),
        ("a.b[2].c", [(("a", "b", "2", "c"), UNDEFINED)]),
        ("a.b.01", [(("a", "b", "01"), UNDEFINED)]),
        ("x.y.z", [(("x", "y", "z"), UNDEFINED)]),
        ("d.e", [(("d", "e"), 2)]),
        ("a.b.length", [(("a", "b", "length"), 2)]),
        ("f.length", [(("f", "length"), 4)]),
        ("@key", [((key,), key) for key in MATCH]),
        ("$", [((), MATCH)]),
        ("$.a.b[*].c", [(("a", "b", 0, "c"), 1), (("a", "b", 1, "c"), None)]),
        ("$..x", [((), UNDEFINED)]),
    ],
)
def test_a_field_is_what_lodash_finds(field: str | None, seen: list[Any]) -> None:
    """Dotted, by index, by key; what is not there is undefined, and `$...` that finds nothing is, too."""
    assert list(compile_field(field)(MATCH)) == seen


@pytest.mark.parametrize("field", [None, "a.b", "@key", "$.a"])
@pytest.mark.parametrize("match", ["text", 7, None, True])
def test_of_what_is_no_object_no_field_is_asked(field: str | None, match: Any) -> None:
    """The function sees the match itself."""
    assert list(compile_field(field)(match)) == [((), match)]


@pytest.mark.parametrize(
    ("field", "match", "seen"),
    [("@key", ["x"], [((0,), "0")]), ("@key", {}, [((), UNDEFINED)]), ("0.a", [{"a": 1}], [(("0", "a"), 1)])],
)
def test_a_list_has_its_numbers_as_keys(field: str, match: Any, seen: list[Any]) -> None:
    """As JavaScript has it; without any key there is one thing, which is undefined."""
    assert list(compile_field(field)(match)) == seen


@pytest.mark.parametrize(
    "field", ["", "a..b", ".a", "a.", "a[", "a[b]", "$.a[?(@.b)]", "$.a~", "$x", "__proto__", "a.toString"]
)
def test_what_is_not_understood_is_refused(field: str) -> None:
    """And what JavaScript would find in every object is no field."""
    with pytest.raises(NotUnderstood):
        compile_field(field)
