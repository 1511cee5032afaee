"""What is read of executions, and of what they wait for, from ``executor.db``: by id, or all of it.

Functions of a connection. What queries find is in :mod:`finding`, the feed in :mod:`feed_rows`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from services.executor.core.model import TaskStatus
from services.executor.documents import value_of
from services.executor.rows import EXECUTION_COLUMNS, TASK_COLUMNS, Row, weight
from services.executor.states import REASON_CHARS
from services.executor.webhook_rows import DELIVERY_COLUMNS, ORDER_COLUMNS

_EXECUTION = f"SELECT {', '.join(EXECUTION_COLUMNS)} FROM executions"
_TASKS = f"SELECT {', '.join(TASK_COLUMNS)} FROM tasks WHERE execution_id = ? ORDER BY sequence"
_NOTHING = {"input": "'null'", "output": "'null'", "memory": "'{}'"}
_LIGHT = ", ".join(_NOTHING.get(name, name) for name in TASK_COLUMNS)
_LIGHT_TASKS = f"""
    SELECT {_LIGHT} FROM tasks
    WHERE execution_id = ? AND ref IN (SELECT value FROM json_each(?)) ORDER BY sequence
"""
# As states.task_facts has them. Only who polls has polls.
LAST_POLL = "CASE WHEN poll_count > 0 THEN json_quote(json_extract(memory, '$.polls[#-1]')) END"
_TASK_STATE = f"""
    SELECT execution_id, id, ref, kind, name, status, attempt, iteration, sequence, poll_count,
        scheduled_at, started_at, ended_at, next_at, substr(reason, 1, ?),
        {LAST_POLL}
    FROM tasks
"""
_IDS_AT_ONCE = 500
# To sort all that run of a crowd takes too long where they are many.
_MOST_RUNNERS = 1000
_OPEN_TASK = tuple(status.value for status in TaskStatus if not status.final)
_WEBHOOK = f"SELECT {', '.join(ORDER_COLUMNS + DELIVERY_COLUMNS)} FROM webhooks"


def execution(
    db: sqlite3.Connection, execution_id: str, most: int | None = None
) -> tuple[Row, list[Row]] | None:
    """The rows of an execution and of all its attempts, in order.

    Args:
        most: Characters of their documents; beyond them no more rows are read.
    """
    row = execution_alone(db, execution_id)
    if row is None:
        return None
    attempts = db.execute(_TASKS, (execution_id,))
    if most is None:
        return row, attempts.fetchall()
    rows, left = [], most - weight(row)
    for each in attempts:
        rows.append(each)
        left -= weight(each)
        if left < 0:
            break
    return row, rows


def light_tasks(db: sqlite3.Connection, execution_id: str, refs: Collection[str]) -> list[Row]:
    """The rows of all attempts at ``refs``, without their documents, in order."""
    return db.execute(_LIGHT_TASKS, (execution_id, json.dumps([*refs]))).fetchall()


def execution_alone(db: sqlite3.Connection, execution_id: str) -> Row | None:
    """The row of an execution."""
    row: Row | None = db.execute(f"{_EXECUTION} WHERE id = ?", (execution_id,)).fetchone()
    return row


def snapshot(db: sqlite3.Connection, hash_: str) -> str | None:
    """The text of a snapshot."""
    row = db.execute("SELECT document FROM snapshots WHERE hash = ?", (hash_,)).fetchone()
    return None if row is None else row[0]


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


def standing(db: sqlite3.Connection, ids: Sequence[str]) -> list[Row]:
    """(id, status, created at, workflow) of those of ``ids`` that are there."""
    found: list[Row] = []
    for start in range(0, len(ids), _IDS_AT_ONCE):
        chunk = ids[start : start + _IDS_AT_ONCE]
        found += db.execute(
            "SELECT id, status, created_at, workflow FROM executions "
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


def open_of_workflows(db: sqlite3.Connection) -> dict[str, int]:
    """By workflow, how many executions have not ended; read from an index alone."""
    return dict(
        db.execute(
            "SELECT workflow, count(*) FROM executions INDEXED BY executions_running "
            "WHERE ended_at IS NULL GROUP BY workflow"
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


def slots_of(db: sqlite3.Connection, workflows: Collection[str]) -> set[bytes]:
    """The keys of slots that are held by executions of some workflows, and of no others."""
    rows = db.execute(
        "SELECT DISTINCT slot, workflow FROM executions INDEXED BY executions_in_slots "
        "WHERE slot != x'' AND ended_at IS NULL"
    ).fetchall()
    return {key for key, _ in rows} - {key for key, workflow in rows if workflow not in workflows}


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


def meta(db: sqlite3.Connection) -> dict[str, str]:
    """What the store says of itself: ``epoch`` and ``callback_key`` (hexadecimal)."""
    return dict(db.execute("SELECT name, value FROM meta"))


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
