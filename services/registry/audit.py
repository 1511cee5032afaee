"""The audit log: who changed what, and who was refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; what is empty or None leaves none out.

    Attributes:
        actions: One of them.
        since: Not what was before; aware, as ``until`` is.
        until: Not what was then or after.
    """

    principal: str = ""
    actions: tuple[str, ...] = ()
    kind: str = ""
    name: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> tuple[list[str], list[str]]:
        """As SQL, and its values."""
        conditions, values = list[str](), list[str]()
        for column in ("principal", "kind", "name"):
            if value := getattr(self, column):
                conditions.append(f"{column} = ?")
                values.append(value)
        if self.actions:
            conditions.append("action IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(self.actions))
        # As text, moments of UTC are in their order: '+' stands before '.' and digits.
        for sign, moment in ((">=", self.since), ("<", self.until)):
            if moment is not None:
                conditions.append(f"at {sign} ?")
                values.append(moment.astimezone(UTC).isoformat())
        return conditions, values


ALL = Wanted()


def listed(db: Database, before: int, most: int, wanted: Wanted = ALL) -> list[Entry]:
    """Entries, the newest first, behind the one of id ``before`` (0: from the newest)."""
    conditions, values = wanted.conditions()
    if before:
        conditions.append("id < ?")
    return _selected(db, conditions, [*values, *([before] if before else [])], "DESC", most)


def since(db: Database, after: int, until: int, most: int, wanted: Wanted = ALL) -> list[Entry]:
    """Entries, rising, of ids above ``after`` up to ``until``."""
    conditions, values = wanted.conditions()
    return _selected(db, [*conditions, "id > ?", "id <= ?"], [*values, after, until], "ASC", most)


def ids(db: Database) -> tuple[int, int]:
    """The id of the oldest entry that is kept, and the last that was handed out; 0: none."""
    oldest = db.execute("SELECT min(id) FROM audit").fetchone()[0]
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    return int(oldest or 0), int(row[0]) if row else 0


def _selected(
    db: Database, conditions: list[str], values: list[Any], order: str, most: int
) -> list[Entry]:
    where = " AND ".join(conditions) or "TRUE"
    rows = db.query(
        f"SELECT * FROM audit WHERE {where} ORDER BY id {order} LIMIT ?", [*values, most]
    )
    return list(map(_entry, rows))


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(**row | {"at": datetime.fromisoformat(row["at"])})
