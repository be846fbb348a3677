"""JavaScript's regular expressions: what Node 20 answered for these is the expectation."""

import json
import re
import shutil
import subprocess
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.gateway.lint.not_understood import Failed, NotUnderstood
from outrider.gateway.lint.regex import regex, written


@pytest.mark.parametrize(
    ("source", "flags", "matches", "others"),
    [
        ("", "", ["", "a"], []),
        ("^a$", "", ["a"], ["a\n", "ab", ""]),
        ("^a$", "m", ["a\n", "b\u2028a"], ["ab"]),
        ("^.$", "", ["a", "\ufeff"], ["\n", "\r", "\u2028", "\U0001f600", ""]),
        ("^.$", "u", ["\U0001f600"], ["\n"]),
        ("^.$", "s", ["\n"], ["\U0001f600"]),
        ("^[^]$", "", ["\n"], [""]),
        ("[]", "", [], ["", "a"]),
        (r"^\d$", "", ["1"], ["\u0661"]),
        (r"^\w$", "", ["_", "a"], ["\u00e9", "-"]),
        (r"^\s$", "", ["\ufeff", "\u00a0", "\u2028"], ["\x1c", "\x85", "\u200b"]),
        (r"\bb\b", "", ["a-b", "\u00e9b"], ["ab", "b_"]),
        (r"\B", "", ["", "ab"], ["a"]),
        ("^k$", "i", ["K"], ["\u212a"]),
        ("^[^k]$", "i", ["\u212a"], ["K", "k"]),
        ("^\u00e9$", "i", ["\u00c9"], ["e"]),
        ("^\u00df$", "i", ["\u00df"], ["\u1e9e", "ss"]),
        ("a{,2}", "", ["a{,2}"], ["a", ""]),
        ("^x{2}$", "", ["xx"], ["x{2}"]),
        ("^x{y$", "", ["x{y"], []),
        (r"^[\w-]$", "", ["-", "a"], [","]),
        ("^(?:^)*(?:$)+$", "", [""], ["a"]),
        (r"^[\b]$", "", ["\x08"], ["b"]),
        (r"^\cA\0\x41\u0042$", "", ["\x01\x00AB"], []),
        (r"^\u{1F600}$", "u", ["\U0001f600"], []),
        ("^\U0001f600+$", "", ["\U0001f600"], ["\U0001f600\U0001f600"]),
        ("^(?<name>a)(?:b|)$", "", ["a", "ab"], ["b"]),
        (r"^(?=.*\d)(?!.*x).{2,}$", "", ["a1"], ["a", "ab", "a1x"]),
        (r"(?<=a+|-)b(?<!xab)", "", ["aab", "-b"], ["b", "xab"]),
        ("a+?$", "", ["ba"], ["ab"]),
        ("b", "y", ["ba"], ["ab"]),
        ("b", "dg", ["ab"], ["a"]),
        ("(a*)*b|(?:)+c", "", ["aab", "c"], ["a"]),
    ],
)
def test_a_pattern_matches_as_in_javascript(source: str, flags: str, matches: list[str], others: list[str]) -> None:
    """The end is the very end, digits and words are those of ASCII, text is UTF-16 unless there is the flag u."""
    assert [text for text in matches + others if regex(source, flags).search(text)] == matches


@pytest.mark.parametrize(
    ("source", "flags", "at"),
    [
        (r"\A\w", "", 0),
        (r"a\Z", "", 1),
        (r"(a)\1", "", 3),
        (r"(?<n>a)\k<n>", "", 7),
        (r"\p{L}", "u", 0),
        (r"\p{L}", "", 0),
        (r"\u{61}", "", 0),
        (r"\B", "u", 0),
        ("a", "iu", None),
        ("a", "v", None),
        ("a", "x", None),
        ("a", "ii", None),
        ("(?i)a", "", 0),
        ("(?>a)", "", 0),
        ("a++", "", 2),
        ("*", "", 0),
        ("{1}", "", 0),
        ("(", "", 0),
        (")", "", 0),
        ("[a", "", 0),
        ("a\\", "", 2),
        ("[b-a]", "", 1),
        (r"[a-\d]", "", 1),
        (r"[\w-.]", "", 1),
        ("a{2,1}", "", 1),
        ("(?=a)*", "", 5),
        ("(?<n>a)(?<n>b)", "", 7),
        ("}", "u", 0),
        ("a{9999}", "", 1),
        ("(" * 3000 + ")" * 3000, "", None),
        ("((a{1,99}){1,99}){1,99}", "", None),
        ("((){5000}){5000}", "", None),
    ],
)
def test_what_is_not_exactly_understood_is_refused(source: str, flags: str, at: int | None) -> None:
    """Backreferences, what depends on the version of Unicode, other languages' escapes; and it is told where."""
    with pytest.raises(NotUnderstood) as refused:
        regex(source, flags)
    assert refused.value.at == at


