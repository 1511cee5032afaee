"""A registry for each test that asks for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.registry.registries import Running, running, settings


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncGenerator[Running]:
    async with running(settings(tmp_path)) as registry:
        yield registry


@pytest.fixture(scope="package", autouse=True)
async def one_loop(anyio_backend: str) -> AsyncGenerator[None]:
    """Keep the loop open between tests: gRPC still speaks to that of a channel just closed."""
    yield
    # What has been called back by now is heard before the loop goes.
    await asyncio.sleep(0)
