"""Messages to event handlers as rows: what an EVENT task, or a webhook, has told."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from services.executor.documents import plain
from services.executor.rows import Row, micros

PUT_MESSAGE = (
    "INSERT OR IGNORE INTO event_messages (id, event, payload, depth, at) VALUES (?, ?, ?, ?, ?)"
)


def message_row(id_: str, event: str, payload: str, depth: int, at: datetime) -> Row:
    """What :data:`PUT_MESSAGE` takes; ``payload`` is JSON text of an object."""
    return plain(id_), plain(event), payload, depth, micros(at)


def is_known(db: sqlite3.Connection, id_: str) -> bool:
    """Whether that was told before."""
    row = db.execute("SELECT 1 FROM event_messages WHERE id = ?", (id_,)).fetchone()
    return row is not None