def test_a_pattern_between_slashes_has_flags() -> None:
    """As rules write them; without slashes on both sides all of it is the pattern."""
    assert written("/^A$/i").search("a")
    assert written("/v1").search("/v1/x")
    assert written("//").search("a//b")


@pytest.mark.parametrize("source", ["(a+)+$", "(a|a)*b", "(a*)*c", "(.*)*(.*)*x", "^(a+){10}$|^(([a-z])+.)+[A-Z]$"])
def test_no_pattern_backtracks(source: str) -> None:
    """Those that take other engines for ever are answered."""
    assert not regex(source).search("a" * 20_000 + "!")


def test_what_takes_too_long_fails() -> None:
    """Looking around at each place of a long text is stopped, and never taken for an answer."""
    with pytest.raises(Failed, match="takes too long"):
        regex("(?=.*x)(?=.*y)z").search("a" * 20_000)


LETTERS = st.sampled_from("ab-1")
PLAIN = st.recursive(
    st.one_of(LETTERS.map(re.escape), st.sampled_from(["[ab]", "[^a]", "[0-9-]", "(?=a)", "(?!b)", "$", "^"])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?"])).map(lambda x: f"(?:{x[0]}){x[1]}"),
    ),
    max_leaves=6,
)


@given(PLAIN, st.text(LETTERS, max_size=8))
def test_what_python_says_the_same_way_means_the_same(source: str, text: str) -> None:
    """Of the syntax that the two have in common."""
    assert regex(source).search(text) == bool(re.search(source, text))


ATOMS = r"a b - . \d \w \s \b [a-c] [^a] [^] [] \. \/ é ſ K \u0061 x{ } ] \S \W [\w-] [-a] 😀 [😀] \n _ A Z k s".split()  # noqa: SIM905
TEXTS = [
    "",
    "a",
    "ab",
    "a-b",
    "A",
    "K",
    "k",
    "S",
    "ſ",
    "\u212a",
    "é",
    "É",
    "a\n",
    "\u2028",
    "a😀b",
    "x{",
    "a1",
    " ",
    "/.",
]


def _pattern(random: Random, depth: int) -> str:
    kind = random.random() if depth else 0
    if kind < 0.45:
        return random.choice(ATOMS)
    first = _pattern(random, depth - 1)
    if kind < 0.65:
        return first + _pattern(random, depth - 1)
    if kind < 0.75:
        return f"({first}|{_pattern(random, depth - 1)})"
    if kind < 0.9:
        return f"(?:{first}){random.choice(['*', '+', '?', '{2}', '{1,2}', '*?'])}"
    return random.choice(["(?={})", "(?!{})", "(?<={})", "(?<!{})", "^{}", "{}$"]).replace("{}", first)


ASK = """
const [cases, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answer = ([source, flags]) => {
  try { const regex = new RegExp(source, flags); return texts.map(text => regex.test(text)); } catch { return null; }
};
console.log(JSON.stringify(cases.map(answer)));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node 20 or newer: https://nodejs.org")
def test_node_says_the_same() -> None:
    """Of some hundred patterns that nobody would write; what it refuses, we refuse."""
    random = Random(7)
    cases = [(_pattern(random, 4), random.choice(["", "i", "m", "s", "u", "im"])) for _ in range(600)]
    asked = subprocess.run(
        ["node", "-e", ASK], input=json.dumps([cases, TEXTS]), capture_output=True, text=True, check=True, timeout=30
    )
    answers = json.loads(asked.stdout)
    compared = 0
    for (source, flags), expected in zip(cases, answers, strict=True):
        try:
            pattern = regex(source, flags)
        except NotUnderstood:
            continue
        compared += 1
        assert expected, (source, flags)
        assert [pattern.search(text) for text in TEXTS] == expected, (source, flags)
    assert compared > 500
