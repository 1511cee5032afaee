"""Clients of the management listener, each with a token of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from podium.registry.v1 import registry_pb2
from tests.tui.services import CREDENTIALS, Services
from tui.clients import connected


@asynccontextmanager
async def authorized(
    services: Services, application_id: str = ""
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of an application, which is there; none: of an administrator."""
    key = {"keyId": CREDENTIALS.key_id, "keySecret": CREDENTIALS.key_secret}
    if application_id:
        async with connected(services.suite) as clients:
            request = registry_pb2.CreateAccessKeyRequest(application_id=application_id)
            made = await clients.registry.CreateAccessKey(request)
        key = {"keyId": made.access_key.key_id, "keySecret": made.key_secret}
    base = services.suite.management
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30) as client:
        client.headers["x-authorization"] = (await client.post("/api/token", json=key)).json()[
            "token"
        ]
        yield client
