"""The index of words: a database beside ``executor.db``, made from it, that may be deleted.

It follows the changes by their revisions. What changed before them, as when it is new or changes
were dropped meanwhile, is walked through, the newest executions first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar, cast

from services.executor.core.masking import masked
from services.executor.documents import compact, text_of, value_of

T = TypeVar("T")

# Another one whenever what is in it is made otherwise.
_SCHEMA = "1"
CHANGES_AT_ONCE = 500
_EXECUTIONS_AT_ONCE = 200
# Of each document so much is looked into.
MOST_CHARS = 100_000
_NAME = "words"
# A function of ours.
_MASKED = "podium_masked"
_TABLES = """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE places (
        doc INTEGER PRIMARY KEY,
        execution_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        UNIQUE (execution_id, sequence)
    );
    CREATE VIRTUAL TABLE of_executions USING fts5(body, tokenize="unicode61 remove_diacritics 2");
    CREATE VIRTUAL TABLE of_tasks USING fts5(body, tokenize="unicode61 remove_diacritics 2");
"""


def _words(column: str) -> str:
    r"""A document's words: escapes are none, and \n before a word is no letter of it."""
    text = f"substr({column}, 1, {MOST_CHARS})"
    for escape in ("\\\\", "\\n", "\\r", "\\t", '\\"'):
        text = f"replace({text}, '{escape}', ' ')"
    return f"coalesce({text}, '')"


def _body(table: str) -> str:
    parts = (_words(_shown(f"{table}.input")), _words(_shown(f"{table}.output")))
    return " || ' ' || ".join((*parts, f"substr({table}.reason, 1, {MOST_CHARS})"))


def _shown(column: str) -> str:
    return f"CASE WHEN s.masked IS NULL THEN {column} ELSE {_MASKED}({column}, s.masked) END"


_MAKE_DUE = """
    CREATE TEMP TABLE due (execution_id TEXT, sequence INTEGER, updated_at INTEGER, body TEXT)
"""
_DUE = (
    f"""
    INSERT INTO temp.due SELECT e.id, 0, e.updated_at, {_body("e")}
    FROM json_each(?) AS wanted CROSS JOIN store.executions AS e ON e.id = wanted.value
    LEFT JOIN main.places AS p ON p.execution_id = e.id AND p.sequence = 0
    LEFT JOIN store.snapshots AS s INDEXED BY snapshots_that_mask
    ON s.hash = e.snapshot AND s.masked IS NOT NULL
    WHERE p.updated_at IS NOT e.updated_at
    """,
    f"""
    INSERT INTO temp.due SELECT t.execution_id, t.sequence, t.updated_at, {_body("t")}
    FROM json_each(?) AS wanted CROSS JOIN store.tasks AS t ON t.execution_id = wanted.value
    CROSS JOIN store.executions AS e ON e.id = t.execution_id
    LEFT JOIN main.places AS p ON p.execution_id = t.execution_id AND p.sequence = t.sequence
    LEFT JOIN store.snapshots AS s INDEXED BY snapshots_that_mask
    ON s.hash = e.snapshot AND s.masked IS NOT NULL
    WHERE p.updated_at IS NOT t.updated_at
    """,
)
# The second: what is there no more, of executions that were restarted or are gone.
_OUTDATED = (
    """
    SELECT p.doc, p.sequence FROM temp.due AS d CROSS JOIN main.places AS p
    ON p.execution_id = d.execution_id AND p.sequence = d.sequence
    """,
    """
    SELECT p.doc, p.sequence FROM json_each(?) AS wanted CROSS JOIN main.places AS p
    ON p.execution_id = wanted.value WHERE CASE p.sequence
    WHEN 0 THEN NOT EXISTS (SELECT 1 FROM store.executions AS e WHERE e.id = p.execution_id)
    ELSE NOT EXISTS (
        SELECT 1 FROM store.tasks AS t
        WHERE t.execution_id = p.execution_id AND t.sequence = p.sequence
    ) END
    """,
)
_PUT = (
    """
    INSERT INTO main.places (execution_id, sequence, updated_at)
    SELECT execution_id, sequence, updated_at FROM temp.due
    """,
    *(
        f"""
        INSERT INTO main.{table} (rowid, body) SELECT p.doc, d.body FROM temp.due AS d
        CROSS JOIN main.places AS p
        ON p.execution_id = d.execution_id AND p.sequence = d.sequence WHERE {which} ORDER BY p.doc
        """
        for table, which in (("of_executions", "d.sequence = 0"), ("of_tasks", "d.sequence > 0"))
    ),
)


def beside(store: Path) -> Path:
    """Where the index of a store is."""
    return store.with_name(f"{store.stem}-search.db")


def attach(db: sqlite3.Connection, path: Path) -> None:
    """Have a connection to a store look things up in its index at ``path``, too."""
    db.execute(f"ATTACH ? AS {_NAME}", (str(path),))


def opened(store: Path, epoch: str) -> sqlite3.Connection:
    """A connection to the index of a store, which it can write, and to the store, which it cannot.

    An index that cannot be read, or is another store's, is made anew.
    """
    path = beside(store)
    try:
        return _opened(path, store, epoch)
    except sqlite3.DatabaseError:
        for end in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{path}{end}").unlink()
        return _opened(path, store, epoch)


