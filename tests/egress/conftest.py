"""A real server on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.executor.effects.upstream import Upstream, plain, upstream


@pytest.fixture
async def server() -> AsyncGenerator[Upstream]:
    async with upstream() as serving:
        serving.answers["/"] = plain(b"{}")
        yield serving
