"""The one journey that takes a minute begins before all others and goes on beside them."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.journeys.long_way import Seen, long_way


@pytest.fixture(scope="session", autouse=True)
def on_the_long_way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[Seen]]:
    """What will have been seen; only under way if a test will ask for it."""
    if not any(item.path.name == "test_without_a_break.py" for item in request.session.items):
        yield Future()
        return
    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(lambda: asyncio.run(long_way(tmp_path_factory.mktemp("long"))))
