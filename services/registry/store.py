"""Definitions in SQLite: what they are, what they were, and what has changed since.

Every change takes the next revision, one for all definitions, and is a row of the history; a
watch resumes from that. Functions here take a database inside a transaction of the caller's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from sqlite_utils import Database

from services.errors import NotFound
from services.registry.definitions import Reference

# States that are kept of each definition when older history goes.
KEPT_STATES = 20
# Of these kinds every state is kept, also of what was deleted.
KEPT_FOR_EVER = ("service",)

Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Stored:
    """One state of one definition.

    Attributes:
        version: The author's; 0 for kinds without versions.
        revision: The registry's.
        document: JSON text, in full: key hashes and sealed values included; empty when deleted.
        created_at: Of the definition; aware, as all times here.
        updated_at: Of this state.
        updated_by: The principal's name.
    """

    kind: str
    name: str
    version: int
    revision: int
    etag: str
    document: str
    created_at: datetime
    updated_at: datetime
    updated_by: str
    deleted: bool = False

    @property
    def key(self) -> Key:
        return self.kind, self.name, self.version

    def __str__(self) -> str:
        return title(*self.key)


@dataclass(frozen=True, slots=True)
class Write:
    """A definition to store.

    Attributes:
        document: JSON text, in full.
        uses: What it refers to.
    """

    kind: str
    name: str
    version: int
    document: str
    uses: tuple[Reference, ...] = ()


def title(kind: str, name: str, version: int = 0) -> str:
    """As a person says it: ``workflow 'checkout' version 2``."""
    return f"{kind} {name!r}" + (f" version {version}" if version else "")


def find(db: Database, kind: str, name: str, version: int = 0) -> Stored | None:
    """The definition, or None; version 0 finds the latest."""
    wanted = " AND version = ?" if version else ""
    rows = db.query(
        f"SELECT * FROM definitions WHERE kind = ? AND name = ?{wanted} "
        "ORDER BY version DESC LIMIT 1",
        [kind, name, version] if version else [kind, name],
    )
    return next(map(_stored, rows), None)


def get(db: Database, kind: str, name: str, version: int = 0) -> Stored:
    """The definition; version 0 means the latest. Raises :class:`NotFound`."""
    found = find(db, kind, name, version)
    if found is None:
        raise NotFound(
            f"There is no {title(kind, name, version)}.", kind=kind, name=name, version=str(version)
        )
    return found


def number(db: Database) -> int:
    """How many definitions there are, each version counted; read from an index alone."""
    return cast("int", db.execute("SELECT count(*) FROM definitions").fetchone()[0])


def versions(db: Database, kind: str, name: str) -> list[Stored]:
    """Every version of a definition, the first first."""
    return list(
        map(
            _stored,
            db.query(
                "SELECT * FROM definitions WHERE kind = ? AND name = ? ORDER BY version",
                [kind, name],
            ),
        )
    )


def listed(
    db: Database,
    kind: str = "",
    after: Key | None = None,
    *,
    name: str = "",
    latest_only: bool = False,
) -> Iterator[Stored]:
    """Definitions in order of kind, name and version, behind ``after``; an empty kind lists all.

    ``name`` leaves out those of other names, ``latest_only`` all versions of a name but its latest.
    """
    conditions, values = ["TRUE"], list[Any]()
    for column, wanted in (("kind", kind), ("name", name)):
        if wanted:
            conditions.append(f"{column} = ?")
            values.append(wanted)
    if after:
        conditions.append("(kind, name, version) > (?, ?, ?)")
        values.extend(after)
    if latest_only:
        conditions.append(
            "version = (SELECT max(version) FROM definitions AS other "
            "WHERE other.kind = definitions.kind AND other.name = definitions.name)"
        )
    where = " AND ".join(conditions)
    rows = db.query(f"SELECT * FROM definitions WHERE {where} ORDER BY kind, name, version", values)
    return map(_stored, rows)


def uses(db: Database) -> Iterator[tuple[Key, tuple[Reference, ...]]]:
    """What each definition refers to, for those that refer to anything."""
    for row in db.query("SELECT kind, name, version, uses FROM definitions WHERE uses != '[]'"):
        yield (row["kind"], row["name"], row["version"]), _references(row["uses"])


def uses_of(db: Database, state: Stored) -> tuple[Reference, ...]:
    """What a definition that is stored refers to."""
    rows = db.query(
        "SELECT uses FROM definitions WHERE (kind, name, version) = (?, ?, ?)", list(state.key)
    )
    return next((_references(row["uses"]) for row in rows), ())


def perhaps_naming(
    db: Database, name: str, after: Key | None
) -> Iterator[tuple[Stored, tuple[Reference, ...]]]:
    """Definitions whose references or permissions hold ``name``, and what each refers to.

    They come in order of kind, name and version, behind ``after``.
    """
    written = json.dumps(name, ensure_ascii=False)
    rows = db.query(
        """
        SELECT * FROM definitions
        WHERE (? OR (kind, name, version) > (?, ?, ?))
        AND (instr(uses, ?) OR (kind = 'application' AND instr(document, ?)))
        ORDER BY kind, name, version
        """,
        [after is None, *(after or ("", "", 0)), written, written],
    )
    for row in rows:
        yield _stored(row), _references(row["uses"])


def _references(text: str) -> tuple[Reference, ...]:
    return tuple(Reference(*each) for each in json.loads(text))


def put(db: Database, write: Write, by: str, now: datetime) -> Stored:
    """Store ``write`` under the next revision, over what is there."""
    before = find(db, write.kind, write.name, write.version)
    state = Stored(
        **{name: getattr(write, name) for name in ("kind", "name", "version", "document")},
        revision=0,
        etag="",
        created_at=before.created_at if before else now,
        updated_at=now,
        updated_by=by,
    )
    state = _record(db, state)
    uses = [[r.kind, r.name, r.version, r.path, r.required] for r in write.uses]
    db.execute(
        """
        INSERT INTO definitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET
            revision = excluded.revision, etag = excluded.etag, document = excluded.document,
            uses = excluded.uses, updated_at = excluded.updated_at,
            updated_by = excluded.updated_by
        """,
        [
            *state.key,
            state.revision,
            state.etag,
            state.document,
            json.dumps(uses, ensure_ascii=False),
            state.created_at.isoformat(),
            by,
            now.isoformat(),
            by,
        ],
    )
    return state


def delete(db: Database, state: Stored, by: str, now: datetime) -> Stored:
    """Remove a definition; what was there stays in the history. The state that says so."""
    db.execute(
        "DELETE FROM definitions WHERE (kind, name, version) = (?, ?, ?)",
        list(state.key),
    )
    return _record(
        db, replace(state, document="", deleted=True, updated_at=now, updated_by=by, etag="")
    )


def _record(db: Database, state: Stored) -> Stored:
    """``state`` with its revision and etag, as the history now has it."""
    # The time tells apart two histories that went on from one copy of the file.
    content = f"{state.updated_at.isoformat()}\n{state.document}"
    etag = sha256(content.encode()).hexdigest()[:16]
    cursor = db.execute(
        """
        INSERT INTO history
            (kind, name, version, etag, document, deleted, created_at, updated_at, updated_by)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            *state.key,
            etag,
            state.document,
            int(state.deleted),
            state.created_at.isoformat(),
            state.updated_at.isoformat(),
            state.updated_by,
        ],
    )
    return replace(state, revision=cursor.lastrowid or 0, etag=etag)


