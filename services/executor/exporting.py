"""Executions that are to go, as Conductor's JSON, a line each: see :mod:`services.exports`."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence

from services.executor.core.conductor import execution_json
from services.executor.documents import text_of
from services.executor.loading import load_whole
from services.executor.queries import Ended
from services.executor.snapshots import Snapshots

logger = logging.getLogger(__name__)

# As JSON text, before it is compressed.
MOST_CHARS = 64 << 20
# In the names of files.
WHAT = "executions"


def lines_of(
    db: sqlite3.Connection, ended: Sequence[Ended], snapshots: Snapshots
) -> list[tuple[Ended, str]]:
    """Executions as lines; what cannot be told, or runs again, is left out."""
    lines = []
    for each in ended:
        try:
            line = _line(db, each, snapshots)
        except sqlite3.Error:
            raise
        except Exception:
            # The outermost loop of an execution's rows: a fault of one must not keep the others.
            logger.exception("Execution %s cannot be exported, and stays.", each[0])
            continue
        if line:
            lines.append((each, line))
    return lines


def _line(db: sqlite3.Connection, ended: Ended, snapshots: Snapshots) -> str:
    execution_id, ended_at = ended
    row = db.execute("SELECT ended_at FROM executions WHERE id = ?", (execution_id,)).fetchone()
    if row is None or row[0] != ended_at:
        return ""
    loaded = load_whole(db, execution_id, snapshots)
    if loaded is None:
        return ""
    execution, document = loaded.execution, loaded.execution.workflow.document
    return text_of(execution_json(execution, loaded.attempts, document, loaded.origin.started_by))
