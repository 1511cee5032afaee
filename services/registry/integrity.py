"""What must hold of ``registry.db`` beyond what SQLite sees; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlite_utils import Database

from services.registry import store
from services.sealing import PREFIXES

Finding = tuple[str, str]
"""What does not hold, and the way out: two sentences."""

_RESTORE = "Restore a backup."


def findings(db: Database, opens: Callable[[str], bool] | None) -> Iterator[Finding]:
    """What does not hold.

    Args:
        opens: Whether the key opens a sealed text; None: there is no key to try.
    """
    names = {row[0] for row in db.execute("SELECT name FROM meta")}
    for name in sorted({"epoch", "compacted"} - names):
        yield f"The store does not know its {name}.", _RESTORE
    if {"epoch", "compacted"} <= names:
        yield from _revisions(db)
    yield from _definitions(db)
    if opens is not None:
        yield from _sealed(db, opens)


def _revisions(db: Database) -> Iterator[Finding]:
    last, compacted = store.revision(db), store.compacted(db)
    (highest,) = db.execute("SELECT coalesce(max(revision), 0) FROM history").fetchone()
    if highest > last:
        yield f"The history has revision {highest}, and {last} was the last handed out.", _RESTORE
    if compacted > last:
        yield f"The history was compacted up to {compacted}, and ends at {last}.", _RESTORE
    (kept,) = db.execute("SELECT count(*) FROM history WHERE revision > ?", [compacted]).fetchone()
    if kept != last - compacted and highest <= last:
        missing = last - compacted - kept
        yield (
            f"{missing} revisions after {compacted} are missing from the history: who follows the "
            "definitions missed them.",
            "Restore a backup; its new epoch has everybody read all again.",
        )


def _definitions(db: Database) -> Iterator[Finding]:
    for name, revision in db.execute(
        "SELECT kind || ' ' || name, revision FROM definitions AS d WHERE NOT EXISTS ("
        "SELECT 1 FROM history AS h WHERE h.revision = d.revision AND h.etag = d.etag) LIMIT 5"
    ):
        yield (
            f"The {name} is of revision {revision}, which the history does not have so.",
            "Apply it again, or restore a backup.",
        )
    for kind, name, document in db.execute("SELECT kind, name, document FROM definitions"):
        try:
            json.loads(document)
        except ValueError:
            yield f"The document of the {kind} {name} is no JSON.", "Apply it again."


def _sealed(db: Database, opens: Callable[[str], bool]) -> Iterator[Finding]:
    way = "Put the secret.key there that the database was sealed with; its backup has its print."
    for key_id, text in db.execute("SELECT key_id, sealed_private_key FROM signing_keys"):
        if not opens(text):
            yield f"The key does not open the signing key {key_id}: the registry cannot start.", way
    for kind, name, text in _sealed_texts(db):
        if not opens(text):
            what = f"The key does not open what is sealed in the {kind} {name}."
            yield what, f"{way} Or apply the {kind} again, with its value."


def _sealed_texts(db: Database) -> Iterator[tuple[str, str, str]]:
    rows = db.execute("SELECT kind, name, document FROM definitions WHERE kind = 'secret'")
    for kind, name, document in rows:
        try:
            told: Any = json.loads(document)
        except ValueError:
            continue
        value = told.get("value") if isinstance(told, dict) else None
        if isinstance(value, str) and value.startswith(PREFIXES):
            yield kind, name, value
