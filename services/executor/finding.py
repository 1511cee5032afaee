"""What queries find among the executions of ``executor.db``: functions of a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from services.executor.comparing import FITS, fits_text
from services.executor.conditions import (
    EXECUTION_TABLE,
    Prefix,
    Table,
    condition,
    is_of_common,
    matches,
    prefixes,
    several,
)
from services.executor.ordering import NEWEST, Order, Place
from services.executor.rows import Row
from services.query import NOTHING, Query

# What a state is made of; the documents stay where they are.
STATE_COLUMNS = (
    "id", "workflow", "version", "status", "created_at", "updated_at", "ended_at", "reason",
    "correlation_id", "started_by", "failed_refs",
)  # fmt: skip
# An index has all executions in the order of these.
_IN_ORDER = frozenset(("created_at", "workflow", "id"))
# To sort that many takes as long as to look through as many by time.
CROWD = 5000
# To look up that many rows takes longer than to look through them all.
MANY = 50_000
_OPEN = frozenset(("RUNNING", "PAUSED"))
_STATE = f"SELECT {', '.join(STATE_COLUMNS)} FROM executions"


def prepare(db: sqlite3.Connection) -> None:
    """Give a connection what conditions call."""
    db.create_function(FITS, 2, fits_text, deterministic=True)


def found(
    db: sqlite3.Connection,
    query: Query,
    now: datetime,
    before: Place | None,
    limit: int,
    order: Order = NEWEST,
    offset: int = 0,
) -> list[Row]:
    """Rows of :data:`STATE_COLUMNS` and, unless the order is plain, its keys.

    Args:
        before: The keys after which they begin.
        offset: How many of them are passed over.
    """
    many = None if order.keys[0] in _IN_ORDER else MANY
    known = crowded(db, query, EXECUTION_TABLE) | common(db, query, EXECUTION_TABLE, many)
    sql, values = condition(query, now, known)
    beyond, place = order.beyond(before)
    page = f"FROM executions WHERE {sql} {beyond}ORDER BY {order.clause()} LIMIT ?"
    if offset:
        page = f"{page} OFFSET {offset:d}"
    if order.keys[0] not in _IN_ORDER:
        # To sort numbers, and not whole rows, takes a third of the time where all are looked at.
        page = f"FROM executions WHERE rowid IN (SELECT rowid {page}) ORDER BY {order.clause()}"
    columns = f"{', '.join(STATE_COLUMNS)}{order.columns()}"
    return db.execute(f"SELECT {columns} {page}", (*values, *place, limit)).fetchall()


def state_of_one(db: sqlite3.Connection, execution_id: str) -> Row | None:
    """A row of :data:`STATE_COLUMNS`; None: there is none of that id."""
    row: Row | None = db.execute(f"{_STATE} WHERE id = ?", (execution_id,)).fetchone()
    return row


def crowded(db: sqlite3.Connection, query: Query, table: Table) -> frozenset[str]:
    """What :func:`condition` is to know of a query of which the first few by time are wanted."""
    columns = [each.column for each in prefixes(query, table) if is_crowded(db, each)]
    words = [
        each
        for each in matches(query)
        if db.execute(
            f"SELECT 1 FROM {table.index} WHERE {table.index.partition('.')[2]} MATCH ? "
            "LIMIT 1 OFFSET ?",
            (each, CROWD),
        ).fetchone()
    ]
    return frozenset((*columns, *words))


def common(
    db: sqlite3.Connection, query: Query, table: Table, otherwise: int | None = None
) -> frozenset[str]:
    """Columns of which ``query`` takes several texts that many have: no index finds them.

    What runs, or ended badly, is less, and in an index of its own.

    Args:
        otherwise: How many are too many of anything else. None: none are, for the first few
            executions by time are wanted; those the index has text by text, each in order.
    """
    most = CROWD if is_of_common(query, table) else otherwise
    if most is None:
        return frozenset()
    return frozenset(
        column
        for column, (sql, values) in several(query, table)
        if db.execute(
            f"SELECT 1 FROM {column.rpartition('.')[0] or 'executions'} "
            f"WHERE {sql} LIMIT 1 OFFSET ?",
            (*values, most),
        ).fetchone()
    )


def is_crowded(db: sqlite3.Connection, prefix: Prefix) -> bool:
    """Whether the range holds so many that those looked for are soon met by time."""
    table, _, _ = prefix.column.rpartition(".")
    rows = db.execute(
        f"SELECT 1 FROM {table or 'executions'} "
        f"WHERE {prefix.column} >= ? AND {prefix.column} < ? LIMIT 1 OFFSET ?",
        (prefix.first, prefix.after, CROWD),
    )
    return rows.fetchone() is not None


def running(
    db: sqlite3.Connection,
    query: Query,
    now: datetime,
    before: tuple[int, str] | None,
    limit: int,
) -> list[Row]:
    """As :func:`found`, of those that have not ended; of all others none is looked at."""
    if query == NOTHING:
        # To the database, the index would be none that could find them.
        return []
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
    sql, values = condition(query, now, common(db, query, EXECUTION_TABLE, MANY))
    return dict(
        db.execute(f"SELECT status, count(*) FROM executions WHERE {sql} GROUP BY status", values)
    )


def oldest(
    db: sqlite3.Connection, query: Query, now: datetime, statuses: Sequence[str], limit: int
) -> list[tuple[str, int]]:
    """(id, created at) of the oldest that a query finds and that stand there."""
    known = crowded(db, query, EXECUTION_TABLE) | common(db, query, EXECUTION_TABLE)
    sql, values = condition(query, now, known)
    open_ = "AND ended_at IS NULL " if _OPEN.issuperset(statuses) else ""
    return db.execute(
        f"SELECT id, created_at FROM executions WHERE {sql} {open_}"
        f"AND status IN ({','.join('?' * len(statuses))}) ORDER BY created_at, id LIMIT ?",
        (*values, *statuses, limit),
    ).fetchall()
