"""JavaScript's values: what Node 20 answered for these is the expectation."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.gateway.lint.javascript import (
    UNDEFINED,
    at_most,
    json_text,
    keys,
    length_of,
    less,
    loosely_equal,
    number_of,
    strictly_equal,
    text_of,
    truthy,
    type_of,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "is_true", "kind", "text", "number"),
    [
        (UNDEFINED, False, "undefined", "undefined", "NaN"),
        (None, False, "object", "null", "0"),
        (True, True, "boolean", "true", "1"),
        (0, False, "number", "0", "0"),
        (-0.0, False, "number", "0", "0"),
        (math.nan, False, "number", "NaN", "NaN"),
        (2**53 + 1, True, "number", "9007199254740992", "9007199254740992"),
        (10**21, True, "number", "1e+21", "1e+21"),
        (123456789012345680000, True, "number", "123456789012345680000", "123456789012345680000"),
        (1e-6, True, "number", "0.000001", "0.000001"),
        (1.5e-7, True, "number", "1.5e-7", "1.5e-7"),
        (1.0, True, "number", "1", "1"),
        ("", False, "string", "", "0"),
        ("0", True, "string", "0", "0"),
        (" 0x1F\ufeff", True, "string", " 0x1F\ufeff", "31"),
        ("1_0", True, "string", "1_0", "NaN"),
        ("5.", True, "string", "5.", "5"),
        ([], True, "object", "", "0"),
        ([None, [1, "a"]], True, "object", ",1,a", "NaN"),
        ({}, True, "object", "[object Object]", "NaN"),
    ],
)
def test_values_are_seen_as_javascript_sees_them(value: Any, is_true: bool, kind: str, text: str, number: str) -> None:
    """Empty lists and objects are true, and text becomes a number when it looks like one."""
    assert (truthy(value), type_of(value), text_of(value), text_of(number_of(value))) == (is_true, kind, text, number)


@pytest.mark.parametrize(
    ("left", "right", "strictly", "loosely", "is_less", "is_at_most"),
    [
        (1, True, False, True, False, True),
        (1, 1.0, True, True, False, True),
        (2**53, 2**53 + 1, True, True, False, True),
        (None, UNDEFINED, False, True, False, False),
        (None, 0, False, False, False, True),
        ("1", 1, False, True, False, True),
        ("", 0, False, True, False, True),
        ("a", 1, False, False, False, False),
        ("10", "9", False, False, True, True),
        ("\uffff", "\U0001f600", False, False, False, False),
        ([1], 1, False, True, False, True),
        ([], "", False, True, False, True),
        ({}, "[object Object]", False, True, False, True),
        ([], [], False, False, False, True),
    ],
)
def test_comparisons(left: Any, right: Any, strictly: bool, loosely: bool, is_less: bool, is_at_most: bool) -> None:
    """Strictly, a boolean is no number; loosely, much is; what is no number is neither less nor more."""
    compared = strictly_equal(left, right), loosely_equal(left, right), less(left, right), at_most(left, right)
    assert compared == (strictly, loosely, is_less, is_at_most)


def test_members_are_listed_with_whole_numbers_first() -> None:
    """`Object.keys` sorts names that are indices."""
    assert keys({"b": 1, "10": 1, "2": 1, "02": 1, "a": 1}) == ["2", "10", "b", "02", "a"]


def test_json_has_no_blanks() -> None:
    """`JSON.stringify`, with JavaScript's numbers."""
    assert json_text({"a": [1.0, None, "\u00e9\n"], "b": {}}) == '{"a":[1,null,"\u00e9\\n"],"b":{}}'


def test_length_is_in_utf_16() -> None:
    """A character beyond the first 65,536 counts twice."""
    assert length_of("a\U0001f600") == 3


@given(NUMBERS)
def test_a_number_is_read_back_from_its_text(number: float) -> None:
    """The text names the very same double."""
    assert number_of(text_of(number)) == number


@given(st.one_of(st.none(), st.booleans(), st.text(max_size=5), st.integers(), NUMBERS), st.text(max_size=5))
def test_strictly_equal_values_are_loosely_equal(left: Any, right: str) -> None:
    """And a value is equal to itself; the order makes no difference."""
    assert strictly_equal(left, left)
    assert loosely_equal(left, left)
    assert loosely_equal(left, right) == loosely_equal(right, left)
    assert loosely_equal(left, right) or not strictly_equal(left, right)
