"""An edge put together, between a registry and an executor that are scripted."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from podium.edge.v1 import edge_pb2 as pb
from podium.edge.v1.edge_pb2_grpc import EdgeServiceStub
from services import rpc, settings as environment
from services.access import ServiceIdentity
from services.edge.serving import serving
from services.edge.settings import Settings
from tests.edge.documents import DOCUMENTS, Json, stored
from tests.edge.registry import ScriptedRegistry, serving_registry
from tests.edge.scripted import ScriptedExecutor, serving_executor

CLUSTER_KEY = "k" * 40
NOWHERE = "127.0.0.1:1"


def settings_in(home: Path, **fields: object) -> Settings:
    (home / "cluster.key").write_text(CLUSTER_KEY)
    anywhere = dict.fromkeys(("listen", "gateway_listen", "management_listen"), "127.0.0.1:0")
    given = {"home": home, "registry": NOWHERE, "executor": NOWHERE} | anywhere | fields
    return dataclasses.replace(environment.read(Settings, {}), **given)  # type: ignore[arg-type]


@dataclasses.dataclass
class Suite:
    """An edge between a registry and an executor."""

    addresses: Mapping[str, str]
    executor: ScriptedExecutor
    registry: ScriptedRegistry
    gateway: httpx.AsyncClient
    management: httpx.AsyncClient


@asynccontextmanager
async def suite_in(home: Path, *more: Json, **fields: object) -> AsyncGenerator[Suite]:
    """With ``more`` definitions than :data:`DOCUMENTS`, and other settings."""
    executor = ScriptedExecutor()  # type: ignore[abstract]
    registry = ScriptedRegistry(*map(stored, (*DOCUMENTS, *more)))  # type: ignore[abstract]
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        neighbours = {
            "registry": await enter(serving_registry(registry)),
            "executor": await enter(serving_executor(executor)),
        }
        edge = await enter(serving(settings_in(home, **(neighbours | fields))))
        addresses = edge.addresses
        await status(addresses, registry.definitions[-1].revision)
        clients = [
            await enter(httpx.AsyncClient(base_url=f"http://{address}", trust_env=False))
            for address in (addresses["gateway"], addresses["management"])
        ]
        yield Suite(addresses, executor, registry, *clients)


async def status(addresses: Mapping[str, str], revision: int = 0) -> pb.GetEdgeStatusResponse:
    identity = ServiceIdentity(CLUSTER_KEY.encode(), "registry")
    async with rpc.channel(addresses["edge"], lambda: identity.token("edge")) as channel:
        with rpc.raising_ours():
            return await EdgeServiceStub(channel).GetEdgeStatus(
                pb.GetEdgeStatusRequest(wait_for_revision=revision), timeout=5
            )
