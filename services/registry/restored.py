"""What is to be done to a copy of ``registry.db`` before a registry may go on with it."""

from __future__ import annotations

from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from sqlite_utils import Database

from services.auditing import Entry
from services.registry import audit, store

_ITSELF = "service:registry"


def standing(db: Database) -> dict[str, Any]:
    """Its epoch, and the last revision that it has handed out."""
    return {"epoch": store.epoch(db), "revision": store.revision(db)}


def renew(db: Database, made_at: int, now: int, *, held: bool) -> int:
    """A new epoch: what was told of the other store's later revisions is not taken for this one's.

    Returns:
        0: nothing is under way in a registry.
    """
    db.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", [token_hex(8)])
    _write_down(db, _moment(made_at), _moment(now), held=held)
    return 0


def _write_down(db: Database, made_at: datetime, now: datetime, *, held: bool) -> None:
    """Say in the audit log that from here on it is another registry's."""
    what = "waits until it is resumed" if held else "goes on"
    made = made_at.isoformat(timespec="seconds")
    detail = f"Restored from a backup of {made}; what was under way {what}."
    if db.table("audit_chains").exists():
        audit.write(db, now, Entry(_ITSELF, "restore", detail=detail))
    else:
        # A backup of an earlier version: its entries are hashed when the registry opens it.
        db.execute(
            "INSERT INTO audit (at, principal, action, kind, name, detail) "
            "VALUES (?, ?, 'restore', '', '', ?)",
            [now.isoformat(), _ITSELF, detail],
        )


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
