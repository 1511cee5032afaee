"""What must hold of ``registry.db`` beyond what SQLite sees; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from sqlite_utils import Database

from services.auditing.chain import CHAINS, Broken, Head
from services.registry import audit, store
from services.registry.sealed import SealedInRegistry
from services.resealing import Place, Thing

Finding = tuple[str, str]
"""What does not hold, and the way out: two sentences."""

_RESTORE = "Restore a backup."
_AT_ONCE = 500


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
    yield from _audit(db)
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
    way_out = (
        "Put the key that it was sealed with into secret.key, behind the one that is there; the "
        "manifest of each backup has the ids of its keys."
    )
    for thing in _things(db):
        if not all(map(opens, thing.seals)):
            yield f"No key opens what is sealed in the {thing.kind} {thing.name}.", way_out


def _things(db: Database) -> Iterator[Thing]:
    holding = SealedInRegistry()
    for kind in holding.kinds:
        after: Place | None = None
        while things := _page(holding, db, kind, after):
            after = things[-1].place
            yield from things


def sealed(db: Database) -> Iterator[str]:
    """Every sealed text."""
    for thing in _things(db):
        yield from thing.seals


def _page(sealed: SealedInRegistry, db: Database, kind: str, after: Place | None) -> list[Thing]:
    try:
        return sealed.page(db, kind, after, _AT_ONCE)
    except ValueError:
        # A document that is none, which is told of by itself.
        return []


def _audit(db: Database) -> Iterator[Finding]:
    if not db.table("audit_chains").exists():
        return
    way_out = "Compare it with a backup of before; what was written after it still counts."
    if gone := audit.missing(db):
        yield f"The audit log was changed by hand: entry {gone} was taken out.", way_out
    for which in CHAINS:
        head, left = audit.checked(db, which, None, _AT_ONCE)
        while isinstance(head, Head) and left:
            head, left = audit.checked(db, which, head, _AT_ONCE)
        if isinstance(head, Broken):
            yield f"The audit log was changed by hand: {head}.", way_out
