"""Who waits for a turn, or has one, and what was logged: read from their rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from sys import intern
from typing import NamedTuple

from services.executor.core.commands import Log
from services.executor.core.turns import MOST_LOG_LINES
from services.executor.documents import plain, text_of
from services.executor.rows import Row, micros

# What units have done beside their rows.
COUNT = "INSERT OR REPLACE INTO begun_tasks (name, at, task_id) VALUES (?, ?, ?)"
COUNT_OUT = "DELETE FROM begun_tasks WHERE name = ? AND at <= ?"
LOG = (
    "INSERT OR REPLACE INTO task_logs (execution_id, task_id, number, at, line) "
    "VALUES (?, ?, ?, ?, ?)"
)
# Numbered apart from what the attempt logged itself: where it is open again, that goes on.
LOG_LATE = """
    INSERT INTO task_logs (execution_id, task_id, number, at, line)
    SELECT ?1, ?2, first + late.key, json_extract(late.value, '$[0]'),
        json_extract(late.value, '$[1]')
    FROM json_each(?3) AS late, (
        SELECT count(*) AS known, max(?4, coalesce(max(number) + 1, 0)) AS first
        FROM task_logs WHERE execution_id = ?1 AND task_id = ?2
    )
    WHERE known + late.key < ?4 AND EXISTS (SELECT 1 FROM executions WHERE id = ?1)
"""
DROP_LOGS = "DELETE FROM task_logs WHERE execution_id = ?"


def late_row(execution_id: str, log: Log) -> Row:
    """What :data:`LOG_LATE` is given."""
    lines = [[micros(at), plain(line)] for at, line in log.lines]
    return execution_id, log.task_id, text_of(lines), MOST_LOG_LINES


class Turns(NamedTuple):
    """What :meth:`Queues.recover` begins with."""

    waiting: Sequence[Row]
    begun: Sequence[Row]
    last_at: int | None
    """When something was stored last, in microseconds; None: nothing was."""


NO_TURNS = Turns((), (), None)


def turns(db: sqlite3.Connection) -> Turns:
    """As the rows have them."""
    last = db.execute("SELECT at FROM changes ORDER BY revision DESC LIMIT 1").fetchone()
    return Turns(in_queues(db), begun_tasks(db), last and last[0])


def in_queues(db: sqlite3.Connection) -> list[Row]:
    """Tasks that wait for their turn, or have it, in order.

    (task id, execution id, name, queue, status, worker id, priority, since when, limits, carrier,
    poll count); the limits are JSON text, null: there are none, as with the carrier.
    """
    rows = db.execute(
        """
        SELECT tasks.id, execution_id, name, queue, tasks.status, worker_id, priority,
            tasks.updated_at, json_extract(memory, '$.limits'), json_extract(memory, '$.carrier'),
            poll_count
        FROM tasks INDEXED BY tasks_in_queues
        JOIN executions ON executions.id = execution_id
        WHERE queue != '' AND tasks.ended_at IS NULL
        AND (tasks.status = 'IN_PROGRESS' OR next_at IS NULL AND held = 0)
        ORDER BY tasks.updated_at
        """
    )
    # Of 200,000 that wait most have the same words: kept once, they take a third less.
    return [(*row[:2], *map(intern, row[2:6]), *row[6:]) for row in rows]


def begun_tasks(db: sqlite3.Connection) -> list[Row]:
    """(name, at) of tasks whose rate is limited, in order."""
    return db.execute("SELECT name, at FROM begun_tasks ORDER BY at").fetchall()


def task_logs(db: sqlite3.Connection, execution_id: str, task_id: str) -> list[Row]:
    """(at, line) of the log of a task, in order."""
    return db.execute(
        "SELECT at, line FROM task_logs WHERE execution_id = ? AND task_id = ? ORDER BY number",
        (execution_id, task_id),
    ).fetchall()
