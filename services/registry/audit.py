"""The audit log in SQLite: who did what, and who was refused. It is only added to.

The table's own triggers refuse every change; its old end goes by :func:`drop` alone, which first
says up to where (``audit_chains``). See :mod:`services.auditing.chain` for the hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from services.auditing import ALLOWED, DENIED, FAILED, Entry, calling, chain
from services.auditing.chain import CHANGED, REFUSED, Broken, Head
from services.registry.audit_queries import ALL, Wanted

__all__ = [
    "ALL",
    "ALLOWED",
    "DENIED",
    "FAILED",
    "Entry",
    "Wanted",
    "add",
    "checked",
    "drop",
    "found",
    "ids",
    "listed",
    "missing",
    "old",
    "since",
    "write",
]

_INSERT = (
    f"INSERT INTO audit ({', '.join(chain.COLUMNS)}, hash) "
    f"VALUES ({', '.join('?' * (len(chain.COLUMNS) + 1))})"
)
# Of the columns, those that an entry has under another name, or not as text.
_TEXTS = (
    "principal", "action", "kind", "name", "detail", "outcome", "key_id", "via", "method",
    "source", "agent", "trace",
)  # fmt: skip

Looking = Callable[[Entry], bool]


def write(db: Database, now: datetime, *entries: Entry) -> None:
    """Keep ``entries``, with what is known of the call that is being served."""
    told = calling.current.get()
    for entry in entries:
        whole = entry if told is None else told.completed(entry)
        # What one call does to many is an entry each, and never sent again.
        _insert(db, now, replace(whole, uid=""))


def add(db: Database, now: datetime, *entries: Entry) -> int:
    """Keep those whose uid is not known yet; how many.

    What is told has happened, by now at the latest: for an entry of another clock, which goes
    ahead, the old end would wait.
    """
    fresh = [entry for entry in entries if not _knows(db, entry.uid)]
    seen = set[str]()
    for entry in fresh:
        if entry.uid not in seen:
            ahead = entry.at is not None and entry.at > now
            _insert(db, now, replace(entry, at=now) if ahead else entry)
            seen.add(entry.uid)
    return len(seen)


def _knows(db: Database, uid: str) -> bool:
    return db.execute("SELECT 1 FROM audit WHERE uid = ?", [uid]).fetchone() is not None


def _insert(db: Database, now: datetime, entry: Entry) -> None:
    which = CHANGED if entry.outcome == ALLOWED else REFUSED
    row: chain.Row = (
        _last(db) + 1,
        which,
        (entry.at or now).astimezone(UTC).isoformat(),
        *(entry.outcome if name == "outcome" else entry.text(name) for name in _TEXTS),
        entry.version,
        entry.revision_before,
        entry.revision,
        entry.text("before"),
        entry.text("after"),
        entry.count,
        entry.text("uid") or None,
    )
    db.execute(_INSERT, [*row, chain.hash_of(row, _head(db, which).hash)])


def _last(db: Database) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    return int(row[0]) if row else 0


def _head(db: Database, which: int) -> Head:
    row = db.execute(
        "SELECT id, hash FROM audit WHERE chain = ? ORDER BY id DESC LIMIT 1", [which]
    ).fetchone()
    return Head(*row) if row else _anchor(db, which)


def _anchor(db: Database, which: int) -> Head:
    """The last that was dropped of a chain."""
    row = db.execute("SELECT dropped, hash FROM audit_chains WHERE chain = ?", [which]).fetchone()
    return Head(*row)


def listed(db: Database, before: int, most: int, wanted: Wanted = ALL) -> tuple[list[Entry], int]:
    """Entries, the newest first, behind the one of id ``before`` (0: from the newest).

    Returns:
        They, which may be fewer than there are, and the id to go on behind: 0 where there are no
        more.
    """
    before = before or _last(db) + 1
    end = _end(db, "id < ? ORDER BY id DESC", [before], wanted.most_looked_at)
    rows = _rows(db, wanted, "DESC", before=before, after=end - 1 if end else 0)
    return _taken(rows, wanted, most, end)


def since(
    db: Database,
    after: int,
    until: int,
    most: int,
    wanted: Wanted = ALL,
) -> tuple[list[Entry], int]:
    """Entries, rising, of ids above ``after`` up to ``until``, and the id to go on behind or 0."""
    end = _end(db, "id > ? AND id <= ? ORDER BY id", [after, until], wanted.most_looked_at)
    rows = _rows(db, wanted, "ASC", after=after, until=end or until)
    return _taken(rows, wanted, most, end)


def _end(db: Database, range_: str, values: list[int], most_looked_at: int) -> int:
    """The id of the last entry of a range that is looked at; 0: all of it are."""
    ids = db.execute(
        f"SELECT id FROM audit WHERE {range_} LIMIT 2 OFFSET ?", [*values, most_looked_at - 1]
    ).fetchall()
    return int(ids[0][0]) if len(ids) == 2 else 0


def _taken(rows: Iterator[Entry], wanted: Wanted, most: int, end: int) -> tuple[list[Entry], int]:
    """Of ``rows``, which go as far as ``end``, those that are wanted, and the id to go on behind.

    Args:
        end: 0: there are no more behind them.
    """
    taken: list[Entry] = []
    last = 0
    for entry in rows:
        if len(taken) == most:
            return taken, last
        last = entry.id
        if wanted.keeps is None or wanted.keeps(entry):
            taken.append(entry)
    return taken, end


def found(db: Database, number: int) -> Entry | None:
    """The entry of that id."""
    return next(map(_entry, db.query("SELECT * FROM audit WHERE id = ?", [number])), None)


def ids(db: Database) -> tuple[int, int]:
    """The id behind which all is kept, plus one, and the last that was handed out; 0: none."""
    oldest = db.execute("SELECT min(id) FROM audit").fetchone()[0]
    dropped = db.execute("SELECT max(dropped) FROM audit_chains").fetchone()[0]
    return max(int(oldest or 0), int(dropped or -1) + 1), _last(db)


def old(db: Database, which: int, before: datetime, most_kept: int, most: int) -> list[Entry]:
    """The oldest of a chain that are to go: of before a moment, or beyond ``most_kept``."""
    row = db.execute(
        "SELECT id FROM audit WHERE chain = ? ORDER BY id DESC LIMIT 1 OFFSET ?", [which, most_kept]
    ).fetchone()
    rows = db.query("SELECT * FROM audit WHERE chain = ? ORDER BY id LIMIT ?", [which, most])
    beyond = row[0] if row else 0
    going: list[Entry] = []
    for entry in map(_entry, rows):
        # Only from the old end: what came late stays as long as what is before it.
        if entry.id > beyond and entry.at is not None and entry.at >= before:
            break
        going.append(entry)
    return going


def drop(db: Database, which: int, until: int) -> None:
    """Let go of a chain's entries up to that id, which is one of them."""
    db.execute(
        "UPDATE audit_chains SET dropped = ?, hash = (SELECT hash FROM audit WHERE id = ?) "
        "WHERE chain = ?",
        [until, until, which],
    )
    db.execute("DELETE FROM audit WHERE chain = ? AND id <= ?", [which, until])


