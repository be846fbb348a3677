"""Long answers outlive what is published in the meantime."""

import asyncio
from pathlib import Path

from tests.beside import beside
from tests.journeys.long_way import STREAM, Seen, long_way


@beside
def seen(folder: Path) -> Seen:
    """It takes a minute."""
    return asyncio.run(long_way(folder))


def test_long_answers_do_not_notice_a_publish_and_a_change_of_the_listener(seen: Seen) -> None:
    """A stream of a minute and an answer that takes half of one arrive whole, while both kinds of change go live."""
    assert seen.releases == 3
    assert seen.added == b"here I am"
    assert seen.waited == b"here I am"
    assert seen.ticks == list(range(STREAM * 2))
    assert seen.ended
