"""Executions from their rows, in the thread that reads them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.errors import Unavailable
from services.executor import queries
from services.executor.core.model import Execution, Task
from services.executor.core.webhooks import Delivery
from services.executor.documents import LARGE_CHARS
from services.executor.queries import timers
from services.executor.rows import (
    Origin,
    Row,
    execution_of,
    latest,
    origin_of,
    task_of,
    weight,
)
from services.executor.snapshots import Snapshot, Snapshots
from services.executor.webhook_rows import delivery_of, webhook_of

__all__ = ["Loaded", "load", "load_whole", "timers"]


# What of an attempt is in no document of it takes as long to write as so many characters of one.
_CHARS_AN_ATTEMPT = 4000


@dataclass(frozen=True, slots=True)
class Loaded:
    """An execution as it is stored.

    Attributes:
        attempts: All of them, in order; empty where only the latest were wanted.
        weight: Characters of its documents.
        large: Whether one of them takes long to walk or to write.
        delivery: How the telling of its end stands, where that was asked for.
    """

    execution: Execution
    origin: Origin
    snapshot: Snapshot
    weight: int
    large: bool
    attempts: tuple[Task, ...] = ()
    delivery: Delivery | None = None

    @property
    def takes_long(self) -> bool:
        """Whether nobody should wait while all of it is written."""
        return self.weight + _CHARS_AN_ATTEMPT * len(self.attempts) >= LARGE_CHARS


def load(
    db: sqlite3.Connection, execution_ids: Sequence[str], snapshots: Snapshots
) -> list[Loaded | Exception | None]:
    """Executions with the latest attempt of every ref; None: there is none of that id.

    One whose rows make no sense is an exception, and no harm to the others.
    """
    return [_tried(db, each, snapshots) for each in execution_ids]


def _tried(
    db: sqlite3.Connection, execution_id: str, snapshots: Snapshots
) -> Loaded | Exception | None:
    try:
        return _load(db, execution_id, snapshots, whole=False)
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001
        # The outermost loop of an execution's rows: a fault of one must not hide the others.
        return error


def load_alone(db: sqlite3.Connection, execution_id: str, snapshots: Snapshots) -> Execution | None:
    """The execution without its tasks; None: there is none of that id."""
    loaded = load_bare(db, execution_id, snapshots)
    return None if loaded is None else loaded.execution


def load_bare(
    db: sqlite3.Connection, execution_id: str, snapshots: Snapshots, attempts: Sequence[Row] = ()
) -> Loaded | None:
    """The execution with ``attempts``, rows of some of its tasks, and no others.

    How the telling of its end stands is not asked for; None: there is none of that id.
    """
    row = queries.execution_alone(db, execution_id)
    if row is None:
        return None
    snapshot = _snapshot(db, row[3], snapshots)
    execution = execution_of(row, snapshot.workflow, latest(attempts))
    weighs = weight(row) + sum(map(weight, attempts))
    tasks = tuple(map(task_of, attempts))
    return Loaded(execution, origin_of(row), snapshot, weighs, weighs >= LARGE_CHARS, tasks)


def load_whole(
    db: sqlite3.Connection, execution_id: str, snapshots: Snapshots, most: int | None = None
) -> Loaded | None:
    """The execution with all its attempts; None: there is none of that id.

    Args:
        most: One that weighs more has its first attempts alone; its weight is more, too.
    """
    return _load(db, execution_id, snapshots, whole=True, most=most)


def load_without_tasks(
    db: sqlite3.Connection, execution_id: str, snapshots: Snapshots
) -> Loaded | None:
    """The execution, and of its tasks those that made it fail, without their documents.

    None: there is none of that id.
    """
    loaded = load_bare(db, execution_id, snapshots)
    if loaded is None:
        return None
    if refs := loaded.execution.failed_refs:
        failed = queries.light_tasks(db, execution_id, refs)
        loaded = load_bare(db, execution_id, snapshots, failed)
        assert loaded is not None
    origin, delivery = _told(db, loaded.origin, execution_id)
    return replace(loaded, origin=origin, delivery=delivery)


def _load(
    db: sqlite3.Connection,
    execution_id: str,
    snapshots: Snapshots,
    *,
    whole: bool,
    most: int | None = None,
) -> Loaded | None:
    found = queries.execution(db, execution_id, most)
    if found is None:
        return None
    row, rows = found
    snapshot = _snapshot(db, row[3], snapshots)
    attempts = tuple(map(task_of, rows)) if whole else ()
    tasks = {task.ref: task for task in attempts} if whole else latest(rows)
    execution = execution_of(row, snapshot.workflow, tasks)
    weights = [weight(row), *map(weight, rows)]
    large = max(weights) >= LARGE_CHARS
    origin, delivery = _told(db, origin_of(row), execution_id)
    return Loaded(execution, origin, snapshot, sum(weights), large, attempts, delivery)


def _told(
    db: sqlite3.Connection, origin: Origin, execution_id: str
) -> tuple[Origin, Delivery | None]:
    row = queries.webhook(db, execution_id)
    if row is None:
        return origin, None
    return replace(origin, webhook=webhook_of(row)), delivery_of(row)


def _snapshot(db: sqlite3.Connection, hash_: str, snapshots: Snapshots) -> Snapshot:
    cached = snapshots.cached(hash_)
    if cached is not None:
        return cached
    text = queries.snapshot(db, hash_)
    if text is None:
        raise Unavailable(f"The definitions {hash_} of an execution are not in the database.")
    return snapshots.parsed(text)
