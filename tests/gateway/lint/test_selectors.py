"""Selectors: what Spectral 6.16 (nimma 0.2.3, jsonpath-plus 10.4) matched in this document is the expectation."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.gateway.lint.javascript import UNDEFINED
from outrider.gateway.lint.not_understood import Failed, NotUnderstood
from outrider.gateway.lint.selectors import compile_selector, matches_of

DOCUMENT: dict[str, Any] = {
    "tags": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
    "paths": {
        "/a": {"get": {"x": 1, "responses": {"200": {"d": "x"}, "404": {"d": "y"}}}, "put": {"x": 0}},
        "/b": {"parameters": [{"in": "query", "name": "q"}, {"in": "path", "name": "p"}], "get": {"x": None}},
    },
}
A, B = "paths /a", "paths /b"


def _places(selector: str, document: Any = DOCUMENT) -> list[str]:
    return [" ".join(map(str, match.path)) for match in compile_selector(selector).matches(document)]


@pytest.mark.parametrize(
    ("selector", "places"),
    [
        ("$", [""]),
        ("$.tags", ["tags"]),
        ("$['tags'][0].name", ["tags 0 name"]),
        ("$.tags['0']", ["tags 0"]),
        ("$.nothing.here", []),
        ("$.paths[*]", [A, B]),
        ("$.paths.*", [A, B]),
        ("$.paths[*].get", [f"{A} get", f"{B} get"]),
        ("$.paths[*][get,put]", [f"{A} get", f"{A} put", f"{B} get"]),
        ("$.paths[*]['get','put'].x", [f"{A} get x", f"{A} put x", f"{B} get x"]),
        ("$.paths['/a'].get.responses[200]", [f"{A} get responses 200"]),
        ("$..responses[404]", [f"{A} get responses 404"]),
        ("$..name", ["tags 0 name", "tags 1 name", "tags 2 name", f"{B} parameters 0 name", f"{B} parameters 1 name"]),
        ("$.paths..name", [f"{B} parameters 0 name", f"{B} parameters 1 name"]),
        ("$..get.x", [f"{A} get x", f"{B} get x"]),
        (
            "$..[in,d]",
            [f"{A} get responses 200 d", f"{A} get responses 404 d", *(f"{B} parameters {n} in" for n in (0, 1))],
        ),
        ("$.paths..get..d", [f"{A} get responses 200 d", f"{A} get responses 404 d"]),
        ("$.tags[1:]", ["tags 1", "tags 2"]),
        ("$.tags[:2]", ["tags 0", "tags 1"]),
        ("$.tags[-1:]", ["tags 2"]),
        ("$.tags[(@.length-1)]", ["tags 2"]),
        ("$.paths.[in]", [f"{B} parameters 0 in", f"{B} parameters 1 in"]),
        ("$..*.in", [f"{B} parameters 0 in", f"{B} parameters 1 in"]),
        ("$..parameters[?(@ && @.in === 'query')]", [f"{B} parameters 0"]),
        ("$..parameters[?(@.in === 'query')].name", [f"{B} parameters 0 name"]),
        ("$..[?(@ && @.in)]", [f"{B} parameters 0", f"{B} parameters 1"]),
        ("$.paths[?(@property.match(/A/i))].get", [f"{A} get"]),
        ("$.paths[?(@property.match(/^\\/[b-z]$/))]~", [B]),
        ("$.paths[*][?(@property in ['get'])]", [f"{A} get", f"{B} get"]),
        ("$.paths[*][?(['put'].includes(@property))]", [f"{A} put"]),
        ("$.paths[*][?(@property ~= '^p')]", [f"{A} put", f"{B} parameters"]),
        ("$.paths[*][?(/^g/.test(@property))]", [f"{A} get", f"{B} get"]),
        ("$.paths[*][?(@parentProperty === '/a')]", [f"{A} get", f"{A} put"]),
        ("$.paths[*].get.responses[?(@property >= 400)]", [f"{A} get responses 404"]),
        ("$.paths[*][?(@.x == null)]", [f"{B} parameters", f"{B} get"]),
        ("$.paths[*][?(@.x == '1')]", [f"{A} get"]),
        ("$.paths[*][?(!@.x)]", [f"{A} put", f"{B} parameters", f"{B} get"]),
        ("$.paths[*][?(@.length > 1 && @[1].in !== 'query')]", [f"{B} parameters"]),
        ("$.paths[*][?(@property.indexOf('e') === 1 || @property.length === 3)]", [f"{A} get", f"{A} put", f"{B} get"]),
        ("$..@null()", [f"{B} get x"]),
        ("$.paths[*][?(@array())]", [f"{B} parameters"]),
        ("$..put^", [A]),
        ("$..x^^", [A, B]),
        ("$.tags^", [""]),
        ("$..put^~", [A]),
        ("$..put~^", [f"{A} put"]),
    ],
)
def test_a_selector_matches_its_places(selector: str, places: list[str]) -> None:
    """Each once, from top to bottom."""
    assert sorted(_places(selector)) == sorted(places)


def test_all_that_holds_something() -> None:
    """`$..` is the document and each object and list in it, `$..*` all but the document itself."""
    assert _places("$..", {"a": [1, {}], "b": 2}) == ["", "a", "a 1"]
    assert _places("$..*", {"a": [1, {}], "b": 2}) == ["a", "a 0", "a 1", "b"]


def test_keys_are_values_of_their_own() -> None:
    """`~` gives the name, or the place in a list; of the whole document there is none."""
    assert [match.value for match in compile_selector("$.paths[*]~").matches(DOCUMENT)] == ["/a", "/b"]
    assert [match.value for match in compile_selector("$.tags[*]~").matches(DOCUMENT)] == [0, 1, 2]
    assert [match.value for match in compile_selector("$.tags^~").matches(DOCUMENT)] == [UNDEFINED]
    assert [match.value for match in compile_selector("$..put^").matches(DOCUMENT)] == [DOCUMENT["paths"]["/a"]]


@pytest.mark.parametrize(
    ("selector", "at"),
    [
        ("paths", 0),
        ("$paths", 1),
        ("$.paths[get, put]", 12),
        ("$.paths[ get ]", 8),
        ("$.paths[]", 7),
        ("$.paths[get", 11),
        ("$.paths[*", 8),
        ("$.a~.b", 3),
        ("$~", 1),
        ("$^", 1),
        ("$..^", 1),
        ("$.tags.length", 0),
        ("$.a.constructor", 0),
        ("$.a[007]", 7),
        ("$.tags[0:3:2]", 6),
        ("$.tags[-2:-1]", 6),
        ("$..[0:1]", 0),
        ("$[?(@.get)].get", 0),
        ("$.*..x", 0),
        ("$..paths[?(@.get)]..x", 0),
        ("$..[a,b]..['c','d']", 0),
        ("$.a[?()]", 6),
        ("$.a[?(@.b]", 6),
        ("$.a[?(@.b ===)]", 13),
        ("$.a[?(@.b-c)]", 10),
        ("$.a[?(@parent.b)]", 6),
        ("$.a[?(@path)]", 6),
        ("$.a[?(@.b.replace('a'))]", 17),
        ("$.a[?(typeof @ == 'string')]", 6),
        ("$.a[?(@.b / 2)]", 10),
        ("$.a[?(@.b.match(/(a/))]", 6),
        ("$.a[?(@.b.match(/a/)[0])]", 20),
        ("$.a[?(@.b ? 1 : 2)]", 10),
        ("$.@other()", 1),
        ("$.@@mine()", 1),
        ("$.paths./a", 7),
    ],
)
def test_what_spectral_would_lose_is_refused(selector: str, at: int) -> None:
    """What it cannot read, what it silently matches nothing with, and what it asks of the wrong value."""
    with pytest.raises(NotUnderstood) as refused:
        compile_selector(selector)
    assert refused.value.at == at


@pytest.mark.parametrize(
    "selector",
    ["$..[?(@.a.b)]", "$..[?(@.a)]", "$.paths[*][?(@.match(/a/))]", "$.paths[?(@.constructor)]", "$..[?(@.link)]"],
)
def test_a_filter_that_raises_in_javascript_fails(selector: str) -> None:
    """A member of nothing, a method of what has none: never false in silence."""
    with pytest.raises(Failed, match="ask first"):
        compile_selector(selector).matches(DOCUMENT)


def test_a_document_that_is_too_deep_fails() -> None:
    """Before Python gives up."""
    document: dict[str, Any] = {}
    for _ in range(500):
        document = {"a": document}
    with pytest.raises(Failed, match="levels"):
        compile_selector("$..b").matches(document)


NAMES = st.sampled_from(["a", "b", "0", "/p"])
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from(["a", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=15,
)
STEPS = st.sampled_from(
    [".a", ".b", "[*]", "..a", "[a,b]", "[0]", "..[?(@ && @.a)]", "[?(@ === 'a')]", "..*", "[?(@property !== 'a')]"]
)


@given(DOCUMENTS, st.lists(st.lists(STEPS, min_size=1, max_size=3).map(lambda steps: "$" + "".join(steps)), max_size=5))
def test_selectors_together_match_what_each_does_alone(document: Any, texts: list[str]) -> None:
    """However many share the walk."""
    selectors = []
    for text in texts:
        try:
            selectors.append(compile_selector(text))
        except NotUnderstood:
            continue
    assert matches_of(selectors, document) == [selector.matches(document) for selector in selectors]


@given(DOCUMENTS)
def test_a_match_is_what_lies_at_its_path(document: Any) -> None:
    """Nothing is made up."""
    for path, value in compile_selector("$..*").matches(document):
        found = document
        for step in path:
            found = found[step]
        assert found is value
