"""Changing the store: a change that is committed is told, whatever becomes of who asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from datetime import UTC, datetime
from typing import TypeVar

from sqlite_utils import Database

from services.registry import store
from services.registry.changes import Changes
from services.registry.trust import RegistryAuthority, Trusted, trusted
from services.storage import Storage

T = TypeVar("T")


class Commits:
    """The one way to write: in a transaction, then to every watcher and to who verifies tokens."""

    def __init__(
        self, storage: Storage, changes: Changes, authority: RegistryAuthority, keep: int
    ) -> None:
        self._storage = storage
        self._changes = changes
        self._authority = authority
        self._keep = keep
        self._under_way: set[asyncio.Task[object]] = set()

    async def commit(
        self,
        work: Callable[[Database, datetime], T],
        committed: Callable[[T], None] | None = None,
    ) -> T:
        """What ``work`` returns, committed and told; if it raises, nothing was changed.

        Args:
            committed: Given that, before anybody else is told; also where the caller has left.
        """
        task = asyncio.ensure_future(self._commit(work, committed))
        self._under_way.add(task)
        task.add_done_callback(self._done)
        # A caller who leaves between the commit and the telling must not keep it from others.
        return await asyncio.shield(task)

    async def _commit(
        self, work: Callable[[Database, datetime], T], committed: Callable[[T], None] | None
    ) -> T:
        # Its thread knows nothing of the call that is being served, which the audit log tells of.
        context = copy_context()

        def transaction(db: Database) -> tuple[T, Trusted]:
            now = datetime.now(UTC)
            result = context.run(work, db, now)
            store.compact(db, self._keep)
            return result, trusted(db, now)

        result, now_trusted = await self._storage.transact(transaction)
        if committed is not None:
            committed(result)
        self._authority.trusted = now_trusted
        self._changes.tell(now_trusted.message())
        return result

    def _done(self, task: asyncio.Task[object]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # A caller who has left does not ask how it went.
            task.exception()

    async def settled(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
