"""Schedules and their runs as rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.executor.documents import plain
from services.executor.launching import Note
from services.executor.rows import micros, moment
from services.executor.scheduling.schedule import Due, Missed, Schedule

STARTED, SKIPPED, MISSED, FAILED = "STARTED", "SKIPPED", "MISSED", "FAILED"

# Of each schedule; those whose execution goes on stay besides.
MOST_KEPT = 1_000

_PUT = (
    "INSERT INTO schedules (name, etag, since) VALUES (?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET etag = excluded.etag, since = excluded.since"
)
_PUT_RUN = (
    "INSERT OR IGNORE INTO schedule_runs "
    "(schedule, at, executed_at, outcome, execution_id, expression, reason, missed) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_DROP_OLD_RUNS = (
    "DELETE FROM schedule_runs WHERE schedule = ?1 AND at < ("
    "SELECT at FROM schedule_runs WHERE schedule = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2"
    ") AND NOT EXISTS (SELECT 1 FROM executions WHERE id = execution_id AND ended_at IS NULL)"
)
_RUNS = """
    SELECT at, executed_at, outcome, execution_id, expression, schedule_runs.reason, missed,
        coalesce(executions.status, ''), coalesce(executions.workflow, '')
    FROM schedule_runs LEFT JOIN executions ON executions.id = execution_id
    WHERE schedule = ? AND at < ? ORDER BY at DESC LIMIT ?
"""
_GOING_ON = (
    "SELECT execution_id FROM schedule_runs JOIN executions ON executions.id = execution_id "
    "WHERE schedule = ? AND execution_id != '' AND executions.ended_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run came to.

    Attributes:
        at: When it was due; of missed ones the last of them.
        outcome: STARTED, SKIPPED, MISSED or FAILED.
        execution_id: Empty: none was started.
        missed: How many runs are meant, of MISSED ones.
        status: Where the execution stands; empty: there is none any more.
        workflow: What it is of.
    """

    at: datetime
    executed_at: datetime
    outcome: str
    execution_id: str = ""
    expression: str = ""
    reason: str = ""
    missed: int = 0
    status: str = ""
    workflow: str = ""


def done_until(schedule: Schedule, since: datetime) -> Note:
    """Notes that the schedule was done up to and with ``since``."""
    return _PUT, (plain(schedule.name), schedule.etag, micros(since))


def forgotten(name: str) -> tuple[Note, ...]:
    """Drops what is known of a schedule."""
    gone = (plain(name),)
    return (
        ("DELETE FROM schedules WHERE name = ?", gone),
        ("DELETE FROM schedule_runs WHERE schedule = ?", gone),
    )


def run_of(
    schedule: Schedule, due: Due, outcome: str, now: datetime, reason: str = ""
) -> tuple[Note, ...]:
    """Notes what a run came to, and that the schedule was done up to there."""
    name = plain(schedule.name)
    execution_id = schedule.execution_id(due.at) if outcome == STARTED else ""
    row = (name, micros(due.at), micros(now), outcome, execution_id, due.expression,
           plain(reason), 0)  # fmt: skip
    return done_until(schedule, due.at), (_PUT_RUN, row), (_DROP_OLD_RUNS, (name, MOST_KEPT))


def missed(schedule: Schedule, missed: Missed, now: datetime, reason: str) -> tuple[Note, ...]:
    """Notes runs that were missed."""
    row = (plain(schedule.name), micros(missed.last), micros(now), MISSED, "", "", plain(reason),
           missed.count)  # fmt: skip
    return done_until(schedule, missed.last), (_PUT_RUN, row)


def known(db: sqlite3.Connection) -> dict[str, tuple[str, datetime]]:
    """By name, as of which definition each schedule was done, and up to when."""
    rows = db.execute("SELECT name, etag, since FROM schedules")
    return {name: (etag, moment(since)) for name, etag, since in rows}


def runs(db: sqlite3.Connection, name: str, before: int, limit: int) -> list[Run]:
    """The latest runs that were due before a time (microseconds), the newest first."""
    return [
        Run(moment(at), moment(executed_at), *rest)
        for at, executed_at, *rest in db.execute(_RUNS, (name, before, limit))
    ]


def is_noted(db: sqlite3.Connection, name: str, at: datetime) -> bool:
    """Whether it is known what the run of that time came to."""
    text = "SELECT 1 FROM schedule_runs WHERE schedule = ? AND at = ?"
    return db.execute(text, (plain(name), micros(at))).fetchone() is not None


def last_runs(db: sqlite3.Connection, names: Sequence[str]) -> dict[str, Run]:
    """The latest run of each schedule that has one."""
    found = {name: runs(db, name, 2**63 - 1, 1) for name in names}
    return {name: each[0] for name, each in found.items() if each}


def going_on(db: sqlite3.Connection, name: str) -> list[str]:
    """The executions of earlier runs that have not ended."""
    return [row[0] for row in db.execute(_GOING_ON, (name,))]
