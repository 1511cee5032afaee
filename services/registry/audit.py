"""The audit log: who changed what, and who was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

KEPT_ENTRIES = 100_000
_LONGEST_DETAIL = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody did or was refused.

    Attributes:
        principal: Who, e.g. ``application:admin``.
        action: What: ``create``, ``change``, ``delete``, ``rollback``, ``create-key``,
            ``roll-key``, ``revoke-key``, ``denied``.
        detail: One sentence.
        id: Rises with time; 0 until it is written.
    """

    principal: str
    action: str
    kind: str = ""
    name: str = ""
    detail: str = ""
    id: int = 0
    at: datetime | None = None


def write(db: Database, now: datetime, *entries: Entry) -> None:
    """Keep ``entries``, and let go of what is older than :data:`KEPT_ENTRIES` others."""
    last = 0
    for entry in entries:
        cursor = db.execute(
            "INSERT INTO audit (at, principal, action, kind, name, detail) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [
                now.isoformat(),
                entry.principal,
                entry.action,
                entry.kind,
                entry.name,
                entry.detail[:_LONGEST_DETAIL],
            ],
        )
        last = cursor.lastrowid or 0
    db.execute("DELETE FROM audit WHERE id <= ?", [last - KEPT_ENTRIES])


def listed(db: Database, before: int, most: int) -> list[Entry]:
    """Entries, the newest first, behind the one of id ``before`` (0: from the newest)."""
    rows = db.query(
        "SELECT * FROM audit WHERE ? = 0 OR id < ? ORDER BY id DESC LIMIT ?",
        [before, before, most],
    )
    return list(map(_entry, rows))


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(**row | {"at": datetime.fromisoformat(row["at"])})
