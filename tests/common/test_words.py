"""What strangers wrote is only read."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.common.words import counted, keep_printable, printable, printable_lines, some


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Öffnet die Türe 🚪 für 5 €\u00a0– jetzt", "Öffnet die Türe 🚪 für 5 €\u00a0– jetzt"),
        ("a\nb\r\n", r"a\nb\r\n"),
        ("\x1b[31m\x07\x9b", r"\x1b[31m\x07\x9b"),
        ("\u2028\u2029\u202e\u2066", r"\u2028\u2029\u202e\u2066"),
        ("\udcff\U000e0041", r"\udcff\U000e0041"),
        ("::stop-commands::x", r"\x3a:stop-commands::x"),
        ("  ::debug::x", r"  \x3a:debug::x"),
        ("C::D, ## [x]", "C::D, ## [x]"),
        ("say ###[add-mask]a", r"say #\x23#[add-mask]a"),
    ],
)
def test_what_is_not_to_be_read_is_escaped(text: str, said: str) -> None:
    """As Python does; and what a GitHub workflow would obey."""
    assert printable(text) == said


@given(st.text(st.sampled_from("ab :#[\\\n\x1b\u202e\u00a0") | st.characters()))
def test_it_is_one_line_and_no_command(text: str) -> None:
    """Whatever the text is; and what was made printable stays as it is."""
    said = printable(text)

    assert len(said.splitlines()) <= 1
    assert not said.lstrip().startswith("::")
    assert "##[" not in said
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", said)
    assert printable(said) == said


def test_lines_stay_lines() -> None:
    """Of a text that has them on purpose, each is printable."""
    assert printable_lines("a\x07\n::b") == "a\\x07\n\\x3a:b"


def test_a_value_can_be_printable_from_the_beginning() -> None:
    """However it is made."""

    class Said(msgspec.Struct, frozen=True):
        text: str
        raw: str

        def __post_init__(self) -> None:
            keep_printable(self, "text")

    one = Said("a\n", "a\n")
    decoded = msgspec.json.decode(msgspec.json.encode({"text": "b\n", "raw": "b\n"}), type=Said)

    assert (one.text, one.raw, decoded.text) == (r"a\n", "a\n", r"b\n")
    assert msgspec.structs.replace(one, text="\x07").text == r"\x07"


def test_numbers_and_names_are_said_as_people_do() -> None:
    """One is one, and many names are not all told."""
    assert [counted(number, "rule") for number in (0, 1, 2000)] == ["0 rules", "1 rule", "2,000 rules"]
    assert [counted(number, "thing that is", "things that are") for number in (1, 2)] == [
        "1 thing that is",
        "2 things that are",
    ]
    assert (some("abc"), some("abcdefg")) == ("a, b, c", "a, b, c, d, e and 2 more")
