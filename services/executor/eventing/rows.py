"""What was told, and what handlers did about it, as rows."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.executor.documents import LARGE_CHARS, plain, value_of
from services.executor.launching import Note
from services.executor.rows import Row, micros, moment

# In place of an action's name: the handler did nothing, by its condition.
CONDITION = "condition"
UNDER_WAY, DONE, SKIPPED, FAILED = "UNDER_WAY", "COMPLETED", "SKIPPED", "FAILED"

LEFT = -1

_DONE = "UPDATE event_messages SET done_at = ? WHERE seq = ?"
_WAITING = (
    "SELECT seq, id, event, payload, depth, at FROM event_messages "
    "INDEXED BY event_messages_waiting WHERE done_at IS NULL AND seq > ? ORDER BY seq LIMIT ?"
)
_PUT_RUN = (
    "INSERT INTO event_runs (message_id, event, handler, action, name, outcome, target, reason, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id, handler, action) DO UPDATE SET "
    "outcome = excluded.outcome, target = excluded.target, reason = excluded.reason, "
    "at = excluded.at"
)
_RUNS_OF = "SELECT handler, action, name, outcome, target FROM event_runs WHERE message_id = ?"
_COLUMNS = "seq, message_id, event, handler, action, name, outcome, target, reason, at"


@dataclass(frozen=True, slots=True)
class Message:
    """What was told.

    Attributes:
        depth: How often events have led to events.
        payload: JSON text of an object.
    """

    seq: int
    id: str
    event: str
    payload: str = field(repr=False)
    depth: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One action of one handler for one message.

    Attributes:
        action: Its place in the handler; of one that was skipped by the condition 0.
        name: ``start_workflow`` …; ``condition``: it was skipped, or could not be judged.
        target: The execution or task that it is about.
    """

    message_id: str
    event: str
    handler: str
    action: int
    name: str
    outcome: str
    target: str
    reason: str
    at: datetime
    seq: int = 0


async def payload_of(message: Message) -> Any:
    """What it tells: an object; a large one is read in a thread."""
    if len(message.payload) >= LARGE_CHARS:
        return await asyncio.to_thread(value_of, message.payload)
    return value_of(message.payload)


def run_note(run: Run) -> Note:
    """Notes what an action came to."""
    return _PUT_RUN, (
        run.message_id, plain(run.event), plain(run.handler), run.action, run.name, run.outcome,
        plain(run.target), plain(run.reason), micros(run.at),
    )  # fmt: skip


def done_note(message: Message, at: datetime) -> Note:
    """Notes that all was done about a message."""
    return _DONE, (micros(at), message.seq)


def waiting(db: sqlite3.Connection, after: int, limit: int) -> list[Message]:
    """The messages that nothing, or not all, was done about, after one of them."""
    rows = db.execute(_WAITING, (after, limit))
    return [
        Message(seq, id_, event, payload, depth, moment(at))
        for seq, id_, event, payload, depth, at in rows
    ]


def runs_of(db: sqlite3.Connection, message_id: str) -> dict[tuple[str, int], tuple[str, str]]:
    """By handler and action, outcome and target of what was done about a message.

    What was not done by a handler's condition has :data:`LEFT` in place of the action.
    """
    return {
        (handler, LEFT if name == CONDITION else action): (outcome, target)
        for handler, action, name, outcome, target in db.execute(_RUNS_OF, (message_id,))
    }


def listed(
    db: sqlite3.Connection,
    handlers: Collection[str] | None,
    event: str,
    before: int,
    limit: int,
) -> Sequence[Run]:
    """The latest runs before a place, the newest first; of handlers or an event where given."""
    wanted, values = ["seq < ?"], [before]  # type: tuple[list[str], list[object]]
    if handlers is not None and len(handlers) == 1:
        wanted.append("handler = ?")
        values += handlers
    elif handlers is not None:
        # By time: an index has those of each in order, but not those of all of them.
        wanted.append("+handler IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(sorted(handlers)))
    if event:
        wanted.append("event = ?")
        values.append(event)
    text = f"SELECT {_COLUMNS} FROM event_runs WHERE {' AND '.join(wanted)} ORDER BY seq DESC"
    rows = db.execute(f"{text} LIMIT ?", (*values, limit))
    return [_run(row) for row in rows]


def _run(row: Row) -> Run:
    seq, message_id, event, handler, action, name, outcome, target, reason, at = row
    return Run(message_id, event, handler, action, name, outcome, target, reason, moment(at), seq)
