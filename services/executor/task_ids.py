"""Of which execution an attempt is that is known by its id alone."""

from __future__ import annotations

import sqlite3

from services.errors import NotFound
from services.executor.core.identity import shared_with
from services.executor.queues import Queues
from services.executor.readers import Readers

# Their ids begin alike where they began in one millisecond, or by design of whoever chose them.
_MOST_ALIKE = 1000


def not_there(task_id: str) -> NotFound:
    """What is said of a task that is not there, or that the caller knows nothing of."""
    return NotFound(f"Task not found for taskId: {task_id}", task_id=task_id)


async def execution_of(task_id: str, queues: Queues, readers: Readers) -> str:
    """The id of the execution. Raises :class:`NotFound`."""
    known = queues.execution_of(task_id)
    if known:
        return known
    first, beyond = shared_with(task_id)
    found = await readers.read(_with_task, task_id, first, beyond) if first else ""
    if not found:
        raise not_there(task_id)
    return found


def _with_task(db: sqlite3.Connection, task_id: str, first: str, beyond: str) -> str:
    alike = db.execute(
        "SELECT id FROM executions WHERE id >= ? AND id < ? LIMIT ?", (first, beyond, _MOST_ALIKE)
    )
    for (execution_id,) in alike.fetchall():
        row = db.execute(
            "SELECT 1 FROM tasks WHERE execution_id = ? AND id = ?", (execution_id, task_id)
        ).fetchone()
        if row is not None:
            return str(execution_id)
    return ""
