"""Places in JSON documents are written so that they can be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.common.json_path import pointer, step_into, steps, value_at

NAMES = st.text(st.characters(), max_size=8) | st.text("/~%#012Ff", max_size=8)
PATHS = st.lists(NAMES | st.integers(0, 99)).map(tuple)


@given(PATHS)
def test_a_pointer_leads_back_to_its_place(path: tuple[str | int, ...]) -> None:
    """Whatever the names are; and it is one line that can be read."""
    written = pointer(path)

    assert steps(written) == tuple(map(str, path))
    assert len(written.splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ((), "#"),
        (("paths", "/v1/{id}", "get", 0), "#/paths/~1v1~1{id}/get/0"),
        (("", "~1", "100%", "stra\u00dfe", "#"), "#//~01/100%25/stra\u00dfe/%23"),
        (("a\nb\x1b\u202e",), "#/a%0Ab%1B%E2%80%AE"),
    ],
)
def test_a_pointer_is_for_people(path: tuple[str | int, ...], written: str) -> None:
    """Encoded is only what could not be read otherwise."""
    assert pointer(path) == written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a JSON pointer"),
        ("/paths", "must be a JSON pointer"),
        ("#Station", "must be a JSON pointer"),
        ("#/a%2Fb", "has %2F"),
        ("#/a%2fb", "has %2f"),
        ("#/a%7E1b", "has %7E"),
        ("#/a%2", "has '%2', which means nothing"),
        ("#/a%zz", "has '%zz', which means nothing"),
        ("#/a~", "has '~', which means nothing"),
        ("#/a~2b", "has '~2', which means nothing"),
        ("#/%C3", "no UTF-8"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: str, said: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match=said):
        steps(text)


def test_an_item_has_one_number() -> None:
    """No sign, no zero before it, and none of other scripts; a number may be a key as well."""
    assert [step_into(["a", "b"], each) for each in ("1", 1)] == [1, 1]
    assert [step_into(["a", "b"], each) for each in ("2", "01", "-1", "+1", "\u0661", "")] == [None] * 6
    assert [step_into({"1": "a"}, each) for each in ("1", 1, "2")] == ["1", "1", None]
    assert step_into("text", "0") is None
    assert value_at({"a": ["b"]}, ("a", 0)) == "b"
