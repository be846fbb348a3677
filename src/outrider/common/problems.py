"""Problem documents (RFC 9457): how every HTTP error of Outrider says what went wrong, and what to do about it.

Beside the standard members they answer the two questions that matter: `may_have_happened` and `retryable`.
"""

from collections.abc import Sequence

import msgspec

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One problem document, its members in the order in which a person reads them.

    type: a stable reference made of `code`; it is an identifier and leads nowhere. detail: what to do. retryable: the
    same request may succeed later. may_have_happened: what was asked for may have been done nevertheless. trace_id: by
    it the operator finds the request (W3C Trace Context). errors: what is wrong with single parts of the request, each
    a struct with `field` (as in `params.temperature`) and `message`.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    may_have_happened: bool
    trace_id: str
    errors: Sequence[msgspec.Struct] = ()


def type_of(code: str) -> str:
    """The `type` of all problems with this code."""
    return f"/problems/{code}"


def encode(problem: Problem) -> bytes:
    """The document as it goes out."""
    return msgspec.json.encode(problem)
