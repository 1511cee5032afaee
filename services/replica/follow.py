"""Following the registry: its watch, resumed from where the copy stands, for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import grpc

from podium.registry.v1 import registry_pb2 as pb, registry_pb2_grpc
from services.errors import ServiceError, Unavailable
from services.replica import disk
from services.replica.copy import Change, Key, Place, Removed, Replica, Stored, Trust
from services.rpc import raising_ours
from services.storage import Storage, StorageCorrupt, StorageTooNew, lock_file, opened

logger = logging.getLogger(__name__)

# The registry tells every few seconds that it is there.
SILENCE = timedelta(seconds=15)
_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 1.0
_NEWS_AFTER_FAILURES = 5


@asynccontextmanager
async def following(
    path: Path,
    registry_channel: grpc.aio.Channel,
    *,
    kinds: Sequence[str] = (),
    silence: timedelta = SILENCE,
) -> AsyncGenerator[Replica]:
    """A replica that follows the registry while inside; it holds at once what was on disk.

    Args:
        path: Its own file, made if need be.
        registry_channel: Carries a token that may watch definitions. Whether the registry is
            there does not matter.
        kinds: The only ones held; empty: all. ``application`` is needed to verify tokens.
        silence: How long the registry may say nothing before the watch is begun again.

    Raises:
        StorageInUse: Another process has the file.
        StorageUnwritable: It cannot be read or written.
    """
    async with AsyncExitStack() as stack:
        storage, kept = await _open(stack, path, tuple(kinds))
        replica = Replica(kept.stored, kept.place, kept.trust)
        follower = _Follower(replica, storage, registry_channel, kept.kinds, silence)
        task = asyncio.create_task(follower.run(), name=f"follow the registry for {path.name}")
        try:
            yield replica
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _open(
    stack: AsyncExitStack, path: Path, kinds: tuple[str, ...]
) -> tuple[Storage, disk.Kept]:
    try:
        return await _load(stack, path, kinds)
    except (StorageCorrupt, StorageTooNew, sqlite3.Error, ValueError) as error:
        logger.warning("The copy of the definitions is made anew: %s", error)
    await asyncio.get_running_loop().run_in_executor(None, _remove, path)
    return await _load(stack, path, kinds)


async def _load(
    stack: AsyncExitStack, path: Path, kinds: tuple[str, ...]
) -> tuple[Storage, disk.Kept]:
    async with AsyncExitStack() as attempt:
        storage = await attempt.enter_async_context(opened(path, disk.migrations))
        kept = await storage.transact(partial(disk.load, kinds=kinds))
        await stack.enter_async_context(attempt.pop_all())
    return storage, kept


def _remove(path: Path) -> None:
    with lock_file(path):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


class _Follower:
    """Keeps a replica, and its file, as the registry is.

    What arrives is gathered until the registry says that this is all for now: a put of several
    documents, and a snapshot, are seen whole or not at all.
    """

    def __init__(
        self,
        replica: Replica,
        storage: Storage,
        channel: grpc.aio.Channel,
        kinds: tuple[str, ...],
        silence: timedelta,
    ) -> None:
        self._replica = replica
        self._storage = storage
        self._stub: registry_pb2_grpc.RegistryServiceAsyncStub = (
            registry_pb2_grpc.RegistryServiceStub(channel)
        )
        self._kinds = kinds
        self._silence = silence.total_seconds()
        self._gathered: dict[Key, Change] = {}
        self._whole = False
        # The file missed something: it is written anew with the next change.
        self._file_behind = False
        self._delay = 0.0
        self._failures = 0

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._watch()
            except (ServiceError, TimeoutError) as error:
                self._lost(str(error) or f"it said nothing for {self._silence:g} s")
            except Exception:
                # Serving from the copy as it is beats not serving.
                logger.exception("Following the registry failed; it is tried again.")
            self._replica.stale = True
            self._delay = min(max(self._delay * 2, _FIRST_DELAY_SECONDS), _LONGEST_DELAY_SECONDS)
            # Those that lost the registry together need not come back in one moment.
            await asyncio.sleep(self._delay * random.uniform(0.7, 1.0))

    def _lost(self, why: str) -> None:
        # A suite's services start side by side: a registry that is not there yet is no news.
        self._failures += 1
        level = logging.WARNING if self._failures == _NEWS_AFTER_FAILURES else logging.DEBUG
        logger.log(level, "The registry cannot be followed; what is known is served: %s", why)

    async def _watch(self) -> None:
        self._gathered, self._whole = {}, False
        place = self._replica.place
        request = pb.WatchDefinitionsRequest(kinds=self._kinds)
        if place.epoch:
            request.resume.epoch, request.resume.revision = place.epoch, place.revision
        call = self._stub.WatchDefinitions(request)
        try:
            with raising_ours():
                while True:
                    async with asyncio.timeout(self._silence):
                        response = await call.read()
                    if not isinstance(response, pb.WatchDefinitionsResponse):
                        raise Unavailable("The registry ended the watch.")
                    await self._take(response)
        finally:
            call.cancel()

    async def _take(self, response: pb.WatchDefinitionsResponse) -> None:
        match response.WhichOneof("event"):
            case "snapshot_started":
                self._gathered, self._whole = {}, True
            case "change":
                self._gather(response.change)
            case "trust":
                await self._trust(response.trust)
            case "caught_up" | "heartbeat":
                await self._settle(Place(response.resume.epoch, response.resume.revision))
                if self._replica.stale:
                    logger.info("The registry is followed, at %d.", self._replica.revision)
                self._replica.stale, self._delay, self._failures = False, 0.0, 0

    def _gather(self, change: pb.DefinitionChange) -> None:
        told = change.definition
        key = told.kind, told.name, told.version
        # The last word about a definition, in the order of last words.
        self._gathered.pop(key, None)
        if change.deleted:
            self._gathered[key] = Removed(*key)
        else:
            self._gathered[key] = Stored(*key, told.revision, told.etag, told.document)

    async def _trust(self, told: pb.Trust) -> None:
        """At once, whatever is being gathered: a revoked key is not to wait for a snapshot."""
        known = Trust(
            {key.key_id: key.pem for key in told.public_keys},
            frozenset(told.revoked_access_key_ids),
            {key.key_id: key.ends_at.ToNanoseconds() / 1e9 for key in told.access_key_ends},
            frozenset(told.revoked_signing_key_ids),
        )
        if known != self._replica.trust:
            self._replica.trust = known
            await self._keep((), self._replica.place)

    async def _settle(self, place: Place) -> None:
        """The gathered changes hold, all at once: on disk, then for all who ask."""
        changes, whole = tuple(self._gathered.values()), self._whole
        if not changes and not whole and place == self._replica.place:
            return
        self._gathered, self._whole = {}, False
        await self._keep(changes, place, whole=whole)
        if whole:
            self._replica.replace(changes, place)
        else:
            self._replica.apply(changes, place)

    async def _keep(
        self, changes: tuple[Change, ...], place: Place, *, whole: bool = False
    ) -> None:
        """Have the file made as the copy will be; a file that cannot be written stops nobody."""
        if self._file_behind and not whole:
            changes, whole = (*self._replica.everything(), *changes), True
        kept = disk.Kept(self._kinds, place, self._replica.trust)
        self._file_behind = True
        try:
            await self._storage.transact(
                partial(disk.save, changes=changes, kept=kept, whole=whole)
            )
        except (sqlite3.Error, Unavailable) as error:
            logger.warning("The copy of the definitions cannot be kept on disk: %s", error)
        else:
            self._file_behind = False
