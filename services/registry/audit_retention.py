"""Keeps the audit log from growing for ever: its old end goes, written to files before."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from services import exports
from services.auditing import Entry
from services.auditing.chain import CHANGED, REFUSED
from services.errors import Unavailable
from services.exports import Export
from services.registry import audit
from services.storage import Storage

logger = logging.getLogger(__name__)

WHAT = "audit"
# Of the rows that changes may have.
REFUSED_PART = 5
_EVERY_SECONDS = 60.0
# In one transaction, which keeps others waiting.
_AT_ONCE = 500
_MOST_IN_FILE = 10_000


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept.

    Attributes:
        rows: Of changes; of refusals a fifth.
        export: The folder to which entries are written before they go; None: they go.
    """

    days: int
    rows: int
    export: Path | None = None

    @asynccontextmanager
    async def applied(self, storage: Storage) -> AsyncGenerator[None]:
        """It is looked after while inside."""
        task = asyncio.create_task(self.run(storage), name="keep the audit log short")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self, storage: Storage) -> None:
        """Look after it for ever."""
        if self.export is not None:
            await asyncio.to_thread(_clear, self.export)
        while True:
            try:
                await self.apply(storage, datetime.now(UTC))
            except (OSError, Unavailable, sqlite3.Error) as error:
                logger.error("What is old in the audit log stays for now: %s", error)
            await asyncio.sleep(_EVERY_SECONDS)

    async def apply(self, storage: Storage, now: datetime) -> int:
        """Let go of what is too old or too much; how many entries went.

        Raises:
            OSError: They cannot be exported, and stay.
            Unavailable: The database cannot be written.
        """
        gone = 0
        for which, rows in ((CHANGED, self.rows), (REFUSED, self.rows // REFUSED_PART)):
            before = now - timedelta(days=self.days)
            while went := await self._some(storage, which, before, rows):
                gone += went
        return gone

    async def _some(self, storage: Storage, which: int, before: datetime, rows: int) -> int:
        """As many as a file takes, exported before the first of them goes."""
        most = _AT_ONCE if self.export is None else _MOST_IN_FILE
        going = await storage.transact(lambda db: audit.old(db, which, before, rows, most))
        if not going:
            return 0
        if self.export is not None:
            await asyncio.to_thread(_export, self.export, going)
        for end in range(0, len(going), _AT_ONCE):
            last = going[min(end + _AT_ONCE, len(going)) - 1].id
            await storage.transact(partial(_drop, which=which, until=last))
        return len(going)


def _clear(folder: Path) -> None:
    try:
        exports.clear(folder, WHAT)
    except OSError as error:
        # It is in nobody's way.
        logger.warning("What was not exported to its end cannot be removed: %s", error)


def _drop(db: Database, which: int, until: int) -> None:
    audit.drop(db, which, until)


def _export(folder: Path, entries: Sequence[Entry]) -> None:
    file = Export(folder, WHAT, datetime.now(UTC))
    try:
        file.write([json.dumps(_data(entry), ensure_ascii=False) for entry in entries])
        file.done()
    except BaseException:
        file.drop()
        raise


def _data(entry: Entry) -> dict[str, Any]:
    data = asdict(entry)
    data.pop("uid")
    data["at"] = entry.at.isoformat() if entry.at else None
    return data
