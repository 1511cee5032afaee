"""Deleting definitions: refused while anything that stays would miss them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
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
MayRead = Callable[[Stored], bool]


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


def states(db: Database, removal: Removal) -> list[Stored]:
    """What ``removal`` would delete; empty if there is no such thing."""
    every = store.versions(db, removal.kind, removal.name)
    return [state for state in every if removal.version in (0, state.version)]


def remove(
    db: Database, removals: Sequence[Removal], by: str, now: datetime, may_read: MayRead
) -> list[Stored]:
    """Delete definitions together, users before what they use.

    Args:
        may_read: Which users may be named where something is used.

    Returns:
        What is gone, as it was.

    Raises:
        NotFound: There is none.
        InvalidRequest: One is named twice.
        Stale: An etag does not hold.
        Conflict: Something that stays uses one of them.
    """
    found = [state for removal in removals for state in _found(db, removal)]
    if len({state.key for state in found}) < len(found):
        raise InvalidRequest("A definition is to be deleted twice.")
    ordered = _users_first(db, found)
    for state in ordered:
        store.delete(db, state, by, now)
    _check_unused(db, removals, may_read)
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
    found = states(db, removal)
    if not found:
        raise NotFound(
            f"There is no {removal}.",
            kind=removal.kind,
            name=removal.name,
            version=str(removal.version),
        )
    if removal.etag and removal.etag != found[-1].etag:
        detail = f"Somebody else has changed {found[-1]} since you read it: read it again."
        raise Stale(detail, kind=removal.kind, name=removal.name)
    return found


def _check_unused(db: Database, removals: Sequence[Removal], may_read: MayRead) -> None:
    """Raise Conflict if what is still there uses what is not there any more."""
    users_of = _users_of(db)
    refused = [(each, users) for each in removals if (users := _users(db, each, users_of))]
    if not refused:
        return
    told = {each: _named(db, users, may_read) for each, users in refused}
    first, named = refused[0][0], told[refused[0][0]]
    # Not capitalize(): it would write the name in lower case, too.
    detail = f"{str(first)[:1].upper()}{str(first)[1:]} is used by {named}."
    faults = [Fault(str(each), f"is used by {users}") for each, users in told.items()]
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


def _named(db: Database, users: Iterable[User], may_read: MayRead) -> str:
    every = list(users)
    seen = [user for user in every if _is_seen(db, user, may_read)]
    shown = ", ".join(map(str, seen[:_NAMED_USERS]))
    if len(seen) > _NAMED_USERS:
        shown += f" and {len(seen) - _NAMED_USERS} more"
    if len(seen) == len(every):
        return shown
    # How many they are is not for the caller, either.
    return f"{shown} and others that you may not see" if shown else "what you may not see"


def _is_seen(db: Database, user: User, may_read: MayRead) -> bool:
    version = user.version if KINDS[user.kind].versioned else 0
    state = store.find(db, user.kind, user.name, version)
    return state is not None and may_read(state)
