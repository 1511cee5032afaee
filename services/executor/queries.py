"""What is read from ``executor.db``: functions of a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from services.executor.conditions import (
    EXECUTION_TABLE,
    FITS,
    Prefix,
    Table,
    condition,
    fits_text,
    matches,
    prefixes,
)
from services.executor.core.model import TaskStatus
from services.executor.documents import value_of
from services.executor.ordering import NEWEST, Order, Place
from services.executor.rows import EXECUTION_COLUMNS, TASK_COLUMNS, Row
from services.executor.states import GONE, REASON_CHARS
from services.executor.webhook_rows import DELIVERY_COLUMNS, ORDER_COLUMNS
from services.query import Query

_EXECUTION = f"SELECT {', '.join(EXECUTION_COLUMNS)} FROM executions"
_TASKS = f"SELECT {', '.join(TASK_COLUMNS)} FROM tasks WHERE execution_id = ? ORDER BY sequence"

# What a state is made of; the documents stay where they are.
STATE_COLUMNS = (
    "id", "workflow", "version", "status", "created_at", "updated_at", "ended_at", "reason",
    "correlation_id", "started_by", "failed_refs",
)  # fmt: skip
# As states.task_facts has them. Only who polls has polls.
LAST_POLL = "CASE WHEN poll_count > 0 THEN json_quote(json_extract(memory, '$.polls[#-1]')) END"
_TASK_STATE = f"""
    SELECT execution_id, id, ref, kind, name, status, attempt, iteration, sequence, poll_count,
        scheduled_at, started_at, ended_at, next_at, substr(reason, 1, ?),
        {LAST_POLL}
    FROM tasks
