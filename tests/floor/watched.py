"""A registry that serves one RPC, WatchDefinitions, from a history that tests write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from podium.registry.v1 import registry_pb2 as pb
from services.rpc import serving

SERVICE = "podium.registry.v1.RegistryService"


class Watched:
    """The history, and who watches it.

    Attributes:
        compacted: Revisions up to this one are forgotten.
        silent: Sends no heartbeats.
        cut_snapshots: This many snapshots are broken off before their end.
        requests: Every request that came.
    """

    def __init__(self, epoch: str = "first") -> None:
        self.epoch = epoch
        self.history: list[pb.DefinitionChange] = []
        self.compacted = 0
        self.silent = False
        self.cut_snapshots = 0
        self.requests: list[pb.WatchDefinitionsRequest] = []
        self.trust = pb.Trust()
        self._news = asyncio.Event()
        self._breaks = 0

    @property
    def revision(self) -> int:
        return len(self.history)

    def put(self, kind: str, name: str, version: int = 0, **fields: Any) -> int:
        """A definition is stored; the revision."""
        self._append(kind, name, version, json.dumps({"kind": kind, "name": name, **fields}))
        return self.revision

    def delete(self, kind: str, name: str, version: int = 0) -> int:
        self._append(kind, name, version, "")
        return self.revision

    def put_together(self, *puts: tuple[str, str]) -> int:
        """Definitions that are stored in one transaction."""
        for kind, name in puts:
            self._append(kind, name, 0, "{}", tell=False)
        self._tell()
        return self.revision

    def distrust(self, *access_key_ids: str, keys: dict[str, str] | None = None) -> None:
        self.trust = pb.Trust(
            public_keys=[pb.PublicKey(key_id=k, pem=pem) for k, pem in (keys or {}).items()],
            revoked_access_key_ids=access_key_ids,
        )
        self._tell()

    def break_off(self) -> None:
        """End every stream."""
        self._breaks += 1
        self._tell()

    def _append(
        self, kind: str, name: str, version: int, document: str, *, tell: bool = True
    ) -> None:
        definition = pb.Definition(
            kind=kind,
            name=name,
            version=version,
            revision=self.revision + 1,
            etag=f"e{self.revision + 1}",
            document=document,
        )
        self.history.append(pb.DefinitionChange(definition=definition, deleted=not document))
        if tell:
            self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def WatchDefinitions(  # noqa: N802 - the proto's
        self, request: pb.WatchDefinitionsRequest, context: Any
    ) -> AsyncIterator[pb.WatchDefinitionsResponse]:
        self.requests.append(request)
        breaks, place, trust = self._breaks, request.resume.revision, None
        if request.resume.epoch != self.epoch or place < self.compacted or place > self.revision:
            place = self.revision
            async for response in self._snapshot(bool(request.resume.epoch), context):
                yield response
        behind = True
        while True:
            news = self._news
            if breaks != self._breaks:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "broken off")
            if trust is not self.trust:
                trust = self.trust
                yield pb.WatchDefinitionsResponse(resume=self._token(place), trust=trust)
            behind = behind or place < self.revision
            while place < self.revision:
                place += 1
                yield self._change(self.history[place - 1], place)
            if behind:
                behind = False
                yield pb.WatchDefinitionsResponse(
                    resume=self._token(place), caught_up=pb.CaughtUp()
                )
            elif not self.silent and trust is self.trust and news is self._news:
                yield pb.WatchDefinitionsResponse(
                    resume=self._token(place), heartbeat=pb.Heartbeat()
                )
            if news is self._news:
                await news.wait()

    async def _snapshot(
        self, compacted: bool, context: Any
    ) -> AsyncIterator[pb.WatchDefinitionsResponse]:
        yield pb.WatchDefinitionsResponse(
            resume=self._token(0), snapshot_started=pb.SnapshotStarted(compacted=compacted)
        )
        latest = {
            (each.definition.kind, each.definition.name, each.definition.version): each
            for each in self.history
        }
        for number, change in enumerate(each for each in latest.values() if not each.deleted):
            if self.cut_snapshots and number:
                self.cut_snapshots -= 1
                await context.abort(grpc.StatusCode.UNAVAILABLE, "broken off")
            yield self._change(change, 0)

    def _change(self, change: pb.DefinitionChange, place: int) -> pb.WatchDefinitionsResponse:
        return pb.WatchDefinitionsResponse(resume=self._token(place), change=change)

    def _token(self, revision: int) -> pb.ResumeToken:
        return pb.ResumeToken(epoch=self.epoch, revision=revision)


@asynccontextmanager
async def watching(registry: Watched, address: str = "127.0.0.1:0") -> AsyncGenerator[str]:
    """``registry`` on a port; the address."""

    def add(server: grpc.aio.Server) -> None:
        handler = grpc.unary_stream_rpc_method_handler(
            registry.WatchDefinitions,
            request_deserializer=pb.WatchDefinitionsRequest.FromString,
            response_serializer=pb.WatchDefinitionsResponse.SerializeToString,
        )
        handlers = {"WatchDefinitions": handler}
        server.add_registered_method_handlers(SERVICE, handlers)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    # Its streams never end by themselves.
    async with serving(add, address=address, grace=0) as bound:
        yield bound
