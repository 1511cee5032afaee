"""A suite in the tests' own process, and a client of its management listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.conductor.calling import authorized
from tests.conductor.executions import making
from tests.tui.services import Services, services_in

__all__ = ["making"]


@pytest.fixture(scope="session")
async def services(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Services]:
    async with services_in(tmp_path_factory.mktemp("suite")) as services:
        yield services
    # What has been called back by now is heard before the loop goes.
    await asyncio.sleep(0)


@pytest.fixture(scope="session")
async def api(services: Services) -> AsyncGenerator[httpx.AsyncClient]:
    """With an administrator's token."""
    async with authorized(services) as client:
        yield client