def history(
    db: Database, kind: str, name: str, version: int = 0, before: int = 0
) -> Iterator[Stored]:
    """States of a definition, the newest first; version 0 means of every version.

    The list begins behind the revision ``before``, 0 meaning at the newest.
    """
    rows = db.query(
        """
        SELECT * FROM history
        WHERE kind = ? AND name = ? AND (? = 0 OR version = ?) AND (? = 0 OR revision < ?)
        ORDER BY revision DESC
        """,
        [kind, name, version, version, before, before],
    )
    return map(_stored, rows)


def at(db: Database, kind: str, name: str, revision: int) -> Stored:
    """The state of a definition that was stored at ``revision``. Raises :class:`NotFound`."""
    rows = db.query(
        "SELECT * FROM history WHERE revision = ? AND kind = ? AND name = ?", [revision, kind, name]
    )
    found = next(map(_stored, rows), None)
    if found is None:
        raise NotFound(
            f"There is no revision {revision} of {title(kind, name)}, or it is kept no more.",
            kind=kind,
            name=name,
            revision=str(revision),
        )
    return found


def epoch(db: Database) -> str:
    """The store's; another one means another store."""
    return _meta(db, "epoch")


def compacted(db: Database) -> int:
    """The last revision behind which changes are no longer known one by one."""
    return int(_meta(db, "compacted"))


def revision(db: Database) -> int:
    """The last one that was handed out; 0 in a new store."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'history'").fetchone()
    return int(row[0]) if row else 0


def changes(db: Database, since: int) -> Iterator[Stored]:
    """Every state stored after revision ``since``, in order."""
    rows = db.query("SELECT * FROM history WHERE revision > ? ORDER BY revision", [since])
    return map(_stored, rows)


def compact(db: Database, keep: int) -> None:
    """Let go of history: all but the last ``keep`` revisions and some states of what is there.

    Every state of the kinds that are kept for ever stays. It is done once in a while, when a tenth
    more than ``keep`` has gathered.
    """
    last, horizon = revision(db), compacted(db)
    if last - horizon <= keep + max(1, keep // 10):
        return
    horizon = last - keep
    db.execute(
        """
        DELETE FROM history WHERE revision <= ? AND kind NOT IN (SELECT value FROM json_each(?))
        AND revision NOT IN (
            SELECT revision FROM (
                SELECT history.revision AS revision, row_number()
                    OVER (PARTITION BY kind, name, version ORDER BY history.revision DESC) AS age
                FROM history JOIN definitions USING (kind, name, version)
            ) WHERE age <= ?
        )
        """,
        [horizon, json.dumps(KEPT_FOR_EVER), KEPT_STATES],
    )
    db.execute("UPDATE meta SET value = ? WHERE name = 'compacted'", [str(horizon)])


def _meta(db: Database, name: str) -> str:
    return str(db.execute("SELECT value FROM meta WHERE name = ?", [name]).fetchone()[0])


_TIMES = ("created_at", "updated_at")


def _stored(row: dict[str, Any]) -> Stored:
    values = {name: row[name] for name in Stored.__slots__ if name in row}
    values.update({name: datetime.fromisoformat(row[name]) for name in _TIMES})
    return Stored(**values | {"deleted": bool(row.get("deleted", 0))})
