"""A registry that serves what a test gives it, over the real protocol, and issues real tokens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from podium.registry.v1 import registry_pb2 as pb, registry_pb2_grpc
from services import rpc
from services.errors import Unauthenticated
from services.replica import Stored

PRIVATE_KEY = Ed25519PrivateKey.generate()
PUBLIC_KEY = PRIVATE_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def token(application_id: str, seconds: float = 900, access_key: str = "key-1") -> str:
    """As the registry issues it."""
    now = time.time()
    claims = {
        "iss": "podium",
        "aud": "podium",
        "sub": f"application:{application_id}",
        "key": access_key,
        "iat": now - 1000,
        "exp": now + seconds,
    }
    return jwt.encode(claims, PRIVATE_KEY, algorithm="EdDSA", headers={"kid": "kid-1"})


class ScriptedRegistry(registry_pb2_grpc.RegistryServiceServicer):
    """Tells every watcher :attr:`definitions`, and then nothing more.

    Attributes:
        definitions: Without any, a watcher is told nothing at all.
        watched: Set when somebody watches.
        application: Whose tokens are issued.
        refusal: What IssueToken raises instead.
        recorded: Entries of the audit log that it was told, each uid once.
    """

    def __init__(self, *definitions: Stored) -> None:
        self.definitions = definitions
        self.watched = asyncio.Event()
        self.refusal: Exception | None = None
        self.application = "storefront"
        self.recorded: dict[str, pb.AuditEntry] = {}

    async def RecordAuditEntries(  # noqa: N802
        self, request: pb.RecordAuditEntriesRequest, context: rpc.Context
    ) -> pb.RecordAuditEntriesResponse:
        for each in request.entries:
            self.recorded.setdefault(each.uid, each)
        return pb.RecordAuditEntriesResponse(added=len(request.entries))

    async def WatchDefinitions(  # noqa: N802
        self, request: pb.WatchDefinitionsRequest, context: rpc.Context
    ) -> AsyncGenerator[pb.WatchDefinitionsResponse]:
        self.watched.set()
        if not self.definitions:
            await asyncio.Event().wait()
        resume = pb.ResumeToken(epoch="epoch", revision=self.definitions[-1].revision)
        trust = pb.Trust(
            public_keys=[pb.PublicKey(key_id="kid-1", pem=PUBLIC_KEY.decode())],
            revoked_access_key_ids=["revoked"],
        )
        yield pb.WatchDefinitionsResponse(resume=resume, snapshot_started=pb.SnapshotStarted())
        yield pb.WatchDefinitionsResponse(resume=resume, trust=trust)
        for each in self.definitions:
            change = pb.DefinitionChange(definition=_definition(each))
            yield pb.WatchDefinitionsResponse(resume=resume, change=change)
        yield pb.WatchDefinitionsResponse(resume=resume, caught_up=pb.CaughtUp())
        await asyncio.Event().wait()

    async def IssueToken(  # noqa: N802
        self, request: pb.IssueTokenRequest, context: rpc.Context
    ) -> pb.IssueTokenResponse:
        if self.refusal is not None:
            raise self.refusal
        if (request.key_id, request.key_secret) != ("key-1", "secret"):
            raise Unauthenticated("Inner.")
        issued = pb.IssueTokenResponse(token=token(self.application))
        issued.expires_at.FromMilliseconds(1_800_000_000_000)
        return issued


def _definition(stored: Stored) -> pb.Definition:
    fields: dict[str, Any] = {
        name: getattr(stored, name) for name in ("kind", "name", "version", "revision", "etag")
    }
    return pb.Definition(document=stored.text, **fields)


@asynccontextmanager
async def serving_registry(registry: ScriptedRegistry) -> AsyncGenerator[str]:
    def register(server: grpc.aio.Server) -> None:
        registry_pb2_grpc.add_RegistryServiceServicer_to_server(registry, server)

    async with rpc.serving(register, grace=0.0) as bound:
        yield bound