"""
_IDS_AT_ONCE = 500
# An index has all executions in the order of these.
_IN_ORDER = frozenset(("created_at", "workflow", "id"))
# By how much units may be written in another order than they were decided in.
_DISORDER_MICROSECONDS = 10_000_000
# Where the times of the feed are looked at, to see whether the clock was set back meanwhile.
_PROBES = 256
# To sort that many takes as long as to look through as many by time.
_CROWD = 5000
# To sort all that run of a crowd takes too long where they are many.
_MOST_RUNNERS = 1000
_OPEN_TASK = tuple(status.value for status in TaskStatus if not status.final)
_OPEN = frozenset(("RUNNING", "PAUSED"))
_STATE = f"SELECT {', '.join(STATE_COLUMNS)} FROM executions"
_WEBHOOK = f"SELECT {', '.join(ORDER_COLUMNS + DELIVERY_COLUMNS)} FROM webhooks"


def prepare(db: sqlite3.Connection) -> None:
    """Give a connection what conditions call."""
    db.create_function(FITS, 2, fits_text, deterministic=True)


def execution(db: sqlite3.Connection, execution_id: str) -> tuple[Row, list[Row]] | None:
    """The rows of an execution and of all its attempts, in order."""
    row = db.execute(f"{_EXECUTION} WHERE id = ?", (execution_id,)).fetchone()
    if row is None:
        return None
    return row, db.execute(_TASKS, (execution_id,)).fetchall()


def execution_alone(db: sqlite3.Connection, execution_id: str) -> Row | None:
    """The row of an execution."""
    row: Row | None = db.execute(f"{_EXECUTION} WHERE id = ?", (execution_id,)).fetchone()
    return row


def snapshot(db: sqlite3.Connection, hash_: str) -> str | None:
    """The text of a snapshot."""
    row = db.execute("SELECT document FROM snapshots WHERE hash = ?", (hash_,)).fetchone()
    return None if row is None else row[0]


def found(
    db: sqlite3.Connection,
    query: Query,
    now: datetime,
    before: Place | None,
    limit: int,
    order: Order = NEWEST,
) -> list[Row]:
    """Rows of :data:`STATE_COLUMNS` and, unless the order is plain, its keys.

    Args:
        before: The keys after which they begin.
    """
    sql, values = _by_time(db, query, now)
    beyond, place = order.beyond(before)
    page = f"FROM executions WHERE {sql} {beyond}ORDER BY {order.clause()} LIMIT ?"
    if order.keys[0] not in _IN_ORDER:
        # To sort numbers, and not whole rows, takes a third of the time where all are looked at.
        page = f"FROM executions WHERE rowid IN (SELECT rowid {page}) ORDER BY {order.clause()}"
    columns = f"{', '.join(STATE_COLUMNS)}{order.columns()}"
    return db.execute(f"SELECT {columns} {page}", (*values, *place, limit)).fetchall()


def _by_time(db: sqlite3.Connection, query: Query, now: datetime) -> tuple[str, tuple[object, ...]]:
    """The condition of a query of which the first few by time are wanted, and no more."""
    return condition(query, now, crowded(db, query, EXECUTION_TABLE))


def crowded(db: sqlite3.Connection, query: Query, table: Table) -> frozenset[str]:
    """What :func:`condition` is to know of a query of which the first few by time are wanted."""
    columns = [each.column for each in prefixes(query, table) if is_crowded(db, each)]
    words = [
        each
        for each in matches(query)
        if db.execute(
            f"SELECT 1 FROM {table.index} WHERE {table.index.partition('.')[2]} MATCH ? "
            "LIMIT 1 OFFSET ?",
            (each, _CROWD),
        ).fetchone()
    ]
    return frozenset((*columns, *words))


def is_crowded(db: sqlite3.Connection, prefix: Prefix) -> bool:
    """Whether the range holds so many that those looked for are soon met by time."""
    table, _, _ = prefix.column.rpartition(".")
    rows = db.execute(
        f"SELECT 1 FROM {table or 'executions'} "
        f"WHERE {prefix.column} >= ? AND {prefix.column} < ? LIMIT 1 OFFSET ?",
        (prefix.first, prefix.after, _CROWD),
    )
    return rows.fetchone() is not None


def open_tasks(db: sqlite3.Connection, execution_ids: Sequence[str]) -> dict[str, list[list[Any]]]:
    """Of executions' open attempts, in order, what :func:`states.task_facts` says of them.

    Documents are not read: many executions run, each with large ones.
    """
    rows = db.execute(
        f"{_TASK_STATE} WHERE execution_id IN ({','.join('?' * len(execution_ids))}) "
        f"AND status IN ({','.join('?' * len(_OPEN_TASK))}) ORDER BY execution_id, sequence",
        (REASON_CHARS, *execution_ids, *_OPEN_TASK),
    )
    found: dict[str, list[list[Any]]] = {}
    for execution_id, *facts, poll in rows:
        tasks = found.setdefault(execution_id, [])
        tasks.append([*facts, None if poll is None else value_of(poll)])
    return found


def running(
    db: sqlite3.Connection,
    query: Query,
    now: datetime,
    before: tuple[int, str] | None,
    limit: int,
) -> list[Row]:
    """As :func:`found`, of those that have not ended; of all others none is looked at."""
    sql, values = condition(query, now)
    place = "" if before is None else "AND (created_at, id) < (?, ?) "
    return db.execute(
        f"{_STATE} INDEXED BY executions_running WHERE ended_at IS NULL AND {sql} {place}"
        "ORDER BY created_at DESC, id DESC LIMIT ?",
        (*values, *(before or ()), limit),
    ).fetchall()


def matching(db: sqlite3.Connection, query: Query, now: datetime, ids: Sequence[str]) -> set[str]:
    """Which of ``ids``, at most some hundred, a query finds."""
    # However few have the words: these alone are looked up.
    sql, values = condition(query, now, frozenset(matches(query)))
    # A statement left to itself may look through all that the condition is true of.
    rows = db.execute(
        "SELECT id FROM executions INDEXED BY sqlite_autoindex_executions_1 "
        f"WHERE id IN ({','.join('?' * len(ids))}) AND {sql}",
        (*ids, *values),
    )
    return {row[0] for row in rows}


def counts_of(db: sqlite3.Connection, query: Query, now: datetime) -> dict[str, int]:
    """By status, how many executions a query finds."""
    sql, values = condition(query, now)
    return dict(
        db.execute(f"SELECT status, count(*) FROM executions WHERE {sql} GROUP BY status", values)
    )


def oldest(
    db: sqlite3.Connection, query: Query, now: datetime, statuses: Sequence[str], limit: int
) -> list[tuple[str, int]]:
    """(id, created at) of the oldest that a query finds and that stand there."""
    sql, values = _by_time(db, query, now)
    open_ = "AND ended_at IS NULL " if _OPEN.issuperset(statuses) else ""
    return db.execute(
        f"SELECT id, created_at FROM executions WHERE {sql} {open_}"
        f"AND status IN ({','.join('?' * len(statuses))}) ORDER BY created_at, id LIMIT ?",
        (*values, *statuses, limit),
    ).fetchall()


def standing(db: sqlite3.Connection, ids: Sequence[str]) -> list[Row]:
    """(id, status, created at) of those of ``ids`` that are there."""
    found: list[Row] = []
    for start in range(0, len(ids), _IDS_AT_ONCE):
        chunk = ids[start : start + _IDS_AT_ONCE]
        found += db.execute(
            "SELECT id, status, created_at FROM executions "
            f"WHERE id IN ({','.join('?' * len(chunk))})",
            chunk,
        )
    return found


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """By status, how many executions there are; read from indexes alone."""
    return dict(
        db.execute(
            "SELECT status, count(*) FROM executions INDEXED BY executions_running "
            "WHERE ended_at IS NULL GROUP BY status UNION ALL "
            "SELECT status, count(*) FROM executions INDEXED BY executions_ended "
            "WHERE ended_at IS NOT NULL GROUP BY status"
        )
    )


def slots_held(db: sqlite3.Connection) -> dict[bytes, int]:
    """By key, how many executions hold a slot."""
    return dict(
        db.execute(
            "SELECT slot, count(*) FROM executions INDEXED BY executions_in_slots "
            "WHERE slot != x'' AND ended_at IS NULL GROUP BY slot"
        )
    )


Runner = tuple[str, int]
"""Of an execution: id, when it was started in microseconds."""

Holder = tuple[str, str, int, str]
"""Of an execution: id, the workflow's name, when it began in microseconds, what answers for it."""


