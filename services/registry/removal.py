"""Deleting definitions: refused while anything would miss them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlite_utils import Database

from services.errors import Conflict, NotFound, Stale
from services.registry import references, store
from services.registry.definitions import KINDS, Definition
from services.registry.store import Stored

_NAMED_USERS = 10


def remove(
    db: Database, kind: str, name: str, version: int, etag: str, by: str, now: datetime
) -> list[Stored]:
    """Delete a definition, every version of it where ``version`` is 0.

    An ``etag`` is that of the version, or of the latest.

    Returns:
        The states that say that it is gone.

    Raises:
        NotFound: There is none.
        Stale: The etag does not hold.
        Conflict: Something uses it; all users are named.
    """
    every = store.versions(db, kind, name)
    states = [state for state in every if version in (0, state.version)]
    if not states:
        raise NotFound(
            f"There is no {store.title(kind, name, version)}.",
            kind=kind,
            name=name,
            version=str(version),
        )
    if etag and etag != states[-1].etag:
        detail = f"Somebody else has changed {states[-1]} since you read it: read it again."
        raise Stale(detail, kind=kind, name=name)
    _check_unused(db, kind, name, version, remains=len(states) < len(every))
    return [store.delete(db, state, by, now) for state in states]


def _check_unused(db: Database, kind: str, name: str, version: int, *, remains: bool) -> None:
    users = references.users(kind, name, version or None, _users(db), remains=remains)
    if not users:
        return
    named = ", ".join(map(str, users[:_NAMED_USERS]))
    more = f" and {len(users) - _NAMED_USERS} more" if len(users) > _NAMED_USERS else ""
    title = store.title(kind, name, version)
    raise Conflict(
        # Not capitalize(): it would write the name in lower case, too.
        f"{title[:1].upper()}{title[1:]} is used by {named}{more}.",
        kind=kind,
        name=name,
        users=named,
    )


def _users(db: Database) -> Iterator[Definition]:
    for (kind, name, version), uses in store.uses(db):
        yield Definition(kind, name, version if KINDS[kind].versioned else 1, {}, references=uses)
