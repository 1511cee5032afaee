"""A suite in the tests' own process, and a client of its management listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.conductor.executions import making
from tests.tui.services import CREDENTIALS, Services, services_in

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
    base = services.suite.management
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30) as client:
        key = {"keyId": CREDENTIALS.key_id, "keySecret": CREDENTIALS.key_secret}
        token = (await client.post("/api/token", json=key)).json()["token"]
        client.headers["x-authorization"] = token
        yield client
