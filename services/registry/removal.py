"""Deleting definitions: refused while anything that stays would miss them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from services.access import Application
from services.errors import Conflict, Fault, InvalidRequest, NotFound, Stale
from services.registry import documents, references, store
from services.registry.definitions import KINDS, Definition
from services.registry.references import User
from services.registry.store import Stored

_NAMED_USERS = 10
_WITH_KEYS = ("application", "auth")


@dataclass(frozen=True, slots=True)
class Removal:
    """One definition to delete.

    Attributes:
        version: 0: every version.
        etag: That of the version, or of the latest; empty: whatever it is.
    """

    kind: str
    name: str
    version: int = 0
    etag: str = ""

    def __str__(self) -> str:
        return store.title(self.kind, self.name, self.version)


def remove(db: Database, removals: Sequence[Removal], by: str, now: datetime) -> list[Stored]:
    """Delete definitions together, users before what they use.

    Returns:
        What is gone, as it was.

    Raises:
        NotFound: There is none.
        InvalidRequest: One is named twice.
        Stale: An etag does not hold.
        Conflict: Something that stays uses one of them; all users are named.
    """
    states = [state for removal in removals for state in _found(db, removal)]
    if len({state.key for state in states}) < len(states):
        raise InvalidRequest("A definition is to be deleted twice.")
    ordered = _users_first(db, states)
    for state in ordered:
        store.delete(db, state, by, now)
    _check_unused(db, removals)
    return ordered


def beside(
    db: Database, kinds: Collection[str], put: Collection[store.Key], *, access: bool
) -> list[Removal]:
    """What is there of ``kinds``, and is not among what is ``put``.

    What nobody could bring back is left out: secrets, administrators, and without ``access`` what
    has keys.
    """
    spared = {"secret"} if access else {"secret", *_WITH_KEYS}
    return [
        Removal(*state.key, state.etag)
        for kind in sorted(set(kinds) - spared)
        for state in store.listed(db, kind)
        if state.key not in put and not _administers(state)
    ]


def _administers(state: Stored) -> bool:
    if state.kind != "application":
        return False
    return "ADMIN" in Application.from_document(documents.stored(state.document)).roles


def _users_first(db: Database, states: Sequence[Stored]) -> list[Stored]:
    if len(states) < 2:
        return list(states)
    uses = dict(store.uses(db))
    by_key = {_key(state.key): state for state in states}
    ordered = references.users_first(
        [Definition(*_key(s.key), {}, references=uses.get(s.key, ())) for s in states]
    )
    return [by_key[each.kind, each.name, each.version] for each in ordered]


def _key(key: store.Key) -> store.Key:
    """As definitions have it: version 1 where there are none."""
    kind, name, version = key
    return kind, name, version if KINDS[kind].versioned else 1


def _found(db: Database, removal: Removal) -> list[Stored]:
    every = store.versions(db, removal.kind, removal.name)
    states = [state for state in every if removal.version in (0, state.version)]
    if not states:
        raise NotFound(
            f"There is no {removal}.",
            kind=removal.kind,
            name=removal.name,
            version=str(removal.version),
        )
    if removal.etag and removal.etag != states[-1].etag:
        detail = f"Somebody else has changed {states[-1]} since you read it: read it again."
        raise Stale(detail, kind=removal.kind, name=removal.name)
    return states


def _check_unused(db: Database, removals: Sequence[Removal]) -> None:
    """Raise Conflict if what is still there uses what is not there any more."""
    users_of = _users_of(db)
    refused = [(each, users) for each in removals if (users := _users(db, each, users_of))]
    if not refused:
        return
    first, named = refused[0][0], _named(refused[0][1])
    # Not capitalize(): it would write the name in lower case, too.
    detail = f"{str(first)[:1].upper()}{str(first)[1:]} is used by {named}."
    faults = [Fault(str(each), f"is used by {_named(users)}") for each, users in refused]
    if len(refused) > 1:
        detail = f"{len(refused)} definitions are used by what stays; the first: {detail}"
    raise Conflict(detail, faults, kind=first.kind, name=first.name, users=named)


def _users(
    db: Database, removal: Removal, users_of: dict[tuple[str, str], list[Definition]]
) -> tuple[User, ...]:
    kind, name = removal.kind, removal.name
    remains = store.find(db, kind, name) is not None
    candidates = users_of.get((kind, name), ())
    return references.users(kind, name, removal.version or None, candidates, remains=remains)


def _users_of(db: Database) -> dict[tuple[str, str], list[Definition]]:
    """What uses anything, by what it uses."""
    found: dict[tuple[str, str], list[Definition]] = {}
    for key, uses in store.uses(db):
        user = Definition(*_key(key), {}, references=uses)
        for used in dict.fromkeys((each.kind, each.name) for each in uses):
            found.setdefault(used, []).append(user)
    return found


def _named(users: Iterable[User]) -> str:
    every = list(users)
    more = f" and {len(every) - _NAMED_USERS} more" if len(every) > _NAMED_USERS else ""
    return ", ".join(map(str, every[:_NAMED_USERS])) + more
