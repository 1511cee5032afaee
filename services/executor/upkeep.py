"""Keeps ``executor.db`` from growing for ever: old changes, executions that ended long ago.

And the idempotency keys of those that ended a day ago.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from services import exports
from services.errors import ServiceError
from services.executor import exporting, feed_rows, queries
from services.executor.core.model import ExecutionStatus
from services.executor.feed import Feed
from services.executor.queries import Ended
from services.executor.snapshots import Snapshots
from services.executor.statements import KEY_KEPT_MICROS
from services.executor.store import Store
from services.executor.tally import Tally
from services.executor.timers import now, wall

logger = logging.getLogger(__name__)

SNAPSHOT_IN_USE = "SELECT 1 FROM executions WHERE snapshot = ? LIMIT 1"

_MICROSECOND = timedelta(microseconds=1)
# A transaction keeps the commits of others waiting.
_CHANGES_AT_ONCE = 2_000
_EXECUTIONS_AT_ONCE = 100
_LOOKED_AT_ONCE = 2_000
_EXPORTED_AT_ONCE = 50
_KEYS_AT_ONCE = 500
MOST_OUTPUTS = 100_000
_SECONDS_AT_ONCE = 0.005
# Times as long as a chore took.
_REST = 4
_LONGEST_REST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What is kept for how long.

    Attributes:
        retention: Of an execution, from its end.
        changes_kept: Of the feed, by age; ``most_changes``: by number.
        every: How often it is looked after.
        export: The folder to which executions are written before they go; None: they go.
    """

    retention: timedelta = timedelta(days=7)
    changes_kept: timedelta = timedelta(hours=1)
    most_changes: int = 1_000_000
    every: timedelta = timedelta(seconds=60)
    export: Path | None = None

    async def run(
        self, store: Store, feed: Feed, tally: Tally, snapshots: Snapshots | None = None
    ) -> None:
        """Look after it for ever.

        Args:
            snapshots: What executions ran, for those that are exported.
        """
        while True:
            await asyncio.sleep(self.every.total_seconds())
            for chore in (
                partial(self.compact, store, feed),
                partial(self.clean, store, tally, snapshots),
                partial(self.forget_keys, store),
                partial(self.forget_events, store),
                partial(self.forget_outputs, store),
            ):
                # Each by itself: where nothing can be exported, all else goes still.
                try:
                    await chore()
                except (sqlite3.Error, ServiceError, OSError) as error:
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
                feed_rows.last_disposable, feed.floor, until, too_old, surplus
            )
            feed.floor = max(feed.floor, dropped)
            if feed.floor > before:
                await store.writer.chore(partial(_drop_changes, feed.floor))
            more = feed.floor == until

    async def forget_outputs(self, store: Store) -> None:
        """Drop the kept outputs of tasks whose time is up, and those that are too many."""
        gone = [_KEYS_AT_ONCE]
        while gone[-1] >= _KEYS_AT_ONCE:
            await store.writer.chore(partial(_forget_outputs, wall(), gone))

    async def clean(self, store: Store, tally: Tally, snapshots: Snapshots | None = None) -> None:
        """Drop the executions that ended too long ago, with the snapshots that only they had."""
        ended_before = wall() - self.retention // _MICROSECOND
        if self.export is not None:
            await asyncio.to_thread(exports.clear, self.export, exporting.WHAT)
        dropped, untold = 0, list[str]()
        place: tuple[int, int] | None = (-(2**63), 0)
        while place is not None:
            ended, place = await store.readers.read(
                queries.ended_before, ended_before, place, _LOOKED_AT_ONCE
            )
            if ended and self.export is not None and snapshots is not None:
                ended = await self._exported(store, snapshots, self.export, ended)
            dropped += await self._drop(store, tally, ended, untold)
        tally.dropped_before = max(ended_before, 0)
        if untold:
            what = "execution was" if len(untold) == 1 else "executions were"
            logger.warning("%d %s dropped before the end was told.", len(untold), what)
        if dropped:
            logger.info("%d executions that ended long ago were dropped.", dropped)
            for hash_ in await store.readers.read(queries.unused_snapshots):
                await store.writer.chore(partial(_drop_snapshot, store, hash_))

    async def _drop(self, store: Store, tally: Tally, ended: list[Ended], untold: list[str]) -> int:
        """Drop those of ``ended`` that have not run since; how many."""
        dropped, left = 0, deque(ended)
        while left:
            gone: list[str] = []
            some = [left.popleft() for _ in range(min(len(left), _EXECUTIONS_AT_ONCE))]
            begun = time.monotonic()
            await store.writer.chore(partial(_drop_executions, some, gone, untold))
            left.extendleft(reversed(some))
            dropped += len(gone)
            for status, number in Counter(gone).items():
                tally.count(ExecutionStatus(status), -number)
            # Whoever has units to write waits for a chore: there are to be few of them a second.
            await asyncio.sleep(min(_REST * (time.monotonic() - begun), _LONGEST_REST_SECONDS))
        store.words.forget([execution_id for execution_id, _ in ended])
        return dropped

    async def _exported(
        self, store: Store, snapshots: Snapshots, folder: Path, ended: list[Ended]
    ) -> list[Ended]:
        """Those of ``ended`` that are in files now."""
        done: list[Ended] = []
        while ended:
            export = await asyncio.to_thread(exports.Export, folder, exporting.WHAT, now())
            try:
                written: list[Ended] = []
                while ended and export.chars < exporting.MOST_CHARS:
                    some, ended = ended[:_EXPORTED_AT_ONCE], ended[_EXPORTED_AT_ONCE:]
                    begun = time.monotonic()
                    told = await store.readers.read(exporting.lines_of, some, snapshots)
                    await asyncio.to_thread(export.write, [line for _, line in told])
                    written += [each for each, _ in told]
                    await asyncio.sleep(time.monotonic() - begun)
                await asyncio.to_thread(export.done if written else export.drop)
            except BaseException:
                export.drop()
                raise
            done += written
        return done

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


