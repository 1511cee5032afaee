"""The edge's own tables in its file: the minutes of a day, and when keys were last used.

They stand beside the copy of the definitions, which is another's; what is lost with the file is a
day's figures.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from services.edge.metrics.counter import is_counter
from services.edge.metrics.history import Series, Uses
from services.errors import Unavailable
from services.process import StartupError
from services.storage import Storage, StorageTooNew, is_corrupt, opened_beside

logger = logging.getLogger(__name__)

T = TypeVar("T")

migrations = Migrations("gateway-metrics")

_MOST_KEYS = 100_000


@migrations(name="0001_first")
def _first(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE gateway_minutes (
            minute INTEGER NOT NULL, service TEXT NOT NULL, method TEXT NOT NULL,
            path TEXT NOT NULL, principal TEXT NOT NULL, counts TEXT NOT NULL,
            PRIMARY KEY (minute, service, method, path, principal)
        ) STRICT, WITHOUT ROWID
        """
    )
    # Seconds since 1970.
    db.execute(
        """
        CREATE TABLE key_uses (
            auth_id TEXT NOT NULL, name TEXT NOT NULL, used_at REAL NOT NULL,
            PRIMARY KEY (auth_id, name)
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX key_uses_by_time ON key_uses (used_at)")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is on disk, or is to be.

    Attributes:
        minutes: Whole minutes, each the rows of its series.
    """

    minutes: Mapping[int, Mapping[Series, str]]
    used: Uses


def load(db: Database, oldest: int) -> Kept:
    """What is kept of the minutes from ``oldest`` on, and of all keys."""
    minutes: dict[int, dict[Series, str]] = {}
    # Else one spoilt word would keep all that is there from being read, at every start.
    db.conn.text_factory = partial(str, encoding="utf-8", errors="replace")
    rows = db.execute(
        "SELECT minute, service, method, path, principal, counts FROM gateway_minutes "
        "WHERE minute >= ?",
        (oldest,),
    )
    for minute, service, method, path, principal, counts in rows:
        # What the disk has spoilt must not spoil the sums.
        if is_counter(counts):
            minutes.setdefault(minute, {})[service, method, path, principal] = counts
    uses = db.execute("SELECT auth_id, name, used_at FROM key_uses")
    return Kept(minutes, {(auth_id, name): at for auth_id, name, at in uses})


def save(db: Database, kept: Kept, oldest: int) -> None:
    """Keep those minutes as they are now, nothing before ``oldest``, and the last uses of keys."""
    db.execute("DELETE FROM gateway_minutes WHERE minute < ?", (oldest,))
    for minute, rows in kept.minutes.items():
        db.execute("DELETE FROM gateway_minutes WHERE minute = ?", (minute,))
        db.conn.executemany(
            "INSERT INTO gateway_minutes VALUES (?, ?, ?, ?, ?, ?)",
            [(minute, *series, counts) for series, counts in rows.items()],
        )
    db.conn.executemany(
        "INSERT OR REPLACE INTO key_uses VALUES (?, ?, ?)",
        [(*key, at) for key, at in kept.used.items()],
    )
    db.execute(
        "DELETE FROM key_uses WHERE used_at < "
        "(SELECT used_at FROM key_uses ORDER BY used_at DESC LIMIT 1 OFFSET ?)",
        (_MOST_KEYS,),
    )


class File:
    """The tables in the edge's file, which may fail for a while; that is told once.

    Args:
        path: A database that this process has opened.
        stack: Closes it.
    """

    def __init__(self, path: Path, stack: AsyncExitStack) -> None:
        self._path = path
        self._stack = stack
        self._storage: Storage | None = None
        self._failing = False

    @property
    def is_open(self) -> bool:
        """Whether it was loaded from."""
        return self._storage is not None

    async def load(self, oldest: int) -> Kept | None:
        """Open it: what is kept; None where that failed."""
        return await self._trying(partial(self._load, oldest))

    async def _load(self, oldest: int) -> Kept:
        async with AsyncExitStack() as attempt:
            storage = await attempt.enter_async_context(opened_beside(self._path, migrations))
            kept = await storage.transact(partial(load, oldest=oldest))
            await self._stack.enter_async_context(attempt.pop_all())
        self._storage = storage
        return kept

    async def save(self, kept: Kept, oldest: int) -> bool:
        """Whether ``kept`` is kept now, as :func:`save` does."""
        return bool(await self._trying(partial(self._save, kept, oldest)))

    async def _save(self, kept: Kept, oldest: int) -> bool:
        if self._storage is None:
            return False
        await self._storage.transact(partial(save, kept=kept, oldest=oldest))
        return True

    async def _trying(self, work: Callable[[], Awaitable[T]]) -> T | None:
        try:
            done = await work()
        except (sqlite3.Error, StartupError, Unavailable) as error:
            if not self._failing:
                logger.warning("The gateway's metrics are in memory only %s", self._why(error))
            self._failing = True
            return None
        if self._failing and done:
            logger.info("The gateway's metrics are kept on disk again.")
            self._failing = False
        return done

    def _why(self, error: Exception) -> str:
        if is_corrupt(error) or isinstance(error, StorageTooNew):
            # The copy of the definitions beside it may be whole, so that nobody makes it anew.
            why = "corrupt" if is_corrupt(error) else "of a later version"
            return (
                f"until {self._path}, which is {why}, is deleted while the edge is stopped (it "
                f"fetches the definitions again): {error}"
            )
        return f"for now: {error}"
