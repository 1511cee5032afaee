"""The edge's entries of the audit log: rows in its file, and requests that were refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from services.auditing import Entry, outbox
from services.auditing.outbox import Record, Rows, Sender
from services.edge.call import Call
from services.edge.denied import REASONS, Denied, Refusal
from services.errors import Unavailable
from services.guessing import source_of
from services.storage import Storage, opened_beside

logger = logging.getLogger(__name__)

migrations = Migrations("gateway-audit")

_MINUTE_SECONDS = 60.0


@migrations(name="0001_outbox")
def _first(db: Database) -> None:
    db.execute(outbox.TABLE)
    db.execute(outbox.INDEX)


class _Rows:
    """The table of entries that the registry has not yet."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def first(self) -> list[tuple[int, bytes]]:
        return await self._storage.transact(lambda db: outbox.first(db.conn))

    async def drop(self, seqs: Sequence[int]) -> None:
        await self._storage.transact(lambda db: outbox.drop(db.conn, seqs))

    async def put(self, *entries: Entry) -> None:
        def work(db: Database) -> None:
            for entry in entries:
                outbox.put(db.conn, entry)

        await self._storage.transact(work)


class Kept(Rows, Protocol):
    """The same, to which entries are added."""

    async def put(self, *entries: Entry) -> None:
        """Keep entries. Raises :class:`Unavailable`: the disk is full, or the like."""


class Auditing:
    """Keeps entries and sends them; get one from :func:`auditing`."""

    def __init__(self, rows: Kept, sender: Sender) -> None:
        self._rows = rows
        self._sender = sender
        self._denied = Denied()

    async def put(self, entry: Entry) -> None:
        """Keep an entry. Raises :class:`Unavailable`: the disk is full, or the like."""
        await self._rows.put(entry)
        self._sender.wake()

    def wake(self) -> None:
        """There may be new entries."""
        self._sender.wake()

    def record(self, call: Call, status: int) -> None:
        """Count a request that was answered, if it was refused."""
        if status in REASONS:
            self.count(_refusal(call, status))

    def count(self, refusal: Refusal) -> None:
        """One more."""
        self._denied.count(refusal)

    def record_managed(self, call: Call, status: int) -> None:
        """As :meth:`record`, of the management API: by the pages there are, never by a path."""
        if status in REASONS:
            refusal = _refusal(call, status)
            route = f"{refusal.route} (management)".strip()
            self.count(replace(refusal, route=route))

    async def close_minute(self) -> None:
        """Have what was refused since the last time in the log."""
        entries = self._denied.take(datetime.now(UTC), uuid4().hex)
        if not entries:
            return
        try:
            await self._rows.put(*entries)
        except Exception as error:
            # The outermost loop of a minute: whatever broke, there is a next one.
            known = isinstance(error, Unavailable)
            logger.error(
                "%d refusals are not in the audit log: %s",
                sum(entry.count for entry in entries),
                error.detail if isinstance(error, Unavailable) else error,
                exc_info=None if known else error,
            )
        self._sender.wake()

    async def _every_minute(self) -> None:
        while True:
            await asyncio.sleep(_MINUTE_SECONDS)
            await self.close_minute()

    @asynccontextmanager
    async def counting(self) -> AsyncGenerator[None]:
        """Refusals are written each minute while inside, and at the end once more."""
        task = asyncio.create_task(self._every_minute(), name="write refusals down")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.close_minute()


def _refusal(call: Call, status: int) -> Refusal:
    _, method, path = call.place or ("", "", "")
    if call.route is not None:
        method, path = call.route.method, call.route.path
    return Refusal(
        source_of(call.address),
        f"{method} {path}".strip(),
        call.problem or REASONS[status],
        call.caller.principal if call.caller is not None else "",
    )


@asynccontextmanager
async def auditing(path: Path, record: Record) -> AsyncGenerator[Auditing]:
    """What keeps entries in ``path``, a database that this process has opened, while inside.

    Args:
        record: The registry's ``RecordAuditEntries``.
    """
    async with opened_beside(path, migrations) as storage:
        rows = _Rows(storage)
        sender = Sender(rows, record)
        kept = Auditing(rows, sender)
        async with sender.sending(), kept.counting():
            yield kept
