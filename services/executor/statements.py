"""The few statements that units are written with: one of many rows for each table.

Rows are bound as ``VALUES``, not passed as JSON: 32 rows of 27 columns cost 30 µs of CPU a row
instead of 58, and no text has to be escaped. Row counts are a few, so that their statements stay
prepared, and such that nearly every group needs one or two: each gives up the interpreter lock.

Where one fails, whoever called it rolls back. So those that write often say ``OR FAIL``, by which
SQLite need not keep each page as it was before the statement: a sixth of a transaction's time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, TypeVar, cast

from services.errors import Conflict, NotFound
from services.executor.documents import value_of
from services.executor.rows import EXECUTION_COLUMNS, PROGRESS_COLUMNS, TASK_COLUMNS, Row
from services.executor.units import ChildClaim, Unit
from services.executor.webhook_rows import DELIVERY_COLUMNS, ORDER_COLUMNS

T = TypeVar("T")

# How long an idempotency key is known after the end of its execution.
KEY_KEPT_MICROS = 24 * 60 * 60 * 1_000_000

_CHUNKS = (64, 32, 16, 12, 8, 6, 4, 3, 2, 1)
_UNCHANGEABLE_IN_TASKS = frozenset(
    # The kind and the name of a DYNAMIC task change when it becomes another one.
    ("execution_id", "sequence", "id", "ref", "step", "attempt", "iteration")
)
_KEPT_WHERE_NULL = frozenset(("input", "output", "memory", "variables"))


def write(db: sqlite3.Connection, units: Sequence[Unit], stored: set[str]) -> None:
    """Write ``units`` within the transaction that is open; sets their ``known`` and ``revision``.

    Args:
        stored: Hashes of snapshots that are surely there; those written now are added.
    """
    present = _present(db, units)
    for unit in units:
        unit.known = unit.start if unit.start in present else ""
    _find_claimed(db, [unit for unit in units if unit.claim and not unit.known])
    if any(unit.child_claims for unit in units):
        _find_held(db, units)
    live = [unit for unit in units if not (unit.known or unit.held)]
    _snapshots(db, live, stored)
    _run(db, _INSERT_EXECUTIONS, _rows(unit.created for unit in live))
    children = [row for row in _rows(unit.children for unit in live) if row[0] not in present]
    _run(db, _INSERT_EXECUTIONS, children)
    claims = [unit.claim for unit in live if unit.claim]
    claims += [claim for unit in live for claim, _ in unit.child_claims]
    _run(db, _PUT_KEYS, [(*names, at + KEY_KEPT_MICROS) for *names, _, at in claims])
    _update(db, _rows(unit.progress for unit in live))
    _delete(db, [each for unit in live for each in unit.deleted])
    _run(db, _DROP_TASKS, [(each,) for unit in live for each in unit.dropped])
    _run(db, _FORGET_TASKS, _rows(unit.forgotten for unit in live))
    _run(db, _PUT_TASKS, _rows(unit.tasks for unit in live))
    _run(db, _CLEAR_TIMERS, [(each,) for unit in live for each in unit.ended])
    _run(db, _DROP_TIMERS, _rows(unit.timers_gone for unit in live))
    _run(db, _PUT_TIMERS, _rows(unit.timers_set for unit in live))
    _run(db, _PUT_WEBHOOKS, _rows(unit.webhooks for unit in live))
    _run(db, _ATTEMPTED, _rows(unit.attempted for unit in live))
    _changes(db, live)
    for unit in live:
        for text, row in unit.also:
            db.execute(text, row)


def _rows(parts: Iterator[list[Row]]) -> list[Row]:
    return list(chain.from_iterable(parts))


def _present(db: sqlite3.Connection, units: Sequence[Unit]) -> set[str]:
    """Which of the executions that are to begin are there already."""
    ids = [unit.start for unit in units if unit.start]
    ids += [row[0] for unit in units for row in unit.children]
    found: set[str] = set()
    for chunk in _chunked(ids):
        marks = ",".join("?" * len(chunk))
        found.update(
            row[0] for row in db.execute(f"SELECT id FROM executions WHERE id IN ({marks})", chunk)
        )
    return found


def _find_claimed(db: sqlite3.Connection, units: Sequence[Unit]) -> None:
    """Set ``known`` and ``refs`` where another execution has the key of a unit."""
    by_key = {unit.claim[0]: unit for unit in units if unit.claim}
    for chunk in _chunked(list(by_key)):
        for key, *held in db.execute(f"{_HOLDERS} ({','.join('?' * len(chunk))})", chunk):
            unit = by_key[key]
            if unit.claim and (holder := _still_held(held, *unit.claim[3:])):
                unit.known, unit.refs = holder


def _find_held(db: sqlite3.Connection, units: Sequence[Unit]) -> None:
    """Set ``held`` where others have keys of what a unit starts, and ``known`` as they have them.

    Of units that are written together the first has a key.
    """
    taken: dict[bytes, str] = {}
    for unit in units:
        if unit.claim and not unit.known:
            unit.known = taken.get(unit.claim[0], "")
        unit.held = {} if unit.known else _others(db, unit.child_claims, taken)
        if not unit.known and not unit.held:
            claims = [claim for claim, _ in unit.child_claims]
            claims += [unit.claim] if unit.claim else []
            taken |= {claim[0]: claim[1] for claim in claims}


def _others(
    db: sqlite3.Connection, claims: Sequence[ChildClaim], taken: Mapping[bytes, str]
) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for (key, child, _, anew, at), earlier in claims:
        stored = holder(db, key, at, anew=anew)
        other = taken.get(key) or (stored[0] if stored else child)
        if other != child and other not in earlier:
            found[key] = other
    return found


Holder = tuple[str, tuple[str, ...]]
"""The execution that has an idempotency key, and what its start awaits."""


def holder(db: sqlite3.Connection, key: bytes, at: int, *, anew: bool = False) -> Holder | None:
    """Who has ``key`` at that time; None: it is as good as new.

    Args:
        anew: Whoever has ended has it no more.
    """
    row = db.execute(f"{_HOLDERS} (?)", (key,)).fetchone()
    return None if row is None else _still_held(row[1:], anew, at)


def _still_held(row: Sequence[Any], anew: bool, at: int) -> Holder | None:
    """Of (execution id, awaited refs, ended at); None: its time is over."""
    execution_id, refs, ended_at = row
    if ended_at is not None and (anew or ended_at + KEY_KEPT_MICROS <= at):
        return None
    return execution_id, tuple(cast("list[str]", value_of(refs)))


def _snapshots(db: sqlite3.Connection, units: Sequence[Unit], stored: set[str]) -> None:
    for unit in units:
        for hash_, text in unit.snapshots:
            if hash_ not in stored:
                db.execute("INSERT OR IGNORE INTO snapshots VALUES (?, ?)", (hash_, text))
                stored.add(hash_)


def _changes(db: sqlite3.Connection, units: Sequence[Unit]) -> None:
    rows = _rows(unit.changes for unit in units)
    if not rows:
        return
    # Nobody else writes, so the revisions of one group have no gaps.
    revision = _run(db, _APPEND_CHANGES, rows) - len(rows)
    for unit in units:
        revision += len(unit.changes)
        unit.revision = revision


def _run(db: sqlite3.Connection, statement: tuple[str, int, str], rows: Sequence[Row]) -> int:
    """The rowid of the last row, if it was inserted in a table that has them."""
    last: int | None = 0
    if rows:
        for chunk in _chunked(rows):
            text = _text(statement, len(chunk))
            last = db.execute(text, list(chain.from_iterable(chunk))).lastrowid
    return last or 0


def _update(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Raises :class:`NotFound` where an execution was dropped after it was read."""
    if not rows:
        return
    for chunk in _chunked(rows):
        text = _text(_UPDATE_EXECUTIONS, len(chunk))
        if db.execute(text, list(chain.from_iterable(chunk))).rowcount < len(chunk):
            raise NotFound("The execution ended long ago and was dropped.")


