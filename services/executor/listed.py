"""Documents of executions and tasks that a list tells, made in the thread that reads them.

What is masked is not in them, as in all that is told of an execution. A page has as many as there
is room for in a message.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from podium.executor.v1 import executor_pb2 as pb
from services.errors import TooLarge
from services.executor.core.conductor import UNSAID, execution_json, sentences, task_json
from services.executor.core.masking import masked
from services.executor.core.model import Json
from services.executor.core.webhooks import delivery_json
from services.executor.documents import LARGE_CHARS, Writing, text_of, value_of
from services.executor.loading import Loaded, load_bare, load_whole, load_without_tasks
from services.executor.rows import TASK_COLUMNS, Row, task_of
from services.executor.snapshots import Snapshots
from services.rpc import MAX_MESSAGE_BYTES

P = TypeVar("P", bound=Sequence[Any])
T = TypeVar("T", pb.ExecutionDocument, str)

ROOM_BYTES = 16 << 20
# What else is in a message beside a document.
_LARGEST_BYTES = MAX_MESSAGE_BYTES - (1 << 20)
# Of a row of STATE_COLUMNS.
_FAILED_REFS = 10
# An index holds the snapshots that mask anything, and no others.
_SUMMARY = """
    SELECT e.input, e.output, e.priority, e.parent_id, e.task_to_domain, s.masked
    FROM executions AS e LEFT JOIN snapshots AS s INDEXED BY snapshots_that_mask
    ON s.hash = e.snapshot AND s.masked IS NOT NULL WHERE e.id = ?
"""
_NAMES = """
    SELECT ref, name FROM tasks
    WHERE execution_id = ? AND ref IN (SELECT value FROM json_each(?)) ORDER BY sequence
