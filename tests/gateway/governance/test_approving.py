"""What `outrider gateway approve` prints goes into product.yaml as it is."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.common.json_path import pointer
from outrider.common.yaml_positions import read_yaml
from outrider.gateway.governance.approving import written
from outrider.gateway.governance.signatures import is_signed, public_key, signature
from outrider.gateway.product import Approval, Exemption, Waiver
from tests.gateway.governance.judged import APPROVAL, WAIVER, declared, keys

KEY, PUBLIC = keys()
_, PRODUCT = declared()
_, WITH_BOTH = declared(waivers=[WAIVER], approvals=[APPROVAL])
ODD = st.text("ab\n\r\t :#'\"-\\\x85\u2028\ufeff", min_size=1)
WORDS = st.text(min_size=1) | ODD | st.sampled_from(["yes", "2027-01-01"])
EXEMPTIONS = st.builds(
    lambda kind, **said: kind(**said),
    st.sampled_from([Waiver, Approval]),
    rule=WORDS,
    place=st.lists(st.text(), max_size=3).map(lambda path: pointer(tuple(path))),
    owner=WORDS,
    approver=WORDS,
    reason=WORDS,
    until=st.dates(date(2026, 1, 1), date(2100, 1, 1)),
)


@given(EXEMPTIONS)
def test_what_is_printed_reads_back_and_is_signed(made: Exemption) -> None:
    """Whatever the words are: the entry is the same, and so is what was signed."""
    made = msgspec.structs.replace(made, signature=signature("parking", made, KEY))
    field = "waivers" if isinstance(made, Waiver) else "approvals"

    [read] = read_yaml(written(PRODUCT, made).encode()).data[field]

    again = msgspec.convert(read, type(made))
    assert again == made
    assert is_signed("parking", again, public_key(PUBLIC))


@pytest.mark.parametrize("kind", [Waiver, Approval])
def test_it_goes_below_what_is_there(kind: type[Exemption]) -> None:
    """As the last of those that the product has; of the first one the head line is printed, too."""
    made = kind(**(WAIVER | {"until": date(2026, 12, 24), "reason": "one\n\n  two\n \nthree"}))
    field = "waivers" if kind is Waiver else "approvals"

    first, second = written(PRODUCT, made), written(WITH_BOTH, made)

    assert first == f"{field}:\n{second}"
    assert [msgspec.convert(one, kind) for one in read_yaml((first + second).encode()).data[field]] == [made, made]