def _forget_outputs(at: int, gone: list[int], db: sqlite3.Connection) -> None:
    """Drops some of the kept outputs whose time is up, and of more than may be the oldest."""
    dropped = db.execute(
        "DELETE FROM kept_outputs WHERE key IN (SELECT key FROM kept_outputs WHERE until <= max(?, "
        "coalesce((SELECT until - 1 FROM kept_outputs ORDER BY until DESC LIMIT 1 OFFSET ?), 0)) "
        "ORDER BY until LIMIT ?)",
        (at, MOST_OUTPUTS, _KEYS_AT_ONCE),
    ).rowcount
    gone.append(dropped)


def _forget_events(before: int, gone: list[int], db: sqlite3.Connection) -> None:
    """Drops some of what was done with before that time, and notes how much in ``gone``.

    A delivery that is kept for a task which may still begin to wait stays.
    """
    dropped = [
        db.execute(
            "DELETE FROM event_runs WHERE seq IN (SELECT seq FROM event_runs WHERE at < ? LIMIT ?)",
            (before, _KEYS_AT_ONCE),
        ).rowcount,
        db.execute(
            "DELETE FROM event_messages WHERE seq IN (SELECT seq FROM event_messages "
            "WHERE done_at IS NOT NULL AND done_at < ? "
            "AND (kept_until IS NULL OR kept_until <= ?) LIMIT ?)",
            (before, wall(), _KEYS_AT_ONCE),
        ).rowcount,
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
    ended: list[Ended], gone: list[str], untold: list[str], db: sqlite3.Connection
) -> None:
    """Takes from ``ended`` the first, as many as there is time for, and drops them.

    The status of each is noted in ``gone``, those whose end was still to be told in ``untold``.
    """
    end = time.monotonic() + _SECONDS_AT_ONCE
    while ended and time.monotonic() < end:
        each, ended_at = ended.pop(0)
        # One that has run since it was looked up stays.
        row = db.execute(
            "DELETE FROM executions WHERE id = ? AND ended_at = ? RETURNING status",
            (each, ended_at),
        ).fetchone()
        if row is None:
            continue
        gone.append(row[0])
        db.execute("DELETE FROM tasks WHERE execution_id = ?", (each,))
        db.execute("DELETE FROM timers WHERE execution_id = ?", (each,))
        db.execute("DELETE FROM task_logs WHERE execution_id = ?", (each,))
        db.execute("DELETE FROM retries_heard WHERE execution_id = ?", (each,))
        told = db.execute(
            "DELETE FROM webhooks WHERE execution_id = ? RETURNING next_at", (each,)
        ).fetchall()
        untold.extend(each for (next_at,) in told if next_at is not None)


def _drop_snapshot(store: Store, hash_: str, db: sqlite3.Connection) -> None:
    used = db.execute(SNAPSHOT_IN_USE, (hash_,)).fetchone()
    if used is None:
        db.execute("DELETE FROM snapshots WHERE hash = ?", (hash_,))
        store.writer.forget_snapshot(hash_)
