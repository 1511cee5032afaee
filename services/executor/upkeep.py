"""Keeps ``executor.db`` from growing for ever: old changes, executions that ended long ago.

And the idempotency keys of those that ended a day ago.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from services.errors import ServiceError
from services.executor import queries
from services.executor.core.model import ExecutionStatus
from services.executor.feed import Feed
from services.executor.statements import KEY_KEPT_MICROS
from services.executor.store import Store
from services.executor.tally import Tally
from services.executor.timers import wall

logger = logging.getLogger(__name__)

SNAPSHOT_IN_USE = "SELECT 1 FROM executions WHERE snapshot = ? LIMIT 1"

_MICROSECOND = timedelta(microseconds=1)
# A transaction keeps the commits of others waiting.
_CHANGES_AT_ONCE = 2_000
_EXECUTIONS_AT_ONCE = 100
_KEYS_AT_ONCE = 500
_SECONDS_AT_ONCE = 0.01


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What is kept for how long.

    Attributes:
        retention: Of an execution, from its end.
        changes_kept: Of the feed, by age; ``most_changes``: by number.
        every: How often it is looked after.
    """

    retention: timedelta = timedelta(days=7)
    changes_kept: timedelta = timedelta(hours=1)
    most_changes: int = 1_000_000
    every: timedelta = timedelta(seconds=60)

    async def run(self, store: Store, feed: Feed, tally: Tally) -> None:
        """Look after it for ever."""
        while True:
            await asyncio.sleep(self.every.total_seconds())
            try:
                await self.compact(store, feed)
                await self.clean(store, tally)
                await self.forget_keys(store)
                await self.forget_events(store)
            except (sqlite3.Error, ServiceError) as error:
                # It is tried again; a full disk is told by whoever writes what matters.
                logger.warning("The database cannot be looked after just now: %s", error)

    async def compact(self, store: Store, feed: Feed) -> None:
        """Drop the changes that are too old or too many."""
        too_old = wall() - self.changes_kept // _MICROSECOND
        more = True
        while more:
            before = feed.floor
            until = feed.floor + _CHANGES_AT_ONCE
            surplus = feed.head - self.most_changes
            # Watchers that come now begin anew, before what they would need is gone.
            dropped = await store.readers.read(
                queries.last_disposable, feed.floor, until, too_old, surplus
            )
            feed.floor = max(feed.floor, dropped)
            if feed.floor > before:
                await store.writer.chore(partial(_drop_changes, feed.floor))
            more = feed.floor == until

    async def clean(self, store: Store, tally: Tally) -> None:
        """Drop the executions that ended too long ago, with the snapshots that only they had."""
        ended_before = wall() - self.retention // _MICROSECOND
        dropped, untold = 0, list[str]()
        while ids := await store.readers.read(
            queries.ended_before, ended_before, _EXECUTIONS_AT_ONCE
        ):
            gone: list[str] = []
            await store.writer.chore(partial(_drop_executions, ids, gone, untold))
            dropped += len(gone)
            for status, number in Counter(gone).items():
                tally.count(ExecutionStatus(status), -number)
        tally.dropped_before = max(ended_before, 0)
        if untold:
            what = "execution was" if len(untold) == 1 else "executions were"
            logger.warning("%d %s dropped before the end was told.", len(untold), what)
        if dropped:
            logger.info("%d executions that ended long ago were dropped.", dropped)
            for hash_ in await store.readers.read(queries.unused_snapshots):
                await store.writer.chore(partial(_drop_snapshot, store, hash_))

    async def forget_keys(self, store: Store) -> None:
        """Drop the idempotency keys of executions that ended a day ago, or were dropped."""
        looked_at = [_KEYS_AT_ONCE]
        while looked_at[-1] == _KEYS_AT_ONCE:
            await store.writer.chore(partial(_forget_keys, wall(), looked_at))

    async def forget_events(self, store: Store) -> None:
        """Drop what event handlers did as long ago as executions are kept."""
        before, gone = wall() - self.retention // _MICROSECOND, [_KEYS_AT_ONCE]
        while gone[-1] == _KEYS_AT_ONCE:
            await store.writer.chore(partial(_forget_events, before, gone))


def _forget_events(before: int, gone: list[int], db: sqlite3.Connection) -> None:
    """Drops some of what was done with before that time, and notes how much in ``gone``."""
    dropped = [
        db.execute(text, (before, _KEYS_AT_ONCE)).rowcount
        for text in (
            "DELETE FROM event_runs WHERE seq IN (SELECT seq FROM event_runs WHERE at < ? LIMIT ?)",
            "DELETE FROM event_messages WHERE seq IN (SELECT seq FROM event_messages "
            "WHERE done_at IS NOT NULL AND done_at < ? LIMIT ?)",
        )
    ]
    gone.append(max(dropped))


def _forget_keys(at: int, looked_at: list[int], db: sqlite3.Connection) -> None:
    """Looks at the next keys that are due, and notes how many in ``looked_at``.

    One that has to stay is looked at again when it may go, or in a day.
    """
    due = db.execute(
        "SELECT key, executions.id, ended_at FROM idempotency_keys "
        "LEFT JOIN executions ON executions.id = execution_id "
        "WHERE look_at <= ? ORDER BY look_at LIMIT ?",
        (at, _KEYS_AT_ONCE),
    ).fetchall()
    looked_at.append(len(due))
    for key, execution_id, ended_at in due:
        next_at = (at if ended_at is None else ended_at) + KEY_KEPT_MICROS
        if execution_id is None or next_at <= at:
            db.execute("DELETE FROM idempotency_keys WHERE key = ?", (key,))
        else:
            db.execute("UPDATE idempotency_keys SET look_at = ? WHERE key = ?", (next_at, key))


def _drop_changes(last: int, db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM changes WHERE revision <= ?", (last,))


def _drop_executions(
    ids: list[str], gone: list[str], untold: list[str], db: sqlite3.Connection
) -> None:
    """Drops the first of ``ids``, as many as there is time for.

    The status of each is noted in ``gone``.

    Those whose end was still to be told are noted in ``untold``.
    """
    end = time.monotonic() + _SECONDS_AT_ONCE
    marks = ",".join("?" * len(ids))
    # One that was restarted since it was looked up stays.
    ids = [
        row[0]
        for row in db.execute(
            f"SELECT id FROM executions WHERE id IN ({marks}) AND ended_at IS NOT NULL", ids
        )
    ]
    for each in ids:
        db.execute("DELETE FROM tasks WHERE execution_id = ?", (each,))
        db.execute("DELETE FROM timers WHERE execution_id = ?", (each,))
        db.execute("DELETE FROM task_logs WHERE execution_id = ?", (each,))
        told = db.execute(
            "DELETE FROM webhooks WHERE execution_id = ? RETURNING next_at", (each,)
        ).fetchall()
        untold.extend(each for (next_at,) in told if next_at is not None)
        row = db.execute("DELETE FROM executions WHERE id = ? RETURNING status", (each,)).fetchone()
        gone.append(row[0])
        if time.monotonic() >= end:
            return


def _drop_snapshot(store: Store, hash_: str, db: sqlite3.Connection) -> None:
    used = db.execute(SNAPSHOT_IN_USE, (hash_,)).fetchone()
    if used is None:
        db.execute("DELETE FROM snapshots WHERE hash = ?", (hash_,))
        store.writer.forget_snapshot(hash_)
