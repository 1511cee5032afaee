"""Many executions at once: copies of some that ran, rows with rows, in a home that does not run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

_SHIFTED = ("created_at", "updated_at", "ended_at", "scheduled_at", "started_at")
_IDS = ("id", "execution_id", "parent_id", "parent_task_id", "task_id", "retried_id")
_TABLES = (("executions", "id"), ("tasks", "execution_id"), ("timers", "execution_id"))


def copy(
    home: Path, ids: Sequence[str], count: int, *, first: int, apart_seconds: float = 0.0
) -> None:
    """``count`` copies of the executions ``ids``, which belong together, tasks and timers too.

    Args:
        first: The number of the first copy; no two copies of one execution may have the same.
        apart_seconds: How much longer ago each of them was than the one before.
    """
    with closing(sqlite3.connect(home / "executor.db")) as db:
        # A home that is cut off here is thrown away.
        db.execute("PRAGMA synchronous=OFF")
        with db:
            for table, key in _TABLES:
                _copy(db, table, key, ids, (first, count), round(apart_seconds * 1e6))
    # Else whoever syncs it first waits for all of it.
    with (home / "executor.db").open("rb") as file:
        os.fsync(file.fileno())


def _copy(
    db: sqlite3.Connection,
    table: str,
    key: str,
    ids: Sequence[str],
    numbers: tuple[int, int],
    apart: int,
) -> None:
    first, count = numbers
    columns = [str(row[1]) for row in db.execute(f"PRAGMA table_info({table})")]
    copied = ", ".join(_copied(table, column, ids, apart) for column in columns)
    db.execute(
        f"""
        WITH RECURSIVE number (n) AS
            (SELECT ? UNION ALL SELECT n + 1 FROM number WHERE n < ?)
        INSERT INTO {table} ({", ".join(columns)}) SELECT {copied}
        FROM number CROSS JOIN (SELECT * FROM {table} WHERE {key} IN
            ({",".join("?" * len(ids))})) AS source
        """,
        (first, first + count - 1, *ids),
    )


def _copied(table: str, column: str, ids: Sequence[str], apart: int) -> str:
    source = f"source.{column}"
    if column in _IDS:
        return f"CASE {source} WHEN '' THEN '' ELSE {_id(source)} END"
    if table == "tasks" and column == "output":
        for each in ids:
            source = f"replace({source}, '{each}', {_id(repr(each))})"
        return source
    if column in _SHIFTED:
        return f"{source} - (n * {apart})"
    return source


def _id(text: str) -> str:
    return f"printf('%08x', n) || substr({text}, 9)"


def spoil(home: Path) -> None:
    """Have the index of words made anew, as after an update."""
    for end in ("", "-wal", "-shm"):
        (home / f"executor-search.db{end}").unlink(missing_ok=True)
