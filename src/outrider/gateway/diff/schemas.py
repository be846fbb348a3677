"""What changed between two schemas, and whom it breaks: what callers send that is refused now, what they receive that
they do not expect.
"""

from collections.abc import Iterator
from datetime import date

from outrider.gateway.diff.lifecycle import Notice
from outrider.gateway.diff.placed import Placed
from outrider.gateway.diff.rules import JUDGED_NOT, change
from outrider.gateway.diff.schemas_comparing import Comparing
from outrider.gateway.diff.schemas_equal import Equality, direct
from outrider.gateway.diff.schemas_judging import judgement
from outrider.gateway.diff.schemas_telling import Conjunction, Side
from outrider.gateway.findings import Change

__all__ = ["Schemas", "Side", "schema_changes"]


class Schemas:
    """The schemas of two documents. What was compared once is known from then on."""

    def __init__(self, notice: Notice) -> None:
        self._equality = Equality()
        self._sides = {side: Comparing(side, self._equality, judgement, notice) for side in Side}

    def changes(
        self, old: Placed | None, new: Placed | None, side: Side, name: str = "", *, text: bool
    ) -> Iterator[Change]:
        """Every difference that breaks somebody, may break somebody, or cannot be judged, each once; a few are told for
        information.

        old, new: what stands at `schema`, `$ref` not followed; None where there is none. name: of the parameter or
        header, or the media type, for the sentences. text: is the value written as text, so that numbers are no
        different from strings? That is so for parameters and headers, unless they have `content`.
        """
        if old is None or new is None:
            return _one_only(old, new, side)
        before, after = Conjunction((old,), direct(old)), Conjunction((new,), direct(new))
        given, asked = (before, after) if side.requests else (after, before)
        found = self._sides[side].changes(given, asked, text=text, name=name)
        return iter({(each.rule, each.old, each.new): each for each in found}.values())


def schema_changes(old: Placed | None, new: Placed | None, side: Side, name: str = "") -> Iterator[Change]:
    """The same of one pair of schemas, where no notice is due and no day has passed."""
    text = side in (Side.REQUEST_PARAMETER, Side.RESPONSE_HEADER)
    return Schemas(Notice(date.min)).changes(old, new, side, name, text=text)


def _one_only(old: Placed | None, new: Placed | None, side: Side) -> Iterator[Change]:
    if side is Side.REQUEST_BODY and new is not None:
        yield change("request-body-media-type-schema-added", old, new)
    elif side is Side.RESPONSE and old is not None:
        yield change("response-body-media-type-schema-removed", old, new)
    elif side in (Side.REQUEST_PARAMETER, Side.RESPONSE_HEADER) and (old or new) is not None:
        yield change(JUDGED_NOT, old, new, what=f"the schema of {side.value[2]}")
