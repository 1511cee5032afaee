"""What holds for all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("podium", deadline=None, print_blob=True)
settings.load_profile("podium")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One loop for all tests: gRPC still speaks to the loop of a channel that was closed."""
    return "asyncio"