"""
_TASKS = f"SELECT {', '.join(TASK_COLUMNS)} FROM tasks WHERE execution_id = ?"
# Their tasks make steps that are in no definition (core/spawning.py).
_MAKERS = frozenset(("DYNAMIC", "FORK_JOIN_DYNAMIC"))
_MADE = """ AND (instr(memory, '"as":') OR instr(memory, '"spawned":')) ORDER BY sequence"""
_RETRIED = "SELECT retried_id FROM tasks WHERE execution_id = ? AND retried_id != ''"


def documents(
    db: sqlite3.Connection,
    rows: Sequence[Row],
    wanted: pb.ExecutionDocuments.ValueType,
    snapshots: Snapshots,
    room: int = ROOM_BYTES,
) -> list[pb.ExecutionDocument]:
    """Those of ``rows`` of STATE_COLUMNS, in order, as far as there is room; of the first always.

    Args:
        wanted: Not the first of them, which is none.
        room: In bytes.

    Raises:
        TooLarge: That of the first alone is more than a message holds.
    """
    return _fitting(lambda row: _MAKE[wanted](db, row, snapshots), rows, room)


def task_documents(
    db: sqlite3.Connection,
    places: Sequence[tuple[str, int]],
    snapshots: Snapshots,
    room: int = ROOM_BYTES,
) -> list[str]:
    """As :func:`documents`, of tasks; JSON text.

    Args:
        places: (execution id, sequence) of each, as they are found in the same transaction.
    """
    known = _Contexts(db, snapshots)
    return _fitting(lambda place: _task_document(db, place, known), places, room)


def whole_text(loaded: Loaded, *, with_tasks: bool = True) -> str:
    """The document of an execution with all that there is of it, or all but its tasks."""
    execution, definition = loaded.execution, loaded.execution.workflow.document
    started_by = loaded.origin.started_by
    whole = execution_json(execution, loaded.attempts, definition, started_by)
    if not with_tasks:
        whole["tasks"] = list[Json]()
    if (webhook := loaded.origin.webhook) is not None and loaded.delivery is not None:
        whole["completionWebhook"] = delivery_json(webhook, loaded.delivery)
    return _written(whole, at_once=not loaded.takes_long)


def _fitting(make: Callable[[P], T], of: Sequence[P], room: int) -> list[T]:
    """Of rows and places, which begin with the id of an execution."""
    made: list[T] = []
    for each in of:
        try:
            document = make(each)
            size = _size(document)
            if size > _LARGEST_BYTES:
                raise _too_large(size)
        except TooLarge as error:
            if made:
                # Whoever asks for the next page is told.
                break
            raise _unlisted(each[0]) from error
        room -= size
        if room < 0 and made:
            break
        made.append(document)
    return made


def _size(document: pb.ExecutionDocument | str) -> int:
    """In bytes."""
    return len(document.encode()) if isinstance(document, str) else document.ByteSize()


def _too_large(size: int) -> TooLarge:
    return TooLarge(f"A document of {size} bytes is more than a message holds.")


def _unlisted(execution_id: str) -> TooLarge:
    return TooLarge(
        f"What is listed begins with documents of the execution {execution_id!r} that are more "
        f"than a message holds ({_LARGEST_BYTES} bytes). Ask for what leaves it out, or for no "
        "documents.",
        execution_id=execution_id,
    )


def _summary(db: sqlite3.Connection, row: Row, _: Snapshots) -> pb.ExecutionDocument:
    execution_id = row[0]
    found = db.execute(_SUMMARY, (execution_id,)).fetchone()
    input_, output, priority, parent, domains, masks = found
    if masks is not None:
        keys = frozenset(json.loads(masks))
        input_, output = (text_of(masked(value_of(each), keys)) for each in (input_, output))
    told = pb.ExecutionDocument(
        input=input_,
        output="{}" if output == "null" else output,
        priority=priority,
        parent_execution_id=parent,
        failed_task_names=_failed_names(db, row),
        task_to_domain=json.loads(domains) if domains != "{}" else None,
    )
    if told.ByteSize() > _LARGEST_BYTES:
        # A list of many is told without what few look at, so that one of them does not hide it.
        told.ClearField("input")
        told.ClearField("output")
    return told


def _failed_names(db: sqlite3.Connection, row: Row) -> list[str]:
    """The names of the tasks that made an execution fail, each once, in the order of those."""
    refs = row[_FAILED_REFS]
    if refs == "[]":
        return []
    names = dict(db.execute(_NAMES, (row[0], refs)).fetchall())
    return list(dict.fromkeys(names[ref] for ref in json.loads(refs) if ref in names))


def _alone(db: sqlite3.Connection, row: Row, snapshots: Snapshots) -> pb.ExecutionDocument:
    loaded = _there(load_without_tasks(db, row[0], snapshots))
    return pb.ExecutionDocument(document=whole_text(loaded, with_tasks=False))


def _whole(db: sqlite3.Connection, row: Row, snapshots: Snapshots) -> pb.ExecutionDocument:
    loaded = load_whole(db, row[0], snapshots, _LARGEST_BYTES)
    return pb.ExecutionDocument(document=whole_text(_there(loaded)))


_MAKE = {
    pb.EXECUTION_DOCUMENTS_SUMMARY: _summary,
    pb.EXECUTION_DOCUMENTS_ALONE: _alone,
    pb.EXECUTION_DOCUMENTS_WHOLE: _whole,
}


def _there(loaded: Loaded | None) -> Loaded:
    # It is found and loaded in one transaction.
    assert loaded is not None
    if loaded.weight > _LARGEST_BYTES:
        raise _too_large(loaded.weight)
    return loaded


def _written(document: dict[str, Any], *, at_once: bool) -> str:
    # Other threads run while much is written.
    return text_of(document) if at_once else Writing().text_of(document)


class _Contexts:
    """Executions with what of them the documents of their tasks depend on: the one last used."""

    def __init__(self, db: sqlite3.Connection, snapshots: Snapshots) -> None:
        self._db = db
        self._snapshots = snapshots
        self._last: tuple[Loaded, frozenset[str]] | None = None

    def of(self, execution_id: str) -> tuple[Loaded, frozenset[str]]:
        """It, and the ids of its tasks that were tried again."""
        last = self._last
        if last is None or last[0].execution.id != execution_id:
            # At once: to look for each among thousands takes seconds.
            retried = self._db.execute(_RETRIED, (execution_id,)).fetchall()
            last = self._last = (self._loaded(execution_id), frozenset(row[0] for row in retried))
        return last

    def _loaded(self, execution_id: str) -> Loaded:
        loaded = _there(load_bare(self._db, execution_id, self._snapshots))
        kinds = (step.kind for step in loaded.execution.workflow.steps.values())
        if _MAKERS.isdisjoint(kinds):
            return loaded
        makers = self._db.execute(_TASKS + _MADE, (execution_id,)).fetchall()
        return _there(load_bare(self._db, execution_id, self._snapshots, makers))


def _task_document(db: sqlite3.Connection, place: tuple[str, int], known: _Contexts) -> str:
    loaded, retried = known.of(place[0])
    execution = loaded.execution
    row = db.execute(f"{_TASKS} AND sequence = ?", place).fetchone()
    task = task_of(row)
    said = sentences(execution, (*loaded.attempts, task)) if task.reason else UNSAID
    document = task_json(execution, task, said, retried=task.id in retried)
    return _written(document, at_once=sum(len(each) for each in row[29:32]) < LARGE_CHARS)
