"""The registry over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from importlib import metadata
from typing import Any

import grpc

from podium.registry.v1 import access_pb2, registry_pb2 as pb, registry_pb2_grpc as rpc
from services.registry import manual, store
from services.registry.access_calls import AccessCalls
from services.registry.access_key_calls import AccessKeyCalls
from services.registry.audit_calls import AuditCalls
from services.registry.audit_watch import AuditWatch
from services.registry.catalog import Catalog
from services.registry.changes import Changes
from services.registry.definition_calls import DefinitionCalls, check_kinds
from services.registry.holders import HolderCalls
from services.registry.key_calls import KeyCalls
from services.registry.permissions import calling
from services.registry.put_calls import PutCalls
from services.registry.reference_calls import ReferenceCalls
from services.registry.samples import SampleCalls
from services.registry.signing_calls import Signing
from services.registry.sources import Sources
from services.registry.trust import RegistryAuthority
from services.storage import Storage

Context = grpc.aio.ServicerContext[Any, Any]


class Registry(rpc.RegistryServiceServicer):
    """Hands each call, with who makes it, to what answers it."""

    def __init__(
        self,
        storage: Storage,
        definitions: DefinitionCalls,
        puts: PutCalls,
        access: AccessCalls,
        access_keys: AccessKeyCalls,
        signing: Signing,
        api_keys: KeyCalls,
        changes: Changes,
        catalog: Catalog,
        audit: AuditCalls,
        audit_watch: AuditWatch,
        references: ReferenceCalls,
        samples: SampleCalls,
        holders: HolderCalls,
        authority: RegistryAuthority,
        sources: Sources,
    ) -> None:
        self._storage = storage
        self._definitions = definitions
        self._puts = puts
        self._access = access
        self._access_keys = access_keys
        self._signing = signing
        self._api_keys = api_keys
        self._changes = changes
        self._catalog = catalog
        self._audit = audit
        self._audit_watch = audit_watch
        self._references = references
        self._samples = samples
        self._holders = holders
        self._authority = authority
        self._sources = sources

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve on ``server``."""
        rpc.add_RegistryServiceServicer_to_server(self, server)

    async def PutDefinitions(
        self, request: pb.PutDefinitionsRequest, context: Context
    ) -> pb.PutDefinitionsResponse:
        return await self._puts.put(calling(self._authority), request)

    async def GetDefinition(
        self, request: pb.GetDefinitionRequest, context: Context
    ) -> pb.GetDefinitionResponse:
        return await self._definitions.get(calling(self._authority), request)

    async def ListDefinitions(
        self, request: pb.ListDefinitionsRequest, context: Context
    ) -> pb.ListDefinitionsResponse:
        return await self._definitions.list(calling(self._authority), request)

    async def ListDefinitionHistory(
        self, request: pb.ListDefinitionHistoryRequest, context: Context
    ) -> pb.ListDefinitionHistoryResponse:
        return await self._definitions.history(calling(self._authority), request)

    async def RollbackDefinition(
        self, request: pb.RollbackDefinitionRequest, context: Context
    ) -> pb.RollbackDefinitionResponse:
        return await self._puts.rollback(calling(self._authority), request)

    async def DeleteDefinition(
        self, request: pb.DeleteDefinitionRequest, context: Context
    ) -> pb.DeleteDefinitionResponse:
        return await self._definitions.delete(calling(self._authority), request)

    async def WatchDefinitions(
        self, request: pb.WatchDefinitionsRequest, context: Context
    ) -> AsyncIterator[pb.WatchDefinitionsResponse]:
        caller = calling(self._authority)
        resume = request.resume if request.HasField("resume") else None
        async with aclosing(self._changes.watch(resume, request.kinds, caller.sees)) as events:
            async for event in events:
                caller.check_still_there()
                yield event

    async def WatchCatalog(
        self, request: pb.WatchCatalogRequest, context: Context
    ) -> AsyncIterator[pb.WatchCatalogResponse]:
        caller = calling(self._authority)
        async with aclosing(self._catalog.watch(caller, request)) as events:
            async for event in events:
                yield event

    async def ListReferences(
        self, request: pb.ListReferencesRequest, context: Context
    ) -> pb.ListReferencesResponse:
        return await self._references.list(calling(self._authority), request)

    async def ListKinds(
        self, request: pb.ListKindsRequest, context: Context
    ) -> pb.ListKindsResponse:
        check_kinds(request.kinds)
        return manual.answer(request.kinds, with_schemas=request.with_schemas)

    async def CheckSample(
        self, request: pb.CheckSampleRequest, context: Context
    ) -> pb.CheckSampleResponse:
        return await self._samples.check(calling(self._authority), request)

    async def IssueToken(
        self, request: pb.IssueTokenRequest, context: Context
    ) -> pb.IssueTokenResponse:
        return await self._access.issue(request, self._sources.of(context))

    async def CreateAccessKey(
        self, request: pb.CreateAccessKeyRequest, context: Context
    ) -> pb.CreateAccessKeyResponse:
        return await self._access_keys.create(calling(self._authority), request)

    async def ListAccessKeys(
        self, request: pb.ListAccessKeysRequest, context: Context
    ) -> pb.ListAccessKeysResponse:
        return await self._access_keys.list(calling(self._authority), request)

    async def RollAccessKey(
        self, request: pb.RollAccessKeyRequest, context: Context
    ) -> pb.RollAccessKeyResponse:
        return await self._access_keys.roll(calling(self._authority), request)

    async def RevokeAccessKey(
        self, request: pb.RevokeAccessKeyRequest, context: Context
    ) -> pb.RevokeAccessKeyResponse:
        return await self._access_keys.revoke(calling(self._authority), request)

    async def ListSigningKeys(
        self, request: pb.ListSigningKeysRequest, context: Context
    ) -> pb.ListSigningKeysResponse:
        return self._signing.listed()

    async def RotateSigningKeys(
        self, request: pb.RotateSigningKeysRequest, context: Context
    ) -> pb.RotateSigningKeysResponse:
        return await self._signing.rotate(calling(self._authority), request)

    async def ListApiKeys(
        self, request: pb.ListApiKeysRequest, context: Context
    ) -> pb.ListApiKeysResponse:
        return await self._api_keys.list(calling(self._authority), request)

    async def CreateApiKey(
        self, request: pb.CreateApiKeyRequest, context: Context
    ) -> pb.CreateApiKeyResponse:
        return await self._api_keys.create(calling(self._authority), request)

    async def RollApiKey(
        self, request: pb.RollApiKeyRequest, context: Context
    ) -> pb.RollApiKeyResponse:
        return await self._api_keys.roll(calling(self._authority), request)

    async def RevokeApiKey(
        self, request: pb.RevokeApiKeyRequest, context: Context
    ) -> pb.RevokeApiKeyResponse:
        return await self._api_keys.revoke(calling(self._authority), request)

    async def ListHolders(
        self, request: access_pb2.ListHoldersRequest, context: Context
    ) -> access_pb2.ListHoldersResponse:
        return await self._holders.holders(calling(self._authority), request)

    async def GetAccess(
        self, request: access_pb2.GetAccessRequest, context: Context
    ) -> access_pb2.GetAccessResponse:
        return await self._holders.of_application(calling(self._authority), request)

    async def GetOwnAccess(
        self, request: access_pb2.GetOwnAccessRequest, context: Context
    ) -> access_pb2.GetOwnAccessResponse:
        return await self._holders.own(calling(self._authority))

    async def WatchOwnAccess(
        self, request: access_pb2.WatchOwnAccessRequest, context: Context
    ) -> AsyncIterator[access_pb2.WatchOwnAccessResponse]:
        async with aclosing(self._holders.watch(calling(self._authority))) as events:
            async for event in events:
                yield event

    async def ListAuditEntries(
        self, request: pb.ListAuditEntriesRequest, context: Context
    ) -> pb.ListAuditEntriesResponse:
        return await self._audit.list(request)

    async def GetAuditEntry(
        self, request: pb.GetAuditEntryRequest, context: Context
    ) -> pb.GetAuditEntryResponse:
        return await self._audit.get(request)

    async def RecordAuditEntries(
        self, request: pb.RecordAuditEntriesRequest, context: Context
    ) -> pb.RecordAuditEntriesResponse:
        return await self._audit.record(request)

    async def CheckAuditLog(
        self, request: pb.CheckAuditLogRequest, context: Context
    ) -> pb.CheckAuditLogResponse:
        return await self._audit.check(request)

    async def WatchAuditEntries(
        self, request: pb.WatchAuditEntriesRequest, context: Context
    ) -> AsyncIterator[pb.WatchAuditEntriesResponse]:
        caller = calling(self._authority)
        async with aclosing(self._audit_watch.watch(caller, request)) as events:
            async for event in events:
                yield event

    async def GetRegistryStatus(
        self, request: pb.GetRegistryStatusRequest, context: Context
    ) -> pb.GetRegistryStatusResponse:
        revision = await self._storage.transact(store.revision)
        return pb.GetRegistryStatusResponse(version=metadata.version("podium"), revision=revision)
