"""Path templates: what each matches, and which comes first."""

import re

import pytest

from outrider.gateway.templates import by_precedence, is_literal, pattern


@pytest.mark.parametrize(
    ("template", "matches", "others"),
    [
        ("/things", ["/things"], ["/things/", "/thing", "/things/a"]),
        ("/things/{id}", ["/things/7", "/things/a.b", "/things/a%20b"], ["/things/", "/things", "/things/a/b"]),
        ("/maps/{name}.map", ["/maps/a.map", "/maps/a.b.map"], ["/maps/.map", "/maps/axmap", "/maps/a.map/"]),
        ("/v{major}/a+b", ["/v1/a+b"], ["/v/a+b", "/v1/aab"]),
        ("/{a}/{b}", ["/x/y"], ["/x", "/x/y/z", "//y"]),
    ],
)
def test_a_template_matches_its_paths(template: str, matches: list[str], others: list[str]) -> None:
    """A parameter is at least one character and no slash; all else is taken literally."""
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
    """And is compared as a whole."""
    assert is_literal("/a/b.c")
    assert not is_literal("/a/{b}.c")