def slot_holders(
    db: sqlite3.Connection, keys: Sequence[bytes], most: int
) -> dict[bytes, list[Holder]]:
    """By key, the oldest executions that hold a slot of it, at most so many."""
    return {
        key: db.execute(
            "SELECT id, workflow, created_at, answer FROM executions "
            "INDEXED BY executions_in_slots "
            "WHERE slot = ? AND slot != x'' AND ended_at IS NULL ORDER BY rowid LIMIT ?",
            (key, most),
        ).fetchall()
        for key in keys
    }


def crowd_runners(
    db: sqlite3.Connection, keys: Sequence[bytes], most: int
) -> dict[bytes, list[Runner]]:
    """By key, executions that hold a slot among those of their workflow: at most so many."""
    return {
        key: db.execute(
            "SELECT e.id, e.created_at FROM "
            "(SELECT execution_id FROM crowds WHERE key = ? LIMIT ?) AS c "
            "CROSS JOIN executions AS e ON e.id = c.execution_id ORDER BY e.rowid LIMIT ?",
            (key, _MOST_RUNNERS, most),
        ).fetchall()
        for key in keys
    }


def is_there(db: sqlite3.Connection, execution_id: str) -> bool:
    """Whether there is such an execution."""
    row = db.execute("SELECT 1 FROM executions WHERE id = ?", (execution_id,)).fetchone()
    return row is not None