def checked(db: Database, which: int, head: Head | None, most: int) -> tuple[Head | Broken, int]:
    """Where a chain has come to after ``most`` entries behind ``head``, and how many were read.

    A head that was dropped meanwhile counts as the last that was.
    """
    anchor = _anchor(db, which)
    if head is None or head.id < anchor.id:
        head = anchor
    rows = db.execute(
        f"SELECT {', '.join(chain.COLUMNS)}, hash FROM audit WHERE chain = ? AND id > ? "
        "ORDER BY id LIMIT ?",
        [which, head.id, most],
    ).fetchall()
    return chain.followed(head, ((tuple(row[:-1]), row[-1]) for row in rows)), len(rows)


def missing(db: Database) -> int:
    """The id of the first entry that was taken out and not dropped; 0: none was.

    Each id was handed out once, in both chains together: so the newest are missed, too, behind
    which a chain says nothing.
    """
    oldest, last = db.execute("SELECT min(id) FROM audit").fetchone()[0], _last(db)
    dropped = db.execute("SELECT max(dropped) FROM audit_chains").fetchone()[0]
    # What had gone before there were chains is in no anchor.
    base = max(int(dropped or 0), int(oldest or 0) - 1)
    there = db.execute(
        "SELECT (SELECT count(*) FROM audit WHERE chain = 0 AND id > ?) "
        "+ (SELECT count(*) FROM audit WHERE chain = 1 AND id > ?)",
        [base, base],
    ).fetchone()[0]
    if there == last - base:
        return 0
    gap = db.execute(
        "SELECT id + 1 FROM (SELECT ? AS id UNION ALL SELECT id FROM audit WHERE id > ?) AS one "
        "WHERE NOT EXISTS (SELECT 1 FROM audit WHERE id = one.id + 1) ORDER BY 1 LIMIT 1",
        [base, base],
    ).fetchone()
    return int(gap[0])


def _rows(
    db: Database, wanted: Wanted, order: str, *, before: int = 0, after: int = 0, until: int = 0
) -> Iterator[Entry]:
    conditions, values = wanted.conditions()
    for text, bound in (("id < ?", before), ("id > ?", after), ("id <= ?", until)):
        if bound:
            conditions.append(text)
            values.append(bound)
    where = " AND ".join(conditions) or "TRUE"
    # A kind alone has so many that to sort them takes longer than to read the bounds through.
    index = "" if wanted.kind and wanted.name else "NOT INDEXED"
    rows = db.query(f"SELECT * FROM audit {index} WHERE {where} ORDER BY id {order}", values)
    return map(_entry, rows)


_NAMED = ("id", *_TEXTS, "version", "revision_before", "revision", "count")


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        **{name: row[name] for name in _NAMED},
        before=row["state_before"],
        after=row["state_after"],
        uid=row["uid"] or "",
        at=datetime.fromisoformat(row["at"]),
    )
