"""A real registry on a free port, in a folder of its own, and ways to call it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from podium.registry.v1 import registry_pb2 as pb
from podium.registry.v1.registry_pb2_grpc import RegistryServiceStub
from services import rpc
from services.access import ServiceIdentity
from services.registry.serving import serving
from services.registry.settings import RegistrySettings

if TYPE_CHECKING:
    from podium.registry.v1.registry_pb2_grpc import RegistryServiceAsyncStub

CLUSTER_KEY = b"the cluster's key, which is long enough"
ADMIN_SECRET = "the administrator's own secret"

WORKFLOW = {"name": "checkout", "tasks": [{"name": "n", "taskReferenceName": "n", "type": "NOOP"}]}


def settings(home: Path, **changes: Any) -> RegistrySettings:
    """Of a registry in ``home``, whose keys are made if need be."""
    (home / "cluster.key").write_bytes(CLUSTER_KEY)
    (home / "secret.key").write_text("the key that seals the secrets of all tests")
    (home / "admin.secret").write_text(ADMIN_SECRET)
    told = RegistrySettings(
        home=home,
        listen="127.0.0.1:0",
        admin_key_id="admin-key",
        admin_key_secret_file=home / "admin.secret",
    )
    return replace(told, **changes)


@dataclass
class Running:
    """A registry that runs.

    Attributes:
        admin: Called as the administrator.
    """

    address: str
    admin: RegistryServiceAsyncStub
    anybody: RegistryServiceAsyncStub
    channels: list[grpc.aio.Channel] = field(default_factory=list)

    def as_service(self, name: str, *options: tuple[str, int]) -> grpc.aio.Channel:
        """A channel as one of the suite's services, with these options besides."""
        identity = ServiceIdentity(CLUSTER_KEY, name)
        return self._channel(lambda: identity.token("registry"), *options)

    def service(self, name: str, *options: tuple[str, int]) -> RegistryServiceAsyncStub:
        """Called as one of the suite's services, over a channel with these options besides."""
        return RegistryServiceStub(self.as_service(name, *options))

    async def with_key(self, key_id: str, secret: str) -> RegistryServiceAsyncStub:
        """Called with a token for that access key."""
        issued = await self.anybody.IssueToken(
            pb.IssueTokenRequest(key_id=key_id, key_secret=secret)
        )
        return RegistryServiceStub(self._channel(lambda: issued.token))

    async def application(self, name: str, **fields: Any) -> RegistryServiceAsyncStub:
        """A new application with those fields, and calls made as it."""
        await put(self.admin, {"kind": "application", "id": name, **fields})
        made = await self.admin.CreateAccessKey(pb.CreateAccessKeyRequest(application_id=name))
        return await self.with_key(made.access_key.key_id, made.key_secret)

    def _channel(self, token: Any, *options: tuple[str, int]) -> grpc.aio.Channel:
        self.channels.append(rpc.channel(self.address, token, options))
        return self.channels[-1]


@asynccontextmanager
async def running(told: RegistrySettings) -> AsyncGenerator[Running]:
    """A registry with these settings, and its administrator."""
    async with serving(told) as address:
        plain = rpc.channel(address)
        stub = RegistryServiceStub(plain)
        registry = Running(address, stub, stub, [plain])
        registry.admin = await registry.with_key("admin-key", ADMIN_SECRET)
        try:
            yield registry
        finally:
            for each in registry.channels:
                await each.close()


async def put(
    stub: RegistryServiceAsyncStub,
    *documents: dict[str, Any],
    dry_run: bool = False,
    etag: str = "",
) -> list[pb.PutResult]:
    """Put documents together; raises our errors."""
    puts = [pb.DocumentPut(document=json.dumps(each), etag=etag) for each in documents]
    with rpc.raising_ours():
        answer = await stub.PutDefinitions(pb.PutDefinitionsRequest(puts=puts, dry_run=dry_run))
    return list(answer.results)


async def get(
    stub: RegistryServiceAsyncStub, kind: str, name: str, version: int = 0
) -> pb.Definition:
    """One definition; raises our errors."""
    with rpc.raising_ours():
        request = pb.GetDefinitionRequest(kind=kind, name=name, version=version)
        return (await stub.GetDefinition(request)).definition


async def document(stub: RegistryServiceAsyncStub, kind: str, name: str) -> dict[str, Any]:
    """The document of one definition as it may be read back."""
    read: dict[str, Any] = json.loads((await get(stub, kind, name)).document)
    return read


async def until(
    events: AsyncIterator[pb.WatchDefinitionsResponse], wanted: str
) -> list[pb.WatchDefinitionsResponse]:
    """What is told up to and with the first event of that name."""
    told = []
    async for event in events:
        told.append(event)
        if event.WhichOneof("event") == wanted:
            break
    return told


def names(events: list[pb.WatchDefinitionsResponse]) -> list[str]:
    """What is told, by name: a change by the definition's name, any other event by its own."""
    return [
        event.change.definition.name if event.HasField("change") else str(event.WhichOneof("event"))
        for event in events
    ]
