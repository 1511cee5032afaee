"""How many there are of what a list asks for: exactly where that is cheap, else as a bound."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import cast

from services.executor.conditions import EXECUTION_TABLE, TASK_TABLE, Table, condition
from services.executor.core.model import ExecutionStatus
from services.executor.finding import common, crowded
from services.executor.searches import Searches
from services.executor.tally import Tally
from services.query import EVERYTHING, Query, Term

MOST = 10_000
_WITHIN = timedelta(seconds=1)

Total = tuple[int, bool]
"""How many, and whether there may be more."""


async def of_executions(
    searches: Searches, query: Query, now: datetime, tally: Tally | None
) -> Total:
    """How many executions a query finds; of what the tally counts, exactly."""
    counts = None if tally is None else _tallied(query, tally)
    if counts is not None:
        return counts, False
    return await searches.search(counted, query, now, EXECUTION_TABLE, within=_WITHIN)


async def of_tasks(searches: Searches, query: Query, now: datetime) -> Total:
    """How many tasks a query finds."""
    return await searches.search(counted, query, now, TASK_TABLE, within=_WITHIN)


def _tallied(query: Query, tally: Tally) -> int | None:
    counts = tally.counts()
    match query:
        case Term(name="status", operator="=", values=statuses):
            return sum(counts[ExecutionStatus(cast("str", each))] for each in statuses)
        case _ if query == EVERYTHING:
            return sum(counts.values())
        case _:
            return None


def counted(
    db: sqlite3.Connection, query: Query, now: datetime, table: Table, most: int = MOST
) -> Total:
    """How many rows of ``table`` a query finds; as far as it came where that takes too long."""
    known = crowded(db, query, table) | common(db, query, table)
    sql, values = condition(query, now, known, table)
    rows = db.execute(f"SELECT 1 FROM {table.source} WHERE {sql} LIMIT ?", (*values, most + 1))
    count = 0
    try:
        for _ in rows:
            count += 1
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return count, True
    return min(count, most), count > most
