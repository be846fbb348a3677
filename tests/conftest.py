"""What holds for all tests: the same examples each time, and no test's logging in another's.

`HYPOTHESIS_PROFILE=explore make test` looks for examples that nobody has tried yet.
"""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command line that was called in here may have configured logging for its process."""
    yield
    structlog.reset_defaults()
