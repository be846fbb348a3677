"""Data as YAML that people can read."""

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.common.yaml_positions import read_yaml
from outrider.common.yaml_writing import write_yaml

TEXTS = st.text(max_size=20)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), TEXTS)
DATA = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


@given(DATA)
@settings(max_examples=200)
def test_what_is_written_is_read_back(data: object) -> None:
    """Whatever a text looks like, be it a number, a word for true, or YAML itself."""
    assert read_yaml(write_yaml(data).encode()).data == data


def test_order_lines_and_repeats_stay_as_they_are() -> None:
    """Nothing is sorted, nothing is an anchor, and a text of several lines has them."""
    tags = ["a"]

    assert write_yaml({"b": tags, "a": tags, "text": "one\ntwo\n"}) == "b:\n- a\na:\n- a\ntext: |\n  one\n  two\n"
