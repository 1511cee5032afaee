"""Gateway keys of an auth definition one by one: listed, made, rolled, revoked. No IO.

A name stands for one key at a time, and one that a number gave for that key for ever. What rolls a
key makes another, under a name of its own, whose calls are known as the first one's: quotas,
results and what else belongs to a caller stay theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import cast

from services.errors import AlreadyExists, Conflict, InvalidRequest, NotFound
from services.registry.definitions import Document, Json
from services.registry.definitions.reading import Place, Reading
from services.registry.definitions.values import Name
from services.registry.keys import hashed
from services.registry.writeonly import (
    ACTS_AS,
    LAST_NUMBER,
    last_number,
    moment,
    numbered_to,
    stored_keys,
    written,
)

MOST_KEYS = 100
LONGEST_OVERLAP = timedelta(days=3650)
# A key that has expired is listed for some time: somebody may ask why it no longer opens.
KEPT_AFTER_END = timedelta(days=30)
_LONGEST_NAME = 255
_NAMED = 10


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One gateway key, without the key.

    Attributes:
        acts_as: The name that its calls are known by; most often its own.
        created_at: None: nobody knows.
        expires_at: None: never.
    """

    name: str
    acts_as: str
    created_at: datetime | None
    expires_at: datetime | None

    def live(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Change:
    """An auth document with other keys.

    Attributes:
        document: In full, as it is to be stored.
        made: The new key; None if none was made.
        ended: What ends now or later.
    """

    document: Document
    made: ApiKey | None = None
    ended: tuple[ApiKey, ...] = ()


def listed(auth: Mapping[str, Json]) -> list[ApiKey]:
    """The keys of a stored auth document, in order."""
    return [_read(entry) for entry in stored_keys(auth)]


def created(
    auth: Document, name: str, key: str, expires_at: datetime | None, now: datetime
) -> Change:
    """``auth`` with one more key; without a ``name`` a number gives it one.

    Raises:
        AlreadyExists: There is a key of that name, or one that acts as it.
        Conflict: There are too many keys, or anybody may call.
        InvalidRequest: It is no name, or ``expires_at`` is over.
    """
    _check_has_keys(auth)
    _check_end(expires_at, now)
    entries = _kept(auth, now)
    _check_room(auth, entries)
    number = last_number(auth)
    if name:
        _check_name(auth, name)
    else:
        number += 1
        name = f"key-{number}"
    entry = _entry(name, key, expires_at, now)
    return Change(_with(auth, [*entries, entry], number), _read(entry))


def rolled(
    auth: Document,
    name: str,
    key: str,
    overlap: timedelta,
    expires_at: datetime | None,
    now: datetime,
) -> Change:
    """``auth`` with one more key in the place of those that act as the key ``name`` does.

    They end after ``overlap``, or when they would anyway; without overlap they are dropped.

    Raises:
        NotFound: There is no such key.
        Conflict: There are too many keys, or anybody may call; without a ``name``, keys act as
            several.
        InvalidRequest: A time makes no sense.
    """
    _check_has_keys(auth)
    _check_end(expires_at, now)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise InvalidRequest(f"The overlap must be 0 to {LONGEST_OVERLAP.days} days.")
    line, kept = _line(auth, name, now), _kept(auth, now)
    ended = {
        old.name: _ending(entry, now + overlap)
        for entry in kept
        if (old := _read(entry)).acts_as == line and old.live(now)
    }
    entries = [ended.get(str(entry.get("name")), entry) for entry in kept]
    if not overlap:
        entries = [entry for entry in kept if entry.get("name") not in ended]
    _check_room(auth, entries)
    number, new_name = _next_name(auth, line)
    entry = _entry(new_name, key, expires_at, now) | {ACTS_AS: line}
    after = _with(auth, [*entries, entry], number)
    return Change(after, _read(entry), tuple(map(_read, ended.values())))


def known(auth: Document, key: str) -> Change | None:
    """What the making of ``key`` did, where it is there already; the document is as it is."""
    entries = stored_keys(auth)
    made = next((_read(each) for each in entries if each.get("hash") == hashed(key)), None)
    if made is None:
        return None
    line = [each for each in listed(auth) if each.acts_as == made.acts_as and each != made]
    return Change(auth, made, tuple(each for each in line if each.expires_at is not None))


def revoked(auth: Document, name: str, now: datetime, *, even_last: bool) -> Change:
    """``auth`` without that key.

    Raises:
        NotFound: There is no key of that name.
        Conflict: No other key is live, unless ``even_last``; anybody may call.
    """
    _check_has_keys(auth)
    entries = stored_keys(auth)
    gone = [entry for entry in entries if entry.get("name") == name]
    if not gone:
        raise _unknown(auth, name)
    left = [entry for entry in entries if entry.get("name") != name]
    if _read(gone[0]).live(now) and not any(_read(e).live(now) for e in left) and not even_last:
        raise Conflict(
            f"Key {name!r} is the last live one of auth {auth['id']!r}: without it every call is "
            "refused. Roll it with an overlap of 0 to replace it at once, or revoke it with "
            "--even-last.",
            kind="auth",
            name=f"{auth['id']}",
        )
    return Change(_with(auth, left, last_number(auth)), ended=tuple(map(_read, gone)))


def _check_has_keys(auth: Mapping[str, Json]) -> None:
    if (kind := auth.get("authenticationType")) != "API_KEY":
        then = "its issuer has them" if kind == "JWT" else "anybody may call"
        raise Conflict(
            f"Auth {auth['id']!r} has no keys: its authenticationType is {kind}, so {then}.",
            kind="auth",
            name=f"{auth['id']}",
        )


def _check_end(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest("expires_at is not in the future.")


def _check_name(auth: Mapping[str, Json], name: str) -> None:
    reading = Reading()
    Name(_LONGEST_NAME).check(name, Place(reading))
    if reading.faults:
        raise InvalidRequest(f"The name of a key {reading.faults[0].detail}.")
    if name in _taken(auth):
        raise AlreadyExists(
            f"Auth {auth['id']!r} has a key {name!r} already, or one that acts as it: "
            "roll it, or take another name.",
            kind="auth",
            name=f"{auth['id']}",
        )


def _taken(auth: Mapping[str, Json]) -> set[str]:
    return {name for key in listed(auth) for name in (key.name, key.acts_as)}


def _line(auth: Mapping[str, Json], name: str, now: datetime) -> str:
    """What the keys to replace act as."""
    keys = listed(auth)
    if name:
        for key in keys:
            if name == key.name:
                return key.acts_as
        if any(name == key.acts_as for key in keys):
            return name
        raise _unknown(auth, name)
    lines = sorted({key.acts_as for key in keys if key.live(now)} or {k.acts_as for k in keys})
    if not lines:
        raise NotFound(f"Auth {auth['id']!r} has no key: create one.", kind="auth")
    if len(lines) > 1:
        raise Conflict(
            f"Auth {auth['id']!r} has keys of several callers: say which of {_named(lines)}.",
            kind="auth",
            name=f"{auth['id']}",
        )
    return lines[0]


def _next_name(auth: Mapping[str, Json], line: str) -> tuple[int, str]:
    taken = _taken(auth)
    for number in count(last_number(auth) + 1):
        tail = f"-{number}"
        if (name := line[: _LONGEST_NAME - len(tail)] + tail) not in taken:
            return number, name
    raise AssertionError("numbers do not end")


def _unknown(auth: Mapping[str, Json], name: str) -> NotFound:
    known = _named(key.name for key in listed(auth))
    return NotFound(
        f"Auth {auth['id']!r} has no key {name!r}: it has {known or 'none'}.",
        kind="auth",
        name=f"{auth['id']}",
    )


def _named(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(map(repr, every[:_NAMED])) + more


def _kept(auth: Mapping[str, Json], now: datetime) -> list[Document]:
    """The keys that have not ended long ago."""
    return [e for e in stored_keys(auth) if _read(e).live(now - KEPT_AFTER_END)]


def _check_room(auth: Document, entries: list[Document]) -> None:
    """Refuse one more beside ``entries`` if they are too many."""
    if len(entries) >= MOST_KEYS:
        raise Conflict(
            f"Auth {auth['id']!r} has {len(entries)} keys; {MOST_KEYS} are the most: revoke some.",
            kind="auth",
            name=f"{auth['id']}",
        )


def _with(auth: Document, entries: list[Document], number: int) -> Document:
    others = {n: value for n, value in auth.items() if n not in ("apiKeys", LAST_NUMBER)}
    return others | {"apiKeys": cast("Json", entries)} | numbered_to(number, entries)


def _entry(name: str, key: str, expires_at: datetime | None, now: datetime) -> Document:
    entry: Document = {"name": name, "hash": hashed(key), "createdAt": written(now)}
    return entry if expires_at is None else entry | {"expiresAt": written(expires_at)}


def _ending(entry: Document, end: datetime) -> Document:
    key = _read(entry)
    if key.expires_at is not None and key.expires_at <= end:
        return entry
    return entry | {"expiresAt": written(end)}


def _read(entry: Mapping[str, Json]) -> ApiKey:
    name = str(entry.get("name"))
    created, expires = entry.get("createdAt"), entry.get("expiresAt")
    return ApiKey(
        name,
        str(entry.get(ACTS_AS) or name),
        None if created is None else moment(created),
        None if expires is None else moment(expires),
    )
