"""A home with a long past: executions that have ended, more than one would run for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

# One a second, back from the newest.
_APART_MICROSECONDS = 1_000_000
_SHIFTED = ("created_at", "updated_at", "ended_at")


def multiply(home: Path, count: int) -> None:
    """Have ``count`` ended executions in a home whose suite does not run: copies of those there.

    Raises:
        RuntimeError: None has ended there.
    """
    with closing(sqlite3.connect(home / "executor.db")) as db, db:
        columns = [str(row[1]) for row in db.execute("PRAGMA table_info(executions)")]
        ended = db.execute("SELECT count(*) FROM executions WHERE ended_at IS NOT NULL")
        there: int = ended.fetchone()[0]
        if not there:
            raise RuntimeError("There is no ended execution to copy.")
        db.execute(
            f"""
            WITH RECURSIVE number (n) AS
                (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
            INSERT INTO executions ({", ".join(columns)})
            SELECT {", ".join(map(_copied, columns))}
            FROM number JOIN (SELECT *, row_number() OVER () - 1 AS place
                              FROM executions WHERE ended_at IS NOT NULL) AS source
                        ON source.place = number.n % ?
            """,
            (count - there, there),
        )


def _copied(column: str) -> str:
    if column == "id":
        return "substr(source.id, 1, 19) || lower(hex(randomblob(2))) || printf('-%012x', n)"
    if column in _SHIFTED:
        return f"source.{column} - n * {_APART_MICROSECONDS}"
    return f"source.{column}"
