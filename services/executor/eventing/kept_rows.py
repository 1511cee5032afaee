"""Deliveries that are kept for tasks that begin to wait later, as rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from services.executor.core.jsonpath import TooCostly
from services.executor.documents import value_of
from services.executor.eventing.rows import UNDER_WAY, Message
from services.executor.eventing.shelf import Kept
from services.executor.kinds.wait_for_webhook import found_digest
from services.executor.launching import Note
from services.executor.rows import micros, moment

_KEEP = "UPDATE event_messages SET kept_until = ? WHERE seq = ?"
# Of one that is not done the dispatcher takes care.
_KEPT = (
    "SELECT seq, event, kept_until, length(payload) FROM event_messages "
    "INDEXED BY event_messages_kept WHERE kept_until IS NOT NULL AND done_at IS NOT NULL "
    "ORDER BY seq"
)
_MESSAGES = "SELECT seq, id, event, payload, depth, at FROM event_messages WHERE seq IN"
_GIVEN = (
    "SELECT event_messages.seq, target FROM event_runs INDEXED BY event_runs_given "
    "JOIN event_messages ON event_messages.id = message_id "
    f"WHERE handler = '' AND outcome = '{UNDER_WAY}' AND done_at IS NOT NULL"
)


def keep_note(seq: int, until: datetime | None) -> Note:
    """Notes that a delivery is kept until then; None: not any more."""
    return _KEEP, (None if until is None else micros(until), seq)


def kept(db: sqlite3.Connection) -> list[tuple[str, Kept]]:
    """(event, delivery) of all that are kept, in order."""
    return [
        (event, Kept(seq, moment(until), chars)) for seq, event, until, chars in db.execute(_KEPT)
    ]


def given(db: sqlite3.Connection) -> list[tuple[int, str]]:
    """(message, target) of those that were given to a task which may not have been told."""
    return db.execute(_GIVEN).fetchall()


def message(db: sqlite3.Connection, seq: int) -> Message | None:
    """One of them; None: it is gone."""
    return next(iter(_messages(db, [seq])), None)


def digests(db: sqlite3.Connection, seqs: Sequence[int], paths: str) -> dict[int, str]:
    """What stands at ``paths``, JSON text of a list, in each of them; of what is gone nothing."""
    names = json.loads(paths)
    found = dict.fromkeys(seqs, "")
    for each in _messages(db, seqs):
        try:
            found[each.seq] = found_digest(names, value_of(each.payload))  # type: ignore[arg-type]
        except TooCostly:
            # It is for nobody who looks there.
            continue
    return found


def _messages(db: sqlite3.Connection, seqs: Sequence[int]) -> list[Message]:
    rows = db.execute(f"{_MESSAGES} ({','.join('?' * len(seqs))})", seqs)
    return [
        Message(seq, id_, event, payload, depth, moment(at))
        for seq, id_, event, payload, depth, at in rows
    ]
