"""What a restored ``executor.db`` is told before it is gone on with, and what it remembers of that.

Executions that were under way wait until somebody resumes them: what they did after the copy was
made is not known here, and would be done again. They are paused, and rows of ``restored``, which
has their timers, their interrupted calls and what they have in workers' queues wait, too.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from sqlite_utils import Database

TABLE = (
    "CREATE TABLE IF NOT EXISTS restored (execution_id TEXT PRIMARY KEY, was TEXT NOT NULL) "
    "STRICT, WITHOUT ROWID"
)
_STILL_HELD = (
    "SELECT 1 FROM restored CROSS JOIN executions ON executions.id = restored.execution_id "
    "WHERE restored.execution_id = timers.execution_id AND executions.status = 'PAUSED'"
)


@dataclass(frozen=True, slots=True)
class Restoration:
    """That a store was restored.

    Attributes:
        made_at: When its backup was made, and ``at`` when it was restored: microseconds since
            the epoch.
        held: Executions that wait since then, and whether they ran before (else they were paused).
    """

    made_at: int = 0
    at: int = 0
    held: tuple[tuple[str, bool], ...] = ()


def standing(db: Database) -> dict[str, Any]:
    """Its epoch, and the revision of its last change."""
    meta = dict(db.execute("SELECT name, value FROM meta").fetchall())
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return {"epoch": meta["epoch"], "revision": row[0] if row else 0}


def renew(db: Database, made_at: int, now: int, *, held: bool) -> int:
    """Make of a copy a store of its own; how many executions were under way.

    Args:
        held: Whether those wait until they are resumed.
    """
    db.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", [token_hex(8)])
    db.execute("DELETE FROM meta WHERE name = 'restored'")
    note = json.dumps({"made_at": made_at, "at": now})
    db.execute("INSERT INTO meta VALUES ('restored', ?)", [note])
    db.execute(TABLE)
    # What waited in the copied store since an earlier time goes on to wait.
    db.execute(
        "DELETE FROM restored WHERE execution_id NOT IN "
        "(SELECT id FROM executions WHERE status = 'PAUSED')"
    )
    if db.table("schedules").exists():
        # What was due between the copy and now has been run, or was meant for then.
        db.execute("UPDATE schedules SET since = max(since, ?)", [now])
    (open_,) = db.execute("SELECT count(*) FROM executions WHERE ended_at IS NULL").fetchone()
    if held:
        db.execute(
            "INSERT OR IGNORE INTO restored "
            "SELECT id, status FROM executions WHERE ended_at IS NULL"
        )
        db.execute("UPDATE executions SET status = 'PAUSED' WHERE ended_at IS NULL")
    return int(open_)


def restoration(db: sqlite3.Connection) -> Restoration:
    """What is known of it; of a store that never was restored, nothing."""
    row = db.execute("SELECT value FROM meta WHERE name = 'restored'").fetchone()
    if row is None:
        return Restoration()
    note = json.loads(row[0])
    held = db.execute(
        "SELECT execution_id, was != 'PAUSED' FROM restored "
        "CROSS JOIN executions ON id = execution_id WHERE status = 'PAUSED'"
    )
    return Restoration(note["made_at"], note["at"], tuple((id_, bool(ran)) for id_, ran in held))


def let_go(execution_id: str, db: sqlite3.Connection) -> None:
    """It goes on, or has ended."""
    db.execute("DELETE FROM restored WHERE execution_id = ?", (execution_id,))


def timers(db: sqlite3.Connection, until: int, limit: int) -> Sequence[tuple[Any, ...]]:
    """As :func:`queries.timers`, without those of executions that wait since the store is here."""
    return db.execute(
        "SELECT execution_id, task_id, name, at FROM timers "
        f"WHERE at <= ? AND NOT EXISTS ({_STILL_HELD}) ORDER BY at LIMIT ?",
        (until, limit),
    ).fetchall()