def interrupted(db: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """(execution id, task id, number) of every effect that was under way."""
    return db.execute(
        "SELECT execution_id, id, pending FROM tasks INDEXED BY tasks_pending WHERE pending > 0"
    ).fetchall()


def kept_output(db: sqlite3.Connection, key: bytes, at: int) -> str | None:
    """The output, as JSON text, that is kept under ``key``; None: there is none."""
    row = db.execute(
        "SELECT output FROM kept_outputs WHERE key = ? AND until > ?", (key, at)
    ).fetchone()
    return None if row is None else str(row[0])


def crowds(db: sqlite3.Connection) -> dict[bytes, int]:
    """By key, how many executions hold a slot among those of their workflow."""
    return dict(db.execute("SELECT key, count(*) FROM crowds GROUP BY key"))


def not_begun(db: sqlite3.Connection) -> list[str]:
    """Executions that were stored by another one, and have not begun, the oldest first."""
    rows = db.execute(
        "SELECT id FROM executions INDEXED BY executions_not_begun "
        "WHERE next_sequence = 1 AND ended_at IS NULL ORDER BY rowid"
    )
    return [row[0] for row in rows]


def timers(db: sqlite3.Connection, until: int, limit: int) -> Sequence[Row]:
    """(execution id, task id, name, at) of timers up to ``until``, the soonest first."""
    return db.execute(
        "SELECT execution_id, task_id, name, at FROM timers WHERE at <= ? ORDER BY at LIMIT ?",
        (until, limit),
    ).fetchall()


def webhook(db: sqlite3.Connection, execution_id: str) -> Row | None:
    """The row, of all columns, of who is to be told of an execution's end."""
    row: Row | None = db.execute(f"{_WEBHOOK} WHERE execution_id = ?", (execution_id,)).fetchone()
    return row


def webhooks_due(db: sqlite3.Connection, until: int, limit: int, passed_over: str) -> Sequence[Row]:
    """As :func:`timers`: (execution id, receiver, name, at) of what is to be told up to ``until``.

    Args:
        passed_over: A JSON list of receivers that are left out.
    """
    return db.execute(
        "SELECT execution_id, receiver, 'webhook', next_at FROM webhooks INDEXED BY webhooks_due "
        "WHERE next_at IS NOT NULL AND next_at <= ? "
        "AND receiver NOT IN (SELECT value FROM json_each(?)) ORDER BY next_at LIMIT ?",
        (until, passed_over, limit),
    ).fetchall()


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


def meta(db: sqlite3.Connection) -> dict[str, str]:
    """What the store says of itself: ``epoch`` and ``callback_key`` (hexadecimal)."""
    return dict(db.execute("SELECT name, value FROM meta"))


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


Ended = tuple[str, int]
"""(execution id, ended at) of one that has ended, in microseconds."""

# A child goes with those above it: after the last of them has ended long ago, or is gone.
_ANCESTOR_STAYS = """
    EXISTS (
        WITH RECURSIVE above (id) AS (
            SELECT executions.parent_id
            UNION SELECT kin.parent_id FROM above CROSS JOIN executions AS kin ON kin.id = above.id
            WHERE kin.parent_id != ''
        )
        SELECT 1 FROM above CROSS JOIN executions AS kin ON kin.id = above.id
        WHERE kin.ended_at IS NULL OR kin.ended_at >= ?
    )
"""


def ended_before(
    db: sqlite3.Connection, at: int, after: tuple[int, int], limit: int
) -> tuple[list[Ended], tuple[int, int] | None]:
    """Executions that ended before a time and may go, the earliest first, of the next ``limit``.

    Args:
        after: (ended at, rowid) of the last that was looked at.

    Returns:
        Them, and the last that was looked at; None: there are no more.
    """
    rows = db.execute(
        f"""
        SELECT id, ended_at, rowid, parent_id != '' AND {_ANCESTOR_STAYS}
        FROM executions INDEXED BY executions_ended
        WHERE ended_at IS NOT NULL AND ended_at < ? AND ended_at >= ?
        AND (ended_at, rowid) > (?, ?) ORDER BY ended_at, rowid LIMIT ?
        """,
        (at, at, after[0], *after, limit),
    ).fetchall()
    last = rows[-1][1:3] if len(rows) == limit else None
    return [(id_, ended_at) for id_, ended_at, _, stays in rows if not stays], last


def unused_snapshots(db: sqlite3.Connection) -> list[str]:
    """Snapshots that no execution has, as things stand."""
    rows = db.execute(
        "SELECT hash FROM snapshots "
        "WHERE NOT EXISTS (SELECT 1 FROM executions WHERE snapshot = snapshots.hash)"
    )
    return [row[0] for row in rows]
