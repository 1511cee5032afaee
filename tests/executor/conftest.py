"""Async tests run on one loop, as a service does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest


@pytest.fixture(scope="package", autouse=True)
async def one_loop(anyio_backend: str) -> AsyncGenerator[None]:
    """Keep the loop open between tests: gRPC still speaks to that of a channel just closed."""
    yield
    # What has been called back by now is heard before the loop goes.
    await asyncio.sleep(0)
