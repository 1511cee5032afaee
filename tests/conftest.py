"""What holds for all tests."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("podium", deadline=None, print_blob=True)
settings.load_profile("podium")

# The default of 700 looks at all that lives again and again, for a tenth of the time of a run.
_GC_THRESHOLDS = (20_000, 20, 20)


def pytest_collection_finish() -> None:
    """Have the collector leave alone what stays to the end: thousands of tests, and the modules."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One loop for all tests: gRPC still speaks to the loop of a channel that was closed."""
    return "asyncio"