def _delete(db: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Raises :class:`Conflict` where one has not ended, or is gone."""
    for each in ids:
        gone = db.execute("DELETE FROM executions WHERE id = ? AND ended_at IS NOT NULL", (each,))
        if not gone.rowcount:
            raise Conflict("The execution runs again, or is gone.")
        for table in ("tasks", "timers", "task_logs", "webhooks", "retries_heard"):
            db.execute(f"DELETE FROM {table} WHERE execution_id = ?", (each,))


def _chunked(items: Sequence[T]) -> Iterator[Sequence[T]]:
    start, left = 0, len(items)
    for size in _CHUNKS:
        while left >= size:
            yield items[start : start + size]
            start, left = start + size, left - size


@cache
def _text(statement: tuple[str, int, str], rows: int) -> str:
    before, columns, after = statement
    row = f"({','.join('?' * columns)})"
    return f"{before} {','.join([row] * rows)} {after}"


def _upsert(table: str, columns: Sequence[str], key: Sequence[str], fixed: frozenset[str]) -> str:
    sets = ", ".join(
        f"{name} = coalesce(excluded.{name}, {name})"
        if name in _KEPT_WHERE_NULL
        else f"{name} = excluded.{name}"
        for name in columns
        if name not in fixed
    )
    return f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets}"


def _progress() -> str:
    return ", ".join(
        f"{name} = coalesce(v.column{number}, executions.{name})"
        if name in _KEPT_WHERE_NULL
        else f"{name} = v.column{number}"
        for number, name in enumerate(PROGRESS_COLUMNS, 1)
        if name != "id"
    )


def _attempted() -> str:
    return ", ".join(f"{name} = v.column{n}" for n, name in enumerate(DELIVERY_COLUMNS, 2))


_INSERT_EXECUTIONS = (
    f"INSERT OR FAIL INTO executions ({', '.join(EXECUTION_COLUMNS)}) VALUES",
    len(EXECUTION_COLUMNS),
    _upsert("executions", EXECUTION_COLUMNS, ("id",), frozenset(("id",))),
)
_UPDATE_EXECUTIONS = (
    f"UPDATE OR FAIL executions SET {_progress()} FROM (VALUES",
    len(PROGRESS_COLUMNS),
    ") AS v WHERE executions.id = v.column1",
)
_PUT_TASKS = (
    f"INSERT OR FAIL INTO tasks ({', '.join(TASK_COLUMNS)}) VALUES",
    len(TASK_COLUMNS),
    _upsert("tasks", TASK_COLUMNS, ("execution_id", "sequence"), _UNCHANGEABLE_IN_TASKS),
)
# A key whose execution was dropped has no row here.
_HOLDERS = """
    SELECT key, executions.id, await_refs, ended_at FROM idempotency_keys
    JOIN executions ON executions.id = execution_id WHERE key IN
"""
_PUT_KEYS = (
    "INSERT INTO idempotency_keys (key, execution_id, await_refs, look_at) VALUES",
    4,
    _upsert(
        "idempotency_keys",
        ("key", "execution_id", "await_refs", "look_at"),
        ("key",),
        frozenset(("key",)),
    ),
)
_DROP_TASKS = ("DELETE FROM tasks WHERE execution_id IN (VALUES", 1, ")")
# By the primary key: those of a ref are found among the execution's own.
_FORGET_TASKS = (
    "DELETE FROM tasks WHERE (execution_id, sequence) IN ("
    "SELECT tasks.execution_id, sequence FROM (VALUES",
    2,
    ") AS v JOIN tasks ON tasks.execution_id = v.column1 AND tasks.ref = v.column2)",
)
_CLEAR_TIMERS = ("DELETE FROM timers WHERE execution_id IN (VALUES", 1, ")")
_DROP_TIMERS = ("DELETE FROM timers WHERE (execution_id, task_id, name) IN (VALUES", 3, ")")
_PUT_TIMERS = (
    "INSERT OR FAIL INTO timers (execution_id, task_id, name, at) VALUES",
    4,
    "ON CONFLICT (execution_id, task_id, name) DO UPDATE SET at = excluded.at",
)
_PUT_WEBHOOKS = (
    f"INSERT INTO webhooks ({', '.join(ORDER_COLUMNS + DELIVERY_COLUMNS)}) VALUES",
    len(ORDER_COLUMNS + DELIVERY_COLUMNS),
    _upsert(
        "webhooks", ORDER_COLUMNS + DELIVERY_COLUMNS, ("execution_id",), frozenset(ORDER_COLUMNS)
    ),
)
_ATTEMPTED = (
    f"UPDATE webhooks SET {_attempted()} FROM (VALUES",
    len(DELIVERY_COLUMNS) + 1,
    ") AS v WHERE webhooks.execution_id = v.column1 AND webhooks.delivery_id = v.column2",
)
_APPEND_CHANGES = (
    "INSERT OR FAIL INTO changes (at, execution_id, workflow, state) VALUES",
    4,
    "",
)
