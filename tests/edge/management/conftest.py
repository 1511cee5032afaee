"""A real registry, and the management API of a real edge before it; no executor is needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from podium.registry.v1 import registry_pb2 as pb
from services.edge.serving import Edge, serving
from tests.edge.suites import settings_in
from tests.registry.registries import ADMIN_SECRET, WORKFLOW, Running, put, running, settings

PUBLIC_URL = "https://api.shop.example"
SCHEMA = {"type": "object", "properties": {"rating": {"type": "integer"}}}
DEFINITIONS = (
    WORKFLOW,
    {"kind": "schema", "name": "Rating", "data": SCHEMA},
    {"kind": "application", "id": "shop"},
    {
        "kind": "auth",
        "id": "partners",
        "authenticationType": "API_KEY",
        "applicationId": "shop",
        "apiKeys": [{"name": "first", "key": "the-key-that-came-first"}],
    },
)


@dataclass
class Configured:
    """The management API and what is behind it.

    Attributes:
        client: Of the API, with the administrator's token.
    """

    registry: Running
    edge: Edge
    client: httpx.AsyncClient

    async def token(self, key_id: str, secret: str) -> dict[str, str]:
        """The headers of somebody with that access key."""
        key = {"keyId": key_id, "keySecret": secret}
        answer = await self.client.post("/api/token", json=key)
        return {"x-authorization": answer.json()["token"]}

    async def application(self, name: str, **fields: object) -> dict[str, str]:
        """A new application with those fields, and the headers of its calls."""
        await put(self.registry.admin, {"kind": "application", "id": name, **fields})
        made = await self.registry.admin.CreateAccessKey(
            pb.CreateAccessKeyRequest(application_id=name)
        )
        await self.arrived()
        return await self.token(made.access_key.key_id, made.key_secret)

    async def arrived(self) -> None:
        """Return once the edge has what the registry has now."""
        status = await self.registry.admin.GetRegistryStatus(pb.GetRegistryStatusRequest())
        assert await self.edge.replica.reached(status.revision, timedelta(seconds=10))


@pytest.fixture
async def api(tmp_path: Path) -> AsyncGenerator[Configured]:
    home = tmp_path / "edge"
    home.mkdir()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        registry = await enter(running(settings(tmp_path)))
        await put(registry.admin, *DEFINITIONS)
        told = settings_in(
            home,
            registry=registry.address,
            cluster_key_file=tmp_path / "cluster.key",
            public_url=PUBLIC_URL,
        )
        edge = await enter(serving(told))
        address = f"http://{edge.addresses['management']}"
        client = await enter(httpx.AsyncClient(base_url=address, trust_env=False, timeout=20))
        api = Configured(registry, edge, client)
        await api.arrived()
        client.headers.update(await api.token("admin-key", ADMIN_SECRET))
        yield api
