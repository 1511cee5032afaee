"""The feed of changes as rows: functions of a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from services.executor.rows import Row
from services.executor.states import GONE

# By how much units may be written in another order than they were decided in.
_DISORDER_MICROSECONDS = 10_000_000
# Where the times of the feed are looked at, to see whether the clock was set back meanwhile.
_PROBES = 256


def revisions(db: sqlite3.Connection) -> tuple[int, int]:
    """The last revision that was handed out, and the one before the oldest that is kept."""
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    head = last[0] if last else 0
    oldest = db.execute("SELECT min(revision) FROM changes").fetchone()[0]
    return head, head if oldest is None else oldest - 1


def changes(
    db: sqlite3.Connection, after: int, until: int, limit: int, execution_id: str = ""
) -> list[Row]:
    """(revision, execution id, workflow, state) after a revision, up to and with another.

    Those of one execution are looked for here: to hand out all of them takes five times as long.
    """
    one = "AND execution_id = ? " if execution_id else ""
    return db.execute(
        "SELECT revision, execution_id, workflow, state FROM changes "
        f"WHERE revision > ? AND revision <= ? {one}ORDER BY revision LIMIT ?",
        (after, until, *((execution_id,) if execution_id else ()), limit),
    ).fetchall()


def changes_of(
    db: sqlite3.Connection, execution_id: str, first: int, last: int, since: int = 0
) -> Iterator[tuple[int, str]]:
    """(revision, state) of one execution's changes that were made between two times, in order.

    What was made at a time is found by halving: the feed is nearly in that order.

    Args:
        since: The revision with which they begin, whenever it was made; 0: by time.
    """
    head, floor = revisions(db)
    disorder = _disorder(db, floor + 1, head)
    low = since or _first_since(db, floor + 1, head, first - disorder)
    high = _first_since(db, low, head, last + disorder)
    yield from db.execute(
        "SELECT revision, state FROM changes "
        # One that is deleted while it is looked at has its last change in it.
        "WHERE revision BETWEEN ? AND ? AND execution_id = ? AND state != ? ORDER BY revision",
        (low, high, execution_id, GONE),
    )


def kept_since(db: sqlite3.Connection) -> int:
    """The time from which on all changes are kept; 0: from the beginning."""
    row = db.execute("SELECT revision, at FROM changes ORDER BY revision LIMIT 1").fetchone()
    return 0 if row is None or row[0] == 1 else int(row[1])


def _disorder(db: sqlite3.Connection, low: int, high: int) -> int:
    """By how much later than its followers a change may say that it was made."""
    latest = before = most = gap = 0
    for revision in range(low, high + 1, max((high - low) // _PROBES, 1)):
        row = db.execute("SELECT at FROM changes WHERE revision = ?", (revision,)).fetchone()
        at = before if row is None else int(row[0])
        most = max(most, latest - at)
        # What is between two probes is not seen.
        gap = max(gap, at - before) if before else 0
        latest, before = max(latest, at), at
    return _DISORDER_MICROSECONDS + (most + gap if most else 0)


def _first_since(db: sqlite3.Connection, low: int, high: int, at: int) -> int:
    """The first revision from ``low`` to ``high`` made at that time or later; else ``high``."""
    while low < high:
        middle = (low + high) // 2
        row = db.execute("SELECT at FROM changes WHERE revision = ?", (middle,)).fetchone()
        if row is not None and row[0] >= at:
            high = middle
        else:
            low = middle + 1
    return low


def last_disposable(
    db: sqlite3.Connection, after: int, until: int, too_old: int, surplus: int
) -> int:
    """The last revision in ``(after, until]`` that is too old, or is up to ``surplus``; else 0."""
    row = db.execute(
        "SELECT max(revision) FROM changes "
        "WHERE revision > ? AND revision <= ? AND (at < ? OR revision <= ?)",
        (after, until, too_old, surplus),
    ).fetchone()
    return row[0] or 0
