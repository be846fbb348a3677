"""Long answers outlive what is published in the meantime. The journey began before the first of all journeys."""

from concurrent.futures import Future

from tests.journeys.long_way import STREAM, Seen


def test_long_answers_do_not_notice_a_publish_and_a_change_of_the_listener(on_the_long_way: Future[Seen]) -> None:
    """A stream of a minute and an answer that takes half of one arrive whole, while both kinds of change go live."""
    seen = on_the_long_way.result(timeout=180)

    assert seen.releases == 3
    assert seen.added == b"here I am"
    assert seen.waited == b"here I am"
    assert seen.ticks == list(range(STREAM * 2))
    assert seen.ended
