"""YAML is read as plain data; every field has its line, and what surprises is refused."""

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from outrider.common import yaml_positions
from outrider.common.yaml_positions import SIZE_LIMIT, SLIPS_LIMIT, VALUES_LIMIT, Position, YamlError, read_yaml

CAR = b"""\
# a car
name: sparrow
services:
  - door-lock
  - horn-blow
quirks:
  deduplicates: false
"""


def refused(raw: bytes) -> list[tuple[int, str, str]]:
    """Line, field and message of everything that is refused in a text."""
    with pytest.raises(YamlError) as error:
        read_yaml(raw)
    return [(slip.position.line, slip.field, slip.message) for slip in error.value.slips]


def test_a_file_is_its_data() -> None:
    """What is read is what JSON could say."""
    data = {"name": "sparrow", "services": ["door-lock", "horn-blow"], "quirks": {"deduplicates": False}}

    assert read_yaml(CAR).data == data


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ((), 2, 1),
        (("name",), 2, 1),
        (("services",), 3, 1),
        (("services", 1), 5, 5),
        (("quirks", "deduplicates"), 7, 3),
        (("quirks", "missing"), 6, 1),
        (("services", 9, "deeper"), 3, 1),
    ],
)
def test_every_field_has_its_place(path: tuple[str | int, ...], line: int, column: int) -> None:
    """A member is where its key is, an item where it begins, and what is missing where it would have to be."""
    assert read_yaml(CAR).position(path) == Position(line, column)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("010", 10),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("null", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("2026-01-31", "2026-01-31"),
        ("12:30:00", "12:30:00"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!", ""),
    ],
)
def test_scalars_mean_what_they_mean_in_yaml_1_2(text: str, value: Any) -> None:
    """Numbers are numbers, true is true; on, yes, dates and times of day are text."""
    assert read_yaml(f"field: {text}".encode()).data == {"field": value}


def test_keys_are_text() -> None:
    """A response is named 200 in OpenAPI files without quotes, and is a text key all the same."""
    assert read_yaml(b"200: ok\ntrue: yes").data == {"200": "ok", "true": "yes"}


@pytest.mark.parametrize(
    ("raw", "slips"),
    [
        (b"a: 1\nb: 2\na: 3\n", [(3, "a", "is there twice, first on line 1; keep one")]),
        (b"x:\n  a: 1\n  'a': 2\n", [(3, "x.a", "is there twice, first on line 2; keep one")]),
        (b"a: &n 1\n", [(1, "a", "&n is an anchor; remove it")]),
        (b"a: 1\nb: !secret x\n", [(2, "b", "!secret is a tag; write a plain value")]),
        (b"a: .inf\n", [(1, "a", "is not a number that JSON can hold; quote it if it is text")]),
        (b"a: 1e999\n", [(1, "a", "is not a number that JSON can hold; quote it if it is text")]),
        (b"? [a, b]\n: 1\n", [(1, "", "a key must be plain text")]),
        (b"a: 1\n---\nb: 2\n", [(2, "", "a second document begins here; one file holds one")]),
        (b"a: 1\nb: \xff\n", [(2, "", "is not UTF-8; save the file as UTF-8")]),
        (b"a: [1,\n", [(2, "", "is not YAML: did not find expected node content")]),
        (b"a: b: c\n", [(1, "", "is not YAML: mapping values are not allowed in this context")]),
        (b"a: 1\nb: \x07\n", [(2, "", "is not YAML: control characters are not allowed")]),
    ],
)
def test_what_surprises_is_refused_with_its_line(raw: bytes, slips: list[tuple[int, str, str]]) -> None:
    """Each refusal says which line, which field, and what to do."""
    assert refused(raw) == slips


def test_several_slips_are_told_at_once() -> None:
    """One look at a file mends all that can be seen in it."""
    assert [line for line, _, _ in refused(b"a: 1\na: 2\nb: &x 1\nc: *x\n")] == [2, 3, 4]


def test_a_short_file_that_stands_for_gigabytes_is_refused() -> None:
    """Aliases of aliases are never followed."""
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))

    assert (2, "a1[0]", "*a0 is an alias; write the value out") in refused(bomb.encode())


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"{a: " * 100_000, b"- " * 100_000])
def test_depth_is_refused_before_it_hurts(raw: bytes) -> None:
    """A file may be long, not deep."""
    assert "is nested too deeply" in refused(raw)[-1][2] or "is not YAML" in refused(raw)[-1][2]


def test_a_large_file_is_refused() -> None:
    """A file of more than a mebibyte is not even parsed, unless the reader is ready for more."""
    assert refused(b"#" * (SIZE_LIMIT + 1)) == [(1, "", "is larger than 1048576 bytes; split it")]
    assert read_yaml(b"#" * (SIZE_LIMIT + 1), SIZE_LIMIT + 1).data is None


def test_an_empty_file_is_no_data() -> None:
    """Nothing was said, and the reader of the data decides whether that is enough."""
    assert read_yaml(b"").data is None
    assert read_yaml(b"# only a remark\n").data is None


def test_a_file_with_a_byte_order_mark_reads_like_any_other() -> None:
    """Some editors write one, and nobody sees it."""
    assert read_yaml(b"\xef\xbb\xbfa: 1\n").data == {"a": 1}


# JSON escapes what lies beyond this plane in two halves, which YAML does not know.
TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
# YAML ends a key on one line after 1,024 characters, and each of these may be escaped to six.
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=150)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def test_a_file_of_brackets_ends_soon() -> None:
    """It is small, and would take long to read."""
    with pytest.raises(YamlError) as refused:
        read_yaml(b"[" + b"1," * VALUES_LIMIT + b"1]")

    assert refused.value.slips[-1].message == f"has more than {VALUES_LIMIT:,} values by here; split it"


def test_a_file_with_a_thousand_slips_is_told_shortly() -> None:
    """Whoever sees fifty has understood."""
    with pytest.raises(YamlError) as refused:
        read_yaml(b"".join(b"a%d: &a%d 1\n" % (number, number) for number in range(1000)))

    assert len(refused.value.slips) == SLIPS_LIMIT


@given(JSON)
def test_json_is_yaml(data: Any) -> None:
    """Whatever JSON says, in ASCII and on any number of lines, is read as the same data."""
    assert read_yaml(json.dumps({"data": data}, indent=1).encode()).data == {"data": data}


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!#'\"\n ?|>,1.", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No input raises anything but a refusal with a place."""
    with suppress(YamlError):
        read_yaml(raw)


@pytest.mark.parametrize("raw", [CAR, b"a: 1\na: 2\nb: &x 1\nc: *x\n", b"a: [1\n", b"a: \x07"])
def test_the_slow_parser_reads_the_same(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML comes without libyaml, data, lines and refusals are the same."""

    def reading() -> object:
        try:
            return read_yaml(raw)
        except YamlError as error:
            return [(slip.position.line, slip.field) for slip in error.slips]

    fast = reading()
    monkeypatch.setattr(yaml_positions, "_Loader", yaml.SafeLoader)

    assert reading() == fast


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 5000])
def test_a_number_beyond_all_measure(number: str) -> None:
    """What no program could hold as a number is told once, and is no crash."""
    with pytest.raises(YamlError, match="is not a number that JSON can hold") as error:
        read_yaml(f"a: {number}".encode())
    assert len(error.value.slips) == 1


def test_whole_numbers_of_64_bits_are_exact() -> None:
    """Larger ones are what other programs make of them."""
    assert read_yaml(b"[18446744073709551615, 18446744073709551616]").data == [2**64 - 1, 2.0**64]
