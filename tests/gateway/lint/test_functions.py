"""The functions of rules: what Spectral 6.16 found for these is the expectation, its words included."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.gateway.lint.functions import FUNCTIONS, Target
from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.not_understood import Failed, NotUnderstood

PRINTED, VALUE = '#{{print("property")}}', '#{{print("value")}}'


def _found(function: str, options: Any, value: Any, document: Any = None) -> list[tuple[str, str]]:
    """What is wrong: where, from the root, and the message. The value lies at `p`."""
    target = Target(path=("p",), document=document)
    results = FUNCTIONS[function](options)(value, target)
    return [(" ".join(map(str, result.path or ("p",))), result.message) for result in results]


@pytest.mark.parametrize(
    ("function", "options", "right", "wrong"),
    [
        ("truthy", None, [[], {}, "0", -1, True], [UNDEFINED, None, "", 0, 0.0, False]),
        ("falsy", None, [UNDEFINED, None, "", 0, False], [[], {}, "0", 1]),
        ("defined", None, [None, 0, ""], [UNDEFINED]),
        ("undefined", None, [UNDEFINED], [None, 0, ""]),
        ("pattern", {"match": "a"}, ["bab", UNDEFINED, None, 1, ["b"]], ["b", "", "A"]),
        ("pattern", {"match": "/^a$/i", "notMatch": "A"}, ["a"], ["A", "ab", "a\n"]),
        ("pattern", {"notMatch": "/"}, ["a", ""], ["/", "a/"]),
        ("casing", {"type": "flat"}, ["ab1", "", 1, None], ["aB", "a-b", "1a", "a\n"]),
        ("casing", {"type": "camel"}, ["a", "aB", "aBc1", "a1B"], ["A", "aBC", "a_b", "ABc"]),
        ("casing", {"type": "pascal"}, ["A", "Ab", "AbC"], ["a", "ABC", "A-b"]),
        ("casing", {"type": "kebab"}, ["a", "a-b", "a1-2"], ["a--b", "a-", "-a", "A-b", "a_b"]),
        ("casing", {"type": "cobol"}, ["A", "A-B1"], ["a-b", "A_B"]),
        ("casing", {"type": "snake"}, ["a_b", "a"], ["_a", "a__b", "a-b"]),
        ("casing", {"type": "macro", "disallowDigits": True}, ["A_B"], ["A_1", "A1"]),
        ("casing", {"type": "camel", "separator": {"char": "."}}, ["a.bC", "a"], [".a", "a.", "a.B"]),
        (
            "casing",
            {"type": "flat", "separator": {"char": "/", "allowLeading": True}},
            ["/a/b", "/", "a"],
            ["//", "a/"],
        ),
        ("casing", {"type": "flat", "separator": {"char": "]"}}, ["a]b"], ["a[b"]),
        ("length", {"min": 2}, ["ab", [1, 2], {"a": 1, "b": 2}, 2, None, True, "\U0001f600"], ["a", [1], {}, 1.5]),
        ("length", {"max": 1}, ["a", [], 1, -5], ["ab", [1, 2], 1.5]),
        ("enumeration", {"values": ["a", 1, None]}, ["a", 1.0, None, [], {}, UNDEFINED], ["b", True, "1", 0]),
        ("enumeration", {"values": [True]}, [True], [1, "true", False]),
        ("xor", {"properties": ["a", "b"]}, [{"a": 1}, {"b": None, "c": 1}, "a", []], [{}, {"a": 1, "b": 1}]),
        ("or", {"properties": ["a", "b"]}, [{"a": 1}, {"a": 1, "b": 1}, 1], [{}, {"c": 1}]),
        ("alphabetical", None, [["a", "b", "B", "c"], {"200": 1, "404": 1}, [1, 2], ["a"], "ba"], [["b", "a"], [2, 1]]),
        ("alphabetical", None, [["-a", "a"], ["a", "A"], ["a1", "aA"], [True]], [["a", "_a"], ["A", "a"], [True, "a"]]),
        (
            "alphabetical",
            {"keyedBy": "k"},
            [[{"k": "a"}, {"k": "b"}]],
            [[{"k": 2}, {"k": 1}], [{}, {}], [1, 2], {"a": 1, "b": 2}],
        ),
        ("typedEnum", None, [{"enum": ["a"], "type": "string"}, {"enum": [1]}, {"type": "string"}], []),
        ("typedEnum", None, [{"enum": [1.0], "type": "integer"}], [{"enum": [1.5], "type": "integer"}]),
        ("typedEnum", None, [{"enum": [None, 1], "type": ["null", "number"]}], [{"enum": [None], "type": "string"}]),
    ],
)
def test_what_a_function_finds(function: str, options: Any, right: list[Any], wrong: list[Any]) -> None:
    """And what is of a kind that it does not look at is right."""
    assert [value for value in right if _found(function, options, value)] == []
    assert [value for value in wrong if not _found(function, options, value)] == []


@pytest.mark.parametrize(
    ("function", "options", "value", "found"),
    [
        ("truthy", None, 0, [("p", f"{PRINTED}must be truthy")]),
        ("pattern", {"match": "a"}, "b", [("p", f'{VALUE} must match the pattern "a"')]),
        ("casing", {"type": "kebab"}, "A", [("p", "must be kebab case")]),
        (
            "length",
            {"min": 3, "max": 1},
            "ab",
            [("p", f"{PRINTED}must be {s} than {n}") for s, n in (("longer", 3), ("shorter", 1))],
        ),
        (
            "enumeration",
            {"values": [1, "a"]},
            2,
            [("p", f'{VALUE} must be equal to one of the allowed values: 1, "a"')],
        ),
        ("xor", {"properties": ["a", "b"]}, {"b": 1, "a": 1}, [("p", 'Just one of "b" and "a" must be defined')]),
        (
            "xor",
            {"properties": list("abcde")},
            {},
            [("p", 'At least one of "a" or "b" or "c" or 2 other properties must be defined')],
        ),
        ("alphabetical", None, {"b": 1, "a": 1}, [("p b", '"b" must be placed after "a"')]),
        ("alphabetical", None, ["a", 3, 1], [("p 1", "3 must be placed after 1")]),
        ("typedEnum", None, {"enum": ["a", 1], "type": "string"}, [("p enum 1", 'Enum value 1 must be "string".')]),
    ],
)
def test_what_a_function_says(function: str, options: Any, value: Any, found: list[tuple[str, str]]) -> None:
    """Where, and in which words."""
    assert _found(function, options, value) == found


def test_an_enum_may_be_null_where_openapi_says_so() -> None:
    """`nullable` counts in OpenAPI 3.0 only."""
    value = {"enum": [None], "type": "string", "nullable": True}
    assert _found("typedEnum", None, value, {"openapi": "3.0.3"}) == []
    assert _found("typedEnum", None, value, {"openapi": "3.1.0"}) == [("p enum 0", 'Enum value null must be "string".')]


def test_definitions_that_nothing_names() -> None:
    """Names are decoded; a reference from inside the thing itself, or to a part of it, does not count."""
    schemas: dict[str, Any] = {
        "A B": {},
        "U/V": {},
        "Part": {"properties": {"z": {"$ref": "#/components/schemas/Deep"}}},
        "Deep": {},
        "Self": {"items": {"$ref": "#/components/schemas/Self"}},
        "One": {"items": {"$ref": "#/components/schemas/Two"}},
        "Two": {"items": {"$ref": "#/components/schemas/One"}},
    }
    names = ["A%20B", "U~1V", "Part/properties/z"]
    document = {"x": [{"$ref": f"#/components/schemas/{name}"} for name in names], "components": {"schemas": schemas}}
    found = _found("unreferencedReusableObject", {"reusableObjectsLocation": "#/components/schemas"}, schemas, document)
    assert [place for place, _ in found] == ["components schemas Part", "components schemas Self"]


@pytest.mark.parametrize(
    ("function", "options", "path"),
    [
        ("truthy", {}, ()),
        ("typedEnum", {"a": 1}, ()),
        ("pattern", None, ()),
        ("pattern", {}, ()),
        ("pattern", {"match": 1}, ("match",)),
        ("pattern", {"match": "("}, ("match",)),
        ("pattern", {"notMatch": "/a/x"}, ("notMatch",)),
        ("pattern", {"matches": "a"}, ()),
        ("casing", {"type": "train"}, ("type",)),
        ("casing", {"type": "camel", "separator": {"char": "ab"}}, ("separator", "char")),
        ("casing", {"type": "camel", "separator": {}}, ("separator",)),
        ("casing", {"type": "camel", "disallowDigits": 1}, ("disallowDigits",)),
        ("length", {"min": "1"}, ("min",)),
        ("length", {"min": True}, ("min",)),
        ("length", {}, ()),
        ("enumeration", {"values": [[1]]}, ("values", "0")),
        ("enumeration", {}, ()),
        ("xor", {"properties": ["a"]}, ("properties",)),
        ("alphabetical", {"keyedBy": None}, ("keyedBy",)),
        ("unreferencedReusableObject", {"reusableObjectsLocation": "components"}, ("reusableObjectsLocation",)),
    ],
)
def test_options_that_are_not_understood_are_refused(function: str, options: Any, path: tuple[str, ...]) -> None:
    """An unknown option, a wrong type; and it is told which."""
    with pytest.raises(NotUnderstood) as refused:
        FUNCTIONS[function](options)
    assert tuple(map(str, refused.value.path)) == path


def test_what_cannot_be_finished_fails() -> None:
    """An alphabet that we do not have."""
    with pytest.raises(Failed, match="ASCII"):
        _found("alphabetical", None, ["\u00e4", "z"])


WORDS = st.lists(st.text(alphabet="abcxyz", min_size=2, max_size=5), min_size=1, max_size=4)
WRITTEN: dict[str, Callable[[list[str]], str]] = {
    "flat": "".join,
    "camel": lambda words: words[0] + "".join(map(str.capitalize, words[1:])),
    "pascal": lambda words: "".join(map(str.capitalize, words)),
    "kebab": "-".join,
    "snake": "_".join,
    "cobol": lambda words: "-".join(words).upper(),
    "macro": lambda words: "_".join(words).upper(),
}


@given(WORDS)
def test_words_written_in_a_case_are_of_that_case(words: list[str]) -> None:
    """And of the others only where they look the same."""
    for case, write in WRITTEN.items():
        text = write(words)
        assert _found("casing", {"type": case}, text) == []
        others = [other for other in WRITTEN if not _found("casing", {"type": other}, text)]
        assert len(words) == 1 or case == "flat" or others == [case]
