"""Real workers; one pool serves a whole file, since a worker takes 0.25 s to start."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from services.javascript import Scripts, pool


@pytest.fixture(scope="module")
async def scripts() -> AsyncGenerator[Scripts]:
    """One worker, so that each script follows the last in the same realm."""
    async with pool(1) as scripts:
        yield scripts
