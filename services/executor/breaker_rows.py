"""What operators have said of circuit breakers, as rows."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from services.executor.breaking.breaker import Mode
from services.executor.breaking.breakers import Said


def said(db: sqlite3.Connection) -> dict[str, Said]:
    """By host."""
    rows = db.execute("SELECT host, mode, set_by, set_at FROM breakers")
    return {
        host: Said(Mode(mode), by, datetime.fromtimestamp(at / 1e6, UTC))
        for host, mode, by, at in rows
    }


def say(db: sqlite3.Connection, host: str, word: Said) -> None:
    """Keep it, or forget the host where it is left to itself."""
    if word.mode is Mode.AUTOMATIC:
        db.execute("DELETE FROM breakers WHERE host = ?", (host,))
        return
    at = round(word.at.timestamp() * 1e6)
    db.execute(
        "INSERT OR REPLACE INTO breakers (host, mode, set_by, set_at) VALUES (?, ?, ?, ?)",
        (host, word.mode.value, word.by, at),
    )
