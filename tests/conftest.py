"""What holds for all tests: the same examples each time, long things begin first, no test's logging in another's.

`HYPOTHESIS_PROFILE=explore make test` looks for examples that nobody has tried yet.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

import pytest
import structlog
from hypothesis import settings

from tests.beside import Way, begun

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session", autouse=True)
def under_way(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[Way, "Future[Any]"]]:
    """What goes on beside the tests; see `tests/beside.py`."""
    with begun(request.session.items, tmp_path_factory.mktemp) as all_of_it:
        yield all_of_it


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command line that was called in here may have configured logging for its process."""
    yield
    structlog.reset_defaults()
