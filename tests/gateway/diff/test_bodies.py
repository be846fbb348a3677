"""Media types of bodies: told is what a caller can no longer send, or is answered with and does not know."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.diff.documents import document, rules

NAMED = ["text/plain", "text/csv", "image/png"]
SENT = [*NAMED, "text/x", "image/x", "x/x"]
"""Those that documents name, and of each range one that none names."""
media_types = st.sets(st.sampled_from(["*/*", "text/*", "image/*", *NAMED]), min_size=1)


def takes(media_type: str, ranges: set[str]) -> bool:
    """Is a body of this media type meant by one of the ranges?"""
    return bool({media_type, media_type.partition("/")[0] + "/*", "*/*"} & ranges)


def meet(one: str, other: str) -> bool:
    """Is one of them all or a part of the other?"""
    return takes(one, {other}) or takes(other, {one})


def content(ranges: set[str]) -> Any:
    """As the document lists them."""
    return {"content": {name: {} for name in sorted(ranges)}}


@given(old=media_types, new=media_types)
def test_told_is_what_can_no_longer_be_sent(old: set[str], new: set[str]) -> None:
    """Each media type against all that is still accepted, ranges included."""
    pair = (document(paths={"/a": {"post": {"requestBody": content(ranges)}}}) for ranges in (old, new))
    lost = any(takes(sent, old) and not takes(sent, new) for sent in SENT)

    assert (set(rules(*pair)) == {"request-body-media-type-removed"}) is lost


@given(old=media_types, new=media_types)
def test_told_is_what_is_no_longer_answered(old: set[str], new: set[str]) -> None:
    """One that is there still, or in part, is enough, for a range promises no single one; a wider range is told."""
    pair = (document(paths={"/a": {"get": {"responses": {"200": content(ranges)}}}}) for ranges in (old, new))
    told = rules(*pair)

    assert told.count("response-media-type-removed") == sum(not any(meet(one, other) for other in new) for one in old)
    assert told.count("response-media-type-name-generalized") == sum(takes(one, new) and one not in new for one in old)
