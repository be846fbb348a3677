"""Path templates: what each matches, and which comes first."""

import re

import pytest

from outrider.gateway.templates import by_precedence, canonical, is_literal, pattern, template_fault


@pytest.mark.parametrize(
    ("template", "matches", "others"),
    [
        ("/things", ["/things"], ["/things/", "/thing", "/things/a"]),
        ("/things/{id}", ["/things/7", "/things/a.b", "/things/a%20b"], ["/things/", "/things", "/things/a/b"]),
        ("/maps/{name}.map", ["/maps/a.map", "/maps/a.b.map"], ["/maps/.map", "/maps/axmap", "/maps/a.map/"]),
        ("/v{major}/a+b", ["/v1/a+b", "/v1/a%2Bb", "/v1/a%2bb"], ["/v/a+b", "/v1/aab"]),
        ("/{id}:purge", ["/1:purge", "/1%3Apurge", "/1%3apurge"], ["/1%3Bpurge", "/1%253Apurge", "/:purge"]),
        ("/stra%c3%9Fe", ["/stra%C3%9Fe", "/stra%c3%9fe"], ["/stra\u00dfe", "/strae"]),
        ("/a%7Cb%20c", ["/a|b%20c", "/a%7cb%20c"], ["/a|b c"]),
        ("/100%25", ["/100%25"], ["/100%"]),
        ("/{id}Ab", ["/1Ab", "/%20Ab"], ["/1%3Ab", "/%3Ab", "/%Ab"]),
        ("/{a}/{b}", ["/x/y"], ["/x", "/x/y/z", "//y"]),
    ],
)
def test_a_template_matches_its_paths(template: str, matches: list[str], others: list[str]) -> None:
    """A parameter is at least one character and no slash; all else is a character, raw or escaped."""
    assert [path for path in matches + others if re.fullmatch(pattern(template), path)] == matches


def test_literal_paths_come_first() -> None:
    """Then what has the most literal segments, from the left; a segment literal in part before one that is not."""
    ordered = [
        "/a/b/c",
        "/a/b/{x}.map",
        "/a/b/{x}",
        "/a/{x}/c",
        "/{x}/b/c",
        "/a/{x}/{y}",
        "/{x}/b/{y}",
        "/{x}/{y}/{z}",
    ]
    assert by_precedence(reversed(ordered)) == ordered


def test_templates_that_match_the_same_paths_are_one() -> None:
    """The name of a parameter makes no difference to callers."""
    assert by_precedence(["/a/{y}", "/a/{x}", "/a/{y}"]) == ["/a/{x}"]


def test_a_path_without_parameters_is_literal() -> None:
    """And is compared as a whole, if there is one way only to write it."""
    assert is_literal("/a/b.c")
    assert is_literal("/a/%62.c")
    assert not is_literal("/a/{b}.c")
    assert not is_literal("/a:b")


def test_needless_escapes_are_undone() -> None:
    """What is left of them is in capitals, so that templates which mean the same are the same."""
    assert canonical("/%61dmin/%7e%2D/stra%c3%9fe%3a%253a") == "/admin/~-/stra%C3%9Fe%3A%253a"
    assert pattern("/%61:{x}") == pattern("/a%3a{y}")
    assert by_precedence(["/{x}%3aab", "/{x}:abc"]) == ["/{x}:abc", "/{x}%3aab"]


@pytest.mark.parametrize(("path", "fault"), [("/{a}{b}", True), ("/x{a}{b}.map", True), ("/{a}-{b}", False)])
def test_two_parameters_have_something_between_them(path: str, fault: bool) -> None:
    """Where one ends and the next begins, upstreams would each say in their own way."""
    assert bool(template_fault(path)) == fault


@pytest.mark.parametrize("path", ["/a/%2e%2E/b", "/a/%2e", "/a%2fb", "/a%ff", "/%C3{x}%9F", "/%EF%BF%BD"])
def test_what_upstreams_would_decode_to_something_else_is_refused(path: str) -> None:
    """Dots that lead elsewhere, slashes, and what is no UTF-8."""
    assert template_fault(path)
