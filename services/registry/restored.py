"""What is to be done to a copy of ``registry.db`` before a registry may go on with it."""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from sqlite_utils import Database

from services.registry import store


def standing(db: Database) -> dict[str, Any]:
    """Its epoch, and the last revision that it has handed out."""
    return {"epoch": store.epoch(db), "revision": store.revision(db)}


def renew(db: Database, made_at: int, now: int, *, held: bool) -> int:
    """A new epoch: what was told of the other store's later revisions is not taken for this one's.

    Returns:
        0: nothing is under way in a registry.
    """
    db.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", [token_hex(8)])
    return 0
