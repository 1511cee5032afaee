"""What must hold of ``executor.db`` beyond what SQLite sees; nothing is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from services.executor import fulltext

Finding = tuple[str, str]
"""What does not hold, and the way out: two sentences."""

_RESTORE = "Restore a backup."
_SHOWN = 3

# (table that it takes, what is wrong in many, the way out, the ids); each is read from indexes
# where it can be.
_CHECKS = (
    (
        "snapshots",
        "executions whose definition is not in the database: they can be neither shown nor gone "
        "on with",
        "Restore a backup that has it, or delete them: podium remove --terminate ID.",
        "SELECT id FROM executions AS e "
        "WHERE NOT EXISTS (SELECT 1 FROM snapshots WHERE hash = e.snapshot)",
    ),
    (
        "tasks",
        "executions that are gone, and whose tasks are there",
        "They do no harm but take room; a restored backup has them no more.",
        "SELECT DISTINCT execution_id FROM tasks AS t "
        "WHERE NOT EXISTS (SELECT 1 FROM executions WHERE id = t.execution_id)",
    ),
    (
        "timers",
        "executions that have ended or are gone, and for which timers wait",
        "They fire once and are dropped; tell us how it came to that.",
        "SELECT DISTINCT execution_id FROM timers AS t WHERE NOT EXISTS "
        "(SELECT 1 FROM executions WHERE id = t.execution_id AND ended_at IS NULL)",
    ),
    (
        "executions",
        "executions whose status and time of end do not go together",
        _RESTORE,
        "SELECT id FROM executions WHERE (status IN ('RUNNING', 'PAUSED')) != (ended_at IS NULL)",
    ),
    (
        "tasks",
        "executions that run, and of which nothing is under way: nothing will ever end them",
        "podium decide ID has the executor look again; else podium terminate ID.",
        "SELECT id FROM executions AS e WHERE ended_at IS NULL AND status = 'RUNNING' "
        "AND next_sequence > 1 AND NOT EXISTS (SELECT 1 FROM tasks AS t "
        "WHERE t.execution_id = e.id AND (t.ended_at IS NULL OR t.held))",
    ),
    (
        "crowds",
        "executions that have ended or are gone, and hold a place within the limit of their "
        "workflow",
        "Restart the executor; if they are still there then, restore a backup.",
        "SELECT execution_id FROM crowds AS c WHERE NOT EXISTS "
        "(SELECT 1 FROM executions WHERE id = c.execution_id AND ended_at IS NULL)",
    ),
    (
        "webhooks",
        "executions that are gone, and whose end is to be told",
        "They do no harm but take room.",
        "SELECT execution_id FROM webhooks AS w "
        "WHERE NOT EXISTS (SELECT 1 FROM executions WHERE id = w.execution_id)",
    ),
    (
        "task_logs",
        "executions that are gone, and whose tasks' logs are there",
        "They do no harm but take room.",
        "SELECT DISTINCT execution_id FROM task_logs AS l "
        "WHERE NOT EXISTS (SELECT 1 FROM executions WHERE id = l.execution_id)",
    ),
)


def findings(db: Database, opens: Callable[[str], bool] | None) -> Iterator[Finding]:
    """What does not hold; ``opens`` counts for nothing: no text is sealed here."""
    names = {row[0] for row in db.execute("SELECT name FROM meta")}
    for name in sorted({"epoch", "callback_key"} - names):
        yield f"The store does not know its {name}.", _RESTORE
    tables = set(db.table_names())
    for table, what, way_out, ids in _CHECKS:
        if table in tables:
            yield from _found(db, what, way_out, ids)
    yield from _revisions(db)
    yield from _search(db)


def sealed(db: Database) -> Iterator[str]:
    """Every sealed text: none; what executions run names secrets, and has none."""
    yield from ()


def _found(db: Database, what: str, way_out: str, ids: str) -> Iterator[Finding]:
    (count,) = db.execute(f"SELECT count(*) FROM ({ids})").fetchone()
    if count:
        shown = [str(row[0]) for row in db.execute(f"{ids} LIMIT {_SHOWN}")]
        more = ", …" if count > _SHOWN else ""
        yield f"There are {count:,} {what}: {', '.join(shown)}{more}.", way_out


def _revisions(db: Database) -> Iterator[Finding]:
    count, first, last = db.execute(
        "SELECT count(*), coalesce(min(revision), 0), coalesce(max(revision), 0) FROM changes"
    ).fetchone()
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    handed_out = row[0] if row else 0
    if last > handed_out:
        yield f"A change has revision {last}, and {handed_out} was the last handed out.", _RESTORE
    if count and count != last - first + 1:
        gap = last - first + 1 - count
        yield (
            f"{gap:,} changes between the revisions {first} and {last} are missing: who watches "
            "executions missed them.",
            "Restart who watches; what executions are is not touched by it.",
        )


def _search(db: Database) -> Iterator[Finding]:
    """Of the index of words beside the store."""
    store = Path(db.execute("PRAGMA database_list").fetchone()[2])
    path = fulltext.beside(store)
    if not path.exists():
        return
    way_out = f"Delete {path} while the executor is stopped: it is made anew."
    try:
        with closing(_reading(path)) as words:
            (said,) = words.execute("PRAGMA quick_check(1)").fetchone()
            meta = dict(words.execute("SELECT name, value FROM meta"))
    except sqlite3.Error as error:
        yield f"The index of words {path} cannot be read: {error}.", way_out
        return
    if said != "ok":
        yield f"The index of words {path} is damaged: {said}.", way_out
    epoch = db.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
    if epoch and meta.get("epoch") != epoch[0]:
        # Of another store: the executor makes it anew when it starts.
        return
    # Looked at later than the index, which follows it; ``db`` is as of a moment before that.
    with closing(_reading(store)) as now:
        (head,) = now.execute(
            "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'"
        ).fetchone()
    if int(meta.get("revision") or 0) > head:
        yield f"The index of words {path} is ahead of the executions that it is of.", way_out


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
