"""Patterns of files in overrides."""

import pytest

from outrider.gateway.lint.globs import compile_glob
from outrider.gateway.lint.not_understood import NotUnderstood


@pytest.mark.parametrize(
    ("pattern", "matches", "others"),
    [
        ("*.yaml", ["a.yaml", "b/a.yaml", "../a.yaml"], ["a.json", ".a.yaml", "a.yaml/b"]),
        ("**/*.yaml", ["a.yaml", "b/a.yaml", "b/c/a.yaml"], [".b/a.yaml", "../a.yaml", "a.json"]),
        ("b/**", ["b/a.yaml", "b/c/a.yaml"], ["b", "a.yaml", "b/.c/a.yaml"]),
        ("b/**/a.yaml", ["b/a.yaml", "b/c/d/a.yaml"], ["a.yaml", "b/x.yaml"]),
        ("b/*/a.yaml", ["b/c/a.yaml"], ["b/a.yaml", "b/c/d/a.yaml"]),
        ("../**/a.yaml", ["../a.yaml", "../b/a.yaml"], ["a.yaml", "../../a.yaml"]),
        ("a.{yaml,yml}", ["a.yaml", "b/a.yml"], ["a.json"]),
        ("{a,b}/c.?", ["a/c.x", "b/c.y"], ["c/c.x", "a/c.", "a/c.xy"]),
        (".*/a", [".b/a"], ["b/a"]),
        ("a+b.yaml", [], []),
    ],
)
def test_a_pattern_matches_its_files(pattern: str, matches: list[str], others: list[str]) -> None:
    """A name alone in whatever folder; with a slash, the path from the ruleset's folder on."""
    if not matches:
        with pytest.raises(NotUnderstood):
            compile_glob(pattern)
        return
    assert [file for file in matches + others if compile_glob(pattern).fullmatch(file)] == matches


@pytest.mark.parametrize(
    "pattern", ["", "/a", "./a", "!a", "@(a|b)", "[ab]", "a\\*", "{a", "{a}", "{a,{b,c}}", "{1..3}", "#a"]
)
def test_what_is_not_understood_is_refused(pattern: str) -> None:
    """Rather than taken for the name of a file that no document has."""
    with pytest.raises(NotUnderstood, match=r"files are named|braces"):
        compile_glob(pattern)
