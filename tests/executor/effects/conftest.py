"""The real effect, sending to a real server on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from services.egress.configured import Egress
from services.executor.effects import opened
from tests.executor.effects.performing import Perform, performing
from tests.executor.effects.upstream import Upstream, upstream


@pytest.fixture
async def server() -> AsyncGenerator[Upstream]:
    async with upstream() as serving:
        yield serving


@pytest.fixture
async def perform() -> AsyncGenerator[Perform]:
    """Performs a request with loopback allowed; a limit that is not given is a second."""
    async with opened(Egress.allowing(["loopback"])) as effects:
        yield performing(effects["http"], timedelta(seconds=1))