def _opened(path: Path, store: Path, epoch: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        path.absolute().as_uri(),
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=10,
    )
    try:
        db.execute("PRAGMA journal_mode=WAL")
        # What a power cut takes is made again.
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA temp_store=MEMORY")
        # Each waits for the disk, which others wait for as well.
        db.execute("PRAGMA wal_autocheckpoint=8000")
        _prepare(db, epoch)
        db.execute("ATTACH ? AS store", (f"{store.absolute().as_uri()}?mode=ro",))
        db.execute(_MAKE_DUE)
        db.create_function(_MASKED, 2, _without_masked, deterministic=True)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, epoch: str) -> None:
    if _meta(db) == (_SCHEMA, epoch):
        return
    db.execute("BEGIN IMMEDIATE")
    for table in ("meta", "places", "of_executions", "of_tasks"):
        db.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in filter(str.strip, _TABLES.split(";")):
        db.execute(statement)
    db.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        (("schema", _SCHEMA), ("epoch", epoch), ("revision", -1), ("walk", None)),
    )
    db.execute("COMMIT")


def _meta(db: sqlite3.Connection) -> tuple[object, object]:
    try:
        found = dict(db.execute("SELECT name, value FROM meta"))
    except sqlite3.OperationalError:
        # It is new.
        return None, None
    return found.get("schema"), found.get("epoch")


def _without_masked(document: str | None, fields: str) -> str | None:
    """JSON text without what stands at the keys that the list ``fields`` names."""
    if document is None:
        return None
    keys = cast("list[str]", value_of(fields))
    return text_of(masked(value_of(document), frozenset(keys)))


def close(db: sqlite3.Connection) -> None:
    """Close what :func:`opened` gave."""
    with closing(db), suppress(sqlite3.Error):
        # What lies in its log is read at every start.
        db.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")


def step(db: sqlite3.Connection, changes: int = CHANGES_AT_ONCE, *, walking: bool = True) -> bool:
    """Go on a little; whether there is more to do.

    Args:
        changes: So many at most.
        walking: Whether to walk through what changed before them, too.
    """
    return _together(db, lambda: _step(db, changes, walking))


def _together(db: sqlite3.Connection, work: Callable[[], T]) -> T:
    db.execute("BEGIN IMMEDIATE")
    try:
        done = work()
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return done


def _step(db: sqlite3.Connection, most: int, walking: bool) -> bool:
    state = dict(db.execute("SELECT name, value FROM main.meta"))
    revision, walk = state["revision"], state["walk"]
    row = db.execute("SELECT seq FROM store.sqlite_sequence WHERE name = 'changes'").fetchone()
    head = 0 if row is None else row[0]
    tail = db.execute(
        "SELECT revision, execution_id FROM store.changes WHERE revision > ? "
        "ORDER BY revision LIMIT ?",
        (revision, most),
    ).fetchall()
    if revision < 0 or revision > head or (tail[0][0] if tail else head + 1) != revision + 1:
        # What was missed is met on the way.
        newest = db.execute("SELECT max(rowid) FROM store.executions").fetchone()[0]
        _note(db, revision=head, walk=newest)
        return newest is not None
    if tail:
        _index(db, list({execution_id for _, execution_id in tail}))
        _note(db, revision=tail[-1][0], walk=walk)
        return walk is not None or len(tail) == most
    if walk is None or not walking:
        return walk is not None
    rows = db.execute(
        "SELECT rowid, id FROM store.executions WHERE rowid <= ? ORDER BY rowid DESC LIMIT ?",
        (walk, _EXECUTIONS_AT_ONCE),
    ).fetchall()
    _index(db, [execution_id for _, execution_id in rows])
    full = len(rows) == _EXECUTIONS_AT_ONCE
    _note(db, revision=revision, walk=rows[-1][0] - 1 if full else None)
    return full


def _note(db: sqlite3.Connection, *, revision: int, walk: int | None) -> None:
    db.execute("UPDATE main.meta SET value = ? WHERE name = 'revision'", (revision,))
    db.execute("UPDATE main.meta SET value = ? WHERE name = 'walk'", (walk,))


def forget(db: sqlite3.Connection, ids: Sequence[str]) -> None:
    """Of executions that are gone, drop the words."""
    _together(db, lambda: _index(db, ids))


def _index(db: sqlite3.Connection, ids: Sequence[str]) -> None:
    wanted = compact(list(ids))
    for statement in _DUE:
        db.execute(statement, (wanted,))
    docs = [*db.execute(_OUTDATED[0]), *db.execute(_OUTDATED[1], (wanted,))]
    for table, part in (("of_executions", False), ("of_tasks", True)):
        gone = [(doc,) for doc, sequence in docs if (sequence > 0) is part]
        db.executemany(f"DELETE FROM main.{table} WHERE rowid = ?", gone)
        db.executemany("DELETE FROM main.places WHERE doc = ?", gone)
    for statement in _PUT:
        db.execute(statement)
    db.execute("DELETE FROM temp.due")


def left(db: sqlite3.Connection) -> int:
    """About how many executions are still to be walked through."""
    (walk,) = db.execute("SELECT value FROM main.meta WHERE name = 'walk'").fetchone()
    return walk or 0
