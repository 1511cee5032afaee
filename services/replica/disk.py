"""The copy on disk: definitions, how far it has come, and what tokens are verified with.

What is written together holds together: a place never stands without the changes up to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from services.replica.copy import Change, Place, Removed, Stored, Trust

migrations = Migrations("definition-copy")

_NO_TRUST = Trust({}, frozenset())


@migrations(name="0001_first")
def _first(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE definitions (
            kind TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
            revision INTEGER NOT NULL, etag TEXT NOT NULL, document TEXT NOT NULL,
            PRIMARY KEY (kind, name, version)
        ) STRICT, WITHOUT ROWID
        """
    )
    # One row each: where the copy stands and for which kinds; whose tokens hold.
    db.execute("CREATE TABLE place (epoch TEXT, revision INTEGER, kinds TEXT) STRICT")
    db.execute("CREATE TABLE trust (public_keys TEXT, revoked TEXT) STRICT")


@migrations(name="0002_ends_of_keys")
def _ends(db: Database) -> None:
    db.execute("ALTER TABLE trust ADD COLUMN ends TEXT NOT NULL DEFAULT '{}'")
    db.execute("ALTER TABLE trust ADD COLUMN revoked_signers TEXT NOT NULL DEFAULT '[]'")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is on disk: of which kinds, how far, whose tokens hold, and the definitions."""

    kinds: tuple[str, ...]
    place: Place
    trust: Trust
    stored: tuple[Stored, ...] = ()


def load(db: Database, kinds: tuple[str, ...]) -> Kept:
    """What is kept.

    Without definitions where they are of other ``kinds`` than are wanted now: what changed in
    those was never told.
    """
    trust = _NO_TRUST
    for row in db.execute("SELECT public_keys, revoked, ends, revoked_signers FROM trust"):
        keys, revoked, ends, signers = map(json.loads, row)
        trust = Trust(keys, frozenset(revoked), ends, frozenset(signers))
    for epoch, revision, of in db.execute("SELECT epoch, revision, kinds FROM place"):
        if of == _joined(kinds):
            rows = db.execute(
                "SELECT kind, name, version, revision, etag, document FROM definitions"
            )
            stored = tuple(Stored(*row) for row in rows)
            return Kept(kinds, Place(epoch, revision), trust, stored)
    return Kept(kinds, Place(), trust)


def save(db: Database, changes: Iterable[Change], kept: Kept, *, whole: bool) -> None:
    """Keep what ``changes`` leave of what is there, or, where they are the ``whole``, of nothing.

    Args:
        kept: Where that stands, and the trust; its ``stored`` counts for nothing.
    """
    if whole:
        db.execute("DELETE FROM definitions")
    # In their order: a removal of every version, and then a new one.
    for change in changes:
        match change:
            case Stored():
                db.execute(_PUT, (*change.key, change.revision, change.etag, change.text))
            case Removed():
                db.execute(_REMOVE, change.key)
    db.execute("DELETE FROM place")
    db.execute("INSERT INTO place VALUES (?, ?, ?)", (*astuple(kept.place), _joined(kept.kinds)))
    db.execute("DELETE FROM trust")
    trust = kept.trust
    told = {
        "public_keys": dict(trust.public_keys),
        "revoked": sorted(trust.revoked),
        "ends": dict(trust.ends),
        "revoked_signers": sorted(trust.revoked_signers),
    }
    db.table("trust").insert({name: json.dumps(value) for name, value in told.items()})


_PUT = "INSERT OR REPLACE INTO definitions VALUES (?, ?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM definitions WHERE kind = ? AND name = ? AND ? IN (0, version)"


def _joined(kinds: Sequence[str]) -> str:
    return ",".join(sorted(kinds))
